"""Edge: the charts that charts/platform depends on, from wherever they can be had."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from platformchart.errors import ChartError

ROOT = Path(__file__).parents[1]
CHART = ROOT / "charts" / "platform"
FETCH_TIMEOUT_S = 60

# Chart.yaml, values, schema and CRDs of each project's release, without templates.
CONTRACTS = Path(os.environ.get("PLATFORM_CONTRACTS", ROOT.parent / "shared" / "upstream"))

# Their CRDs are templates: part of the release, in its Secret too, and gone with it.
TEMPLATED_CRDS = ("external-secrets", "keda")
CRD_TEMPLATE = (
    '{{ range $path, $_ := .Files.Glob "definitions/*" }}\n---\n{{ $.Files.Get $path }}{{ end }}'
)


class Source(Enum):
    """Where charts come from; each is as good as all after it."""

    PACKED = "charts/platform/charts: the projects' own"
    CONTRACTS = (
        "contract data: values and CRDs of the projects' charts, but none of their templates"
    )
    NAMES = "nowhere: their names and versions alone, without values, CRDs and templates"

    @property
    def is_real(self) -> bool:
        """Whether the charts have their templates."""
        return self is Source.PACKED

    @property
    def knows_values(self) -> bool:
        """Whether the charts' values and CRDs are known."""
        return self is not Source.NAMES


def available(chart: Path = CHART, contracts: Path = CONTRACTS) -> Source:
    """The best source that is on this machine; nothing is fetched."""
    wanted = dependencies(chart)
    if all(
        (chart / "charts" / f"{each['name']}-{each['version']}.tgz").exists() for each in wanted
    ):
        return Source.PACKED
    if all((contracts / each["name"]).is_dir() for each in wanted):
        return Source.CONTRACTS
    return Source.NAMES


def heading(source: Source) -> str:
    """A line that says where charts come from, for all who show results that depend on it."""
    return f"charts/platform: the charts that it depends on come from {source.value}"


def prepare(
    folder: Path, helm: Path, say: Callable[[str], None], contracts: Path = CONTRACTS
) -> tuple[Path, Source]:
    """A copy of the chart in `folder` with what it depends on, and where that comes from.

    `say` is told where.
    """
    source = available(contracts=contracts)
    say(heading(source))
    chart = folder / CHART.name
    shutil.copytree(CHART, chart)
    if not source.is_real:
        shutil.rmtree(chart / "charts", ignore_errors=True)
        for each in dependencies(chart):
            _pack(each, contracts / each["name"] if source.knows_values else None, chart, helm)
    return chart, source


def obtain(helm: Path, say: Callable[[str], None], tolerant: bool) -> None:
    """Have the projects' charts in `charts/`, fetched unless they are; `say` what there is.

    Where they cannot be fetched: ChartError, unless `tolerant`.
    """
    if available() is not Source.PACKED:
        try:
            fetch(helm)
        except ChartError as error:
            if not tolerant:
                raise
            say(str(error))
    say(heading(available()))


def fetch(helm: Path, chart: Path = CHART) -> None:
    """Put the charts of the projects' repositories into `charts/`, or raise ChartError.

    No settings of the user's are used or changed.
    """
    with tempfile.TemporaryDirectory() as folder:
        # What is there stays, if something is missing halfway.
        copy = Path(folder) / chart.name
        shutil.copytree(chart, copy, ignore=shutil.ignore_patterns("charts"))
        for each in dependencies(chart):
            _run(helm, folder, "repo", "add", each["name"], each["repository"])
        _run(helm, folder, "dependency", "build", str(copy))
        shutil.rmtree(chart / "charts", ignore_errors=True)
        shutil.copytree(copy / "charts", chart / "charts")


def dependencies(chart: Path) -> list[dict[str, Any]]:
    """Those of Chart.yaml: name, version, repository, condition."""
    found: list[dict[str, Any]] = yaml.safe_load((chart / "Chart.yaml").read_text())["dependencies"]
    return found


def _run(helm: Path, home: str, *argv: str) -> None:
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("HELM_", "XDG_"))
    }
    command: list[str | Path] = [helm, *argv]
    where = f"helm {' '.join(argv[:2])}"
    try:
        subprocess.run(
            command,
            env={**kept, "HOME": home},
            capture_output=True,
            text=True,
            check=True,
            timeout=FETCH_TIMEOUT_S,
        )
    except subprocess.CalledProcessError as error:
        raise ChartError(where, error.stderr.strip(), "fetch where it can be reached") from error
    except subprocess.TimeoutExpired as error:
        problem = f"no answer after {FETCH_TIMEOUT_S} s"
        raise ChartError(where, problem, "fetch where it can be reached") from error


def _pack(dependency: Mapping[str, Any], contract: Path | None, chart: Path, helm: Path) -> None:
    name, version = dependency["name"], dependency["version"]
    with tempfile.TemporaryDirectory() as folder:
        stub = Path(folder) / name
        if contract:
            shutil.copytree(contract, stub)
            about = yaml.safe_load((stub / "Chart.yaml").read_text())
        else:
            stub.mkdir()
            about = {"apiVersion": "v2", "name": name, "version": version}
        if contract and name in TEMPLATED_CRDS:
            (stub / "crds").rename(stub / "definitions")
            (stub / "templates").mkdir()
            (stub / "templates" / "crds.yaml").write_text(CRD_TEMPLATE)
        # Charts of theirs would have to be there, too.
        about.pop("dependencies", None)
        (stub / "Chart.yaml").write_text(yaml.safe_dump(about))
        _run(helm, folder, "package", str(stub), "--destination", str(chart / "charts"))
