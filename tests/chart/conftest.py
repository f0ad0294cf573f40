"""The real helm, as the tests of charts call it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from localcluster import binaries
from tutorplatform import manifests
from tutorplatform.manifests import Manifest

from platformchart import upstream
from platformchart.local import merged
from platformchart.upstream import CHART, Source

Helm = Callable[..., str]
RenderChart = Callable[..., list[Manifest]]

# What every installation has to say.
REQUIRED: dict[str, Any] = yaml.safe_load((CHART / "ci" / "minimal-values.yaml").read_text())


class Chart(NamedTuple):
    """The chart with what it depends on."""

    path: Path
    source: Source


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Runs `helm ARGV…` with `values`; what it prints, or CalledProcessError."""
    program = binaries.ensure(["helm"], print)["helm"]
    home = str(tmp_path_factory.mktemp("helm"))

    def run(*argv: str, **values: Any) -> str:
        return subprocess.run(
            [program, *argv, "--values=-"],
            input=yaml.safe_dump(values),
            env={"HOME": home},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    return run


@pytest.fixture(scope="session")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Chart:
    """The chart, ready to be installed."""
    program = binaries.ensure(["helm"], print)["helm"]
    return Chart(*upstream.prepare(tmp_path_factory.mktemp("chart"), program, print))


@pytest.fixture(scope="session")
def render_chart(helm: Helm, chart: Chart) -> RenderChart:
    """The objects of the chart with changes to REQUIRED, as release `platform` in `platform`."""

    def render(kubernetes: str = "1.36.3", **changes: Any) -> list[Manifest]:
        where = ("--namespace=platform", f"--kube-version={kubernetes}")
        values = merged(REQUIRED, changes)
        return manifests.load(helm("template", "platform", str(chart.path), *where, **values))

    return render
