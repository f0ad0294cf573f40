"""Edge: what an installation takes on the local cluster: seconds, bytes of its Secret, objects."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml
from localcluster.cluster import LocalCluster

from platformchart import local, upstream
from platformchart.errors import ChartError
from platformchart.release import Release
from platformchart.upstream import CHART

LIMIT_BYTES = 1024**2


def report(helm: Path, say: Callable[[str], None]) -> None:
    """Install every variant of `ci/` on a cluster of its own, one after the other; `say` a table.

    No controller runs and nothing is pulled: this is Helm and the API server alone.
    """
    with tempfile.TemporaryDirectory() as folder, LocalCluster(progress=say) as cluster:
        chart, _ = upstream.prepare(Path(folder), helm, say)
        cluster.apply(dict(local.NAMESPACE))
        release = Release(helm, chart, cluster.environment)
        say("| variant | objects | release Secret, bytes | of 1 MiB | install, s | again, s |")
        say("| --- | --- | --- | --- | --- | --- |")
        for values in sorted((CHART / "ci").glob("*-values.yaml")):
            name = values.name.removesuffix("-values.yaml")
            say(f"| `{name}` | {_row(release, values)} |")


def _row(release: Release, file: Path) -> str:
    values = local.adapted(yaml.safe_load(file.read_text()))
    seconds = []
    for _ in range(2):
        started = time.monotonic()
        try:
            release.upgrade(values)
        except ChartError:
            # Target groups are bound when the controller is there, and none is.
            return "refused without its controller | | | |"
        seconds.append(time.monotonic() - started)
    size, objects = release.secret_bytes(), len(release.manifest())
    # Nothing in AWS could be left behind.
    release.uninstall("--no-hooks")
    first, second = seconds
    return f"{objects} | {size} | {size / LIMIT_BYTES:.0%} | {first:.1f} | {second:.1f}"
