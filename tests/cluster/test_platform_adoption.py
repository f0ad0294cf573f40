"""Namespaces that were there before the chart, on a real API server."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from localcluster.cluster import LocalCluster

from platformchart.errors import ChartError
from platformchart.local import merged
from tests.cluster.walked import installed

pytestmark = pytest.mark.cluster

SETTLED = {"instances": {"settled": {"hosts": ["settled.example.org"]}}}


@pytest.fixture
def settled(cluster: LocalCluster) -> Iterator[str]:
    """One that Tutor has made, with something in it."""
    name = "settled"
    cluster.kubectl("create", "namespace", name)
    cluster.kubectl("label", "namespace", name, "app.kubernetes.io/managed-by=tutor")
    cluster.kubectl("create", "configmap", "precious", f"--namespace={name}")
    yield name
    cluster.kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def test_a_namespace_is_taken_in_as_the_message_says(
    settled: str, cluster: LocalCluster, tmp_path: Path
) -> None:
    """And stays when the release goes back to before; Helm alone would delete it then."""
    with installed(cluster, tmp_path, {}) as platform:
        values = merged(platform.given, SETTLED)
        with pytest.raises(ChartError) as raised:
            platform.release.upgrade(values)
        assert "instances.settled: this namespace was there before" in str(raised.value)
        for command in re.findall(r"`kubectl ([^`]+)`", str(raised.value)):
            cluster.kubectl(*shlex.split(command))
        platform.release.upgrade(values)
        assert "limitrange/instance" in cluster.kubectl("get", "limits", "-oname", f"-n{settled}")
        platform.release.run("rollback", "platform")
        phase = cluster.kubectl("get", "namespace", settled, "-ojsonpath={.status.phase}")
        assert phase == "Active"
        assert "precious" in cluster.kubectl("get", "configmaps", "-oname", f"-n{settled}")
