"""The real helm, as the tests of charts call it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from localcluster import binaries
from tutorplatform import manifests
from tutorplatform.manifests import Manifest

CHART = Path(__file__).parents[2] / "charts" / "platform"

Helm = Callable[..., str]
RenderChart = Callable[..., list[Manifest]]


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
def render_chart(helm: Helm) -> RenderChart:
    """The objects of the chart with these values, as release `platform` in a namespace `shared`."""

    def render(kubernetes: str = "1.36.3", **values: Any) -> list[Manifest]:
        where = ("--namespace=shared", f"--kube-version={kubernetes}")
        return manifests.load(helm("template", "platform", str(CHART), *where, **values))

    return render
