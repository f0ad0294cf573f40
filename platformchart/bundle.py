"""Edge: what a cluster without the internet needs: the packed chart, and a list of its images."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import yaml

from platformchart import images
from platformchart.errors import ChartError
from platformchart.upstream import CHART, ROOT, available

# With every component on; images that the values of one cluster change are listed with --values.
EVERYTHING = CHART / "ci" / "everything-values.yaml"
KUBERNETES = "1.36.0"
TARGET = ROOT / "dist"


def make(
    helm: Path,
    values: Path,
    kubernetes: str,
    say: Callable[[str], None],
    chart: Path = CHART,
    target: Path = TARGET,
) -> None:
    """Write platform-VERSION.tgz and images.txt into `target`, or raise ChartError."""
    source = available(chart)
    if not source.is_real:
        raise ChartError(
            "charts/platform",
            f"images would be missing: the charts that it depends on come from {source.value}",
            "run `make bundle` where the repositories of Chart.yaml can be reached",
        )
    target.mkdir(exist_ok=True)
    say(_run(helm, "package", str(chart), "--destination", str(target)).strip())
    where = ("--namespace=platform", f"--values={values}", f"--kube-version={kubernetes}")
    rendered = _run(helm, "template", "platform", str(chart), *where)
    found = images.of([each for each in yaml.safe_load_all(rendered) if each])
    listed = target / "images.txt"
    listed.write_text("".join(f"{image}\n" for image in found))
    say(f"{listed}: {len(found)} images")


def _run(helm: Path, *argv: str) -> str:
    try:
        done = subprocess.run([helm, *argv], capture_output=True, text=True, check=True)
    except subprocess.CalledProcessError as error:
        raise ChartError(f"helm {argv[0]}", error.stderr.strip(), "mend that first") from error
    return done.stdout
