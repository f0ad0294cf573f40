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

ROOT = Path(__file__).parents[1]
CHART = ROOT / "charts" / "platform"

# Chart.yaml, values, schema and CRDs of each project's release, without templates.
CONTRACTS = Path(os.environ.get("PLATFORM_CONTRACTS", ROOT.parent / "shared" / "upstream"))


class Source(Enum):
    """Where charts come from; each is as good as all after it."""

    PACKED = "charts/platform/charts"
    REPOSITORIES = "the projects' repositories"
    CONTRACTS = "contract data: values and CRDs of the real charts, but no templates"
    NAMES = "nowhere: names and versions alone"

    @property
    def is_real(self) -> bool:
        """Whether the charts have their templates."""
        return self in (Source.PACKED, Source.REPOSITORIES)

    @property
    def knows_values(self) -> bool:
        """Whether the charts' values and CRDs are known."""
        return self is not Source.NAMES


def prepare(folder: Path, helm: Path, say: Callable[[str], None]) -> tuple[Path, Source]:
    """A copy of the chart in `folder` with what it depends on, and where that comes from.

    `say` is told when it is not the real charts.
    """
    chart = folder / CHART.name
    shutil.copytree(CHART, chart)
    source = _filled(chart, helm)
    if not source.is_real:
        say(f"charts/platform: the charts that it depends on come from {source.value}")
    return chart, source


def fetch(chart: Path, helm: Path) -> subprocess.CompletedProcess[str]:
    """Run `helm dependency build` for the chart, with no settings of the user's."""
    with tempfile.TemporaryDirectory() as home:

        def run(*argv: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [helm, *argv],
                env={**os.environ, "HOME": home},
                capture_output=True,
                text=True,
                check=False,
            )

        for each in dependencies(chart):
            added = run("repo", "add", each["name"], each["repository"])
            if added.returncode != 0:
                return added
        return run("dependency", "build", str(chart))


def dependencies(chart: Path) -> list[dict[str, Any]]:
    """Those of Chart.yaml: name, version, repository, condition."""
    found: list[dict[str, Any]] = yaml.safe_load((chart / "Chart.yaml").read_text())["dependencies"]
    return found


def _filled(chart: Path, helm: Path) -> Source:
    packed = chart / "charts"
    wanted = dependencies(chart)
    if all((packed / f"{each['name']}-{each['version']}.tgz").exists() for each in wanted):
        return Source.PACKED
    shutil.rmtree(packed, ignore_errors=True)
    if fetch(chart, helm).returncode == 0:
        return Source.REPOSITORIES
    shutil.rmtree(packed, ignore_errors=True)
    source = Source.CONTRACTS if CONTRACTS.is_dir() else Source.NAMES
    for each in wanted:
        _pack(each, source, packed, helm)
    return source


def _pack(dependency: Mapping[str, Any], source: Source, target: Path, helm: Path) -> None:
    name, version = dependency["name"], dependency["version"]
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(folder) / name
        if source is Source.CONTRACTS:
            shutil.copytree(CONTRACTS / name, chart)
            about = yaml.safe_load((chart / "Chart.yaml").read_text())
        else:
            chart.mkdir()
            about = {"apiVersion": "v2", "name": name, "version": version}
        # Charts of theirs would have to be there, too.
        about.pop("dependencies", None)
        (chart / "Chart.yaml").write_text(yaml.safe_dump(about))
        command: list[str | Path] = [helm, "package", str(chart), "--destination", str(target)]
        subprocess.run(command, check=True, capture_output=True)
