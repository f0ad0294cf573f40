"""Where the charts come from that charts/platform depends on."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from localcluster import binaries

from platformchart import upstream
from platformchart.errors import ChartError
from platformchart.upstream import CHART, CONTRACTS, Source

pytestmark = pytest.mark.chart


@pytest.fixture(scope="module")
def helm() -> Path:
    return binaries.ensure(["helm"], print)["helm"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The chart as it is in the repository: with nothing that it depends on."""
    return Path(
        shutil.copytree(CHART, tmp_path / "platform", ignore=shutil.ignore_patterns("charts"))
    )


def built(helm: Path, chart: Path, home: Path) -> str:
    """What `helm dependency build` says to somebody who has added no repository."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    command: list[str | Path] = [helm, "dependency", "build", str(chart)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_packed_charts_come_first(copy: Path) -> None:
    """All of them, in the versions of Chart.yaml; else what is there is not used."""
    packed = copy / "charts"
    packed.mkdir()
    for each in upstream.dependencies(copy):
        assert upstream.available(copy) is not Source.PACKED
        (packed / f"{each['name']}-{each['version']}.tgz").touch()
    assert upstream.available(copy) is Source.PACKED


def test_contract_data_stands_in_and_then_names_alone(copy: Path, tmp_path: Path) -> None:
    contracts = tmp_path / "contracts"
    assert upstream.available(copy, contracts) is Source.NAMES
    for each in upstream.dependencies(copy):
        (contracts / each["name"]).mkdir(parents=True)
    assert upstream.available(copy, contracts) is Source.CONTRACTS


def test_names_alone_are_enough_to_render(helm: Path, tmp_path: Path) -> None:
    """Our own templates, that is; and whoever asked is told."""
    said: list[str] = []
    chart, source = upstream.prepare(tmp_path, helm, said.append, contracts=tmp_path / "none")
    values = chart / "ci" / "room-values.yaml"
    where = (f"--values={values}", "--kube-version=1.36.0")
    command: list[str | Path] = [helm, "template", "platform", str(chart), *where]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "kind: PriorityClass" in rendered
    assert said == [upstream.heading(source)]


@pytest.mark.contracts
def test_stand_ins_have_the_versions_that_are_asked_for() -> None:
    """Otherwise tests would be about other charts than those that are installed."""
    for each in upstream.dependencies(CHART):
        about = yaml.safe_load((CONTRACTS / each["name"] / "Chart.yaml").read_text())
        assert (about["name"], about["version"]) == (each["name"], each["version"])


def test_the_lock_fits(helm: Path, copy: Path, tmp_path: Path) -> None:
    """Helm asks for repositories, if anything; it does not say that Chart.lock is out of sync."""
    assert "out of sync" not in built(helm, copy, tmp_path)
    assert "no repository definition" in built(helm, copy, tmp_path)


def test_another_version_needs_another_lock(helm: Path, copy: Path, tmp_path: Path) -> None:
    about = (copy / "Chart.yaml").read_text()
    (copy / "Chart.yaml").write_text(about.replace("version: 41.3.0", "version: 41.3.1"))
    assert "out of sync" in built(helm, copy, tmp_path)


def test_who_has_not_fetched_is_told_the_command(helm: Path, copy: Path) -> None:
    """Helm's own words; README.md repeats them and says how."""
    command: list[str | Path] = [helm, "install", "platform", str(copy), "--dry-run=client"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    words = "found in Chart.yaml, but missing in charts/ directory"
    assert words in done.stderr
    readme = (CHART / "README.md").read_text()
    assert words in readme
    assert "helm dependency build charts/platform" in readme


def test_the_readme_adds_every_repository() -> None:
    readme = (CHART / "README.md").read_text()
    for each in upstream.dependencies(CHART):
        assert f"helm repo add {each['name']} {each['repository']}\n" in readme


def test_a_repository_that_cannot_be_reached_is_named(helm: Path, copy: Path) -> None:
    """And the charts that are there already stay."""
    about = yaml.safe_load((copy / "Chart.yaml").read_text())
    for each in about["dependencies"]:
        each["repository"] = "http://127.0.0.1:9/charts"
    (copy / "Chart.yaml").write_text(yaml.safe_dump(about))
    (copy / "charts").mkdir()
    (copy / "charts" / "mine.tgz").touch()
    with pytest.raises(ChartError, match=r"helm repo add: .*127\.0\.0\.1:9"):
        upstream.fetch(helm, copy)
    assert (copy / "charts" / "mine.tgz").exists()
