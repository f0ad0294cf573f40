"""The whole chart on the local cluster, where no program of its controllers runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from localcluster import binaries
from localcluster.cluster import LocalCluster

from platformchart import local, upstream
from platformchart.release import Release
from tests.chart.conftest import REQUIRED

GET_VALUES = ("get", "values", "platform", "--all", "--output=json")


class Platform(NamedTuple):
    """The chart as a release, what that was given, and where others' charts are from."""

    release: Release
    given: dict[str, Any]
    source: upstream.Source

    def values(self) -> dict[str, Any]:
        """Those of the release with all defaults, of others' charts too."""
        found: dict[str, Any] = json.loads(self.release.run(*GET_VALUES))
        return found


@contextmanager
def installed(cluster: LocalCluster, folder: Path, values: Mapping[str, Any]) -> Iterator[Platform]:
    """The chart with these values, as the guide installs it. Nothing is left of it."""
    helm = binaries.ensure(["helm"], print)["helm"]
    chart, source = upstream.prepare(folder, helm, print)
    release = Release(helm, chart, cluster.environment)
    # An end that asks nobody at AWS.
    unprotected = {"edge": {"deletionProtection": False}}
    everything = local.adapted(local.merged(local.merged(REQUIRED, unprotected), values))
    cluster.apply(dict(local.NAMESPACE))
    try:
        release.upgrade(everything)
        yield Platform(release, everything, source)
        # In two steps: one that still has an edge refuses to go.
        release.upgrade(local.merged(everything, {"edge": {"enabled": False}}))
    finally:
        release.uninstall()
        cluster.kubectl("delete", "namespace", "platform")
