"""What `make bench-resilience` claims of ours, on the cluster that all tests share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from localcluster.cluster import LocalCluster
from localcluster.processes import wait_for
from rich.console import Console

from bench import faults, outcomes, resilience
from bench.arena import Arena
from bench.variants import OURS, Variant
from demo.view import View

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
STUCK = Variant("stuck", "a budget that allows nothing", 1)


@pytest.fixture
def ours(cluster: LocalCluster, tmp_path: Path) -> Iterator[Arena]:
    """The autoscale plugin, with nothing to compare it with."""
    arena = Arena(View(cluster), [OURS], Console())
    arena.deploy(tmp_path)
    yield arena
    arena.remove()


@pytest.mark.proof
def test_ours_keeps_its_targets(ours: Arena) -> None:
    """A pod, an update, a drain of all nodes and a zone: three minutes."""
    found = resilience.suffer(ours, resilience.few(ours))
    assert [each.fault for each in found[:3]] == ["pod", "rolling update", "drain"]
    assert found[3].fault.startswith("zone ")
    # What was never hurt would prove nothing.
    assert [each.least_percent for each in found] == [50, 100, 50, 50]
    start_s = ours.view.cluster.shape.pods.openedx_s
    claims = outcomes.claims(found, start_s)
    assert [claim for claim, holds, _ in claims if not holds] == []


@pytest.fixture
def stuck(cluster: LocalCluster) -> Iterator[Arena]:
    """One pod of which one has to stay."""
    arena = Arena(View(cluster), [STUCK], Console())
    for manifest in one_pod_that_has_to_stay():
        cluster.apply(manifest)
    wait_for(lambda: arena.view.ready()[STUCK.lms], 30, "the pod", poll_s=0.5)
    yield arena
    arena.remove()


def test_a_drain_that_a_budget_forbids_is_counted(stuck: Arena) -> None:
    """Of one node, that of the pod; and no node stays closed."""
    [found] = faults.suffer(stuck, faults.drain(stuck))
    assert (found.refused, found.zero_s) == (1, 0)
    assert [node for node in stuck.view.get("nodes") if "unschedulable" in node["spec"]] == []


def one_pod_that_has_to_stay() -> list[dict[str, Any]]:
    labels = {
        "app.kubernetes.io/name": STUCK.lms.workload,
        "app.kubernetes.io/instance": STUCK.instance,
    }
    metadata = {"name": STUCK.lms.workload, "namespace": STUCK.name, "labels": labels}
    pod = {"containers": [{"name": "lms", "image": "example.org/lms:1"}]}
    selector = {"matchLabels": labels}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": STUCK.name}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"replicas": 1, "selector": selector, "template": template},
        },
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata,
            "spec": {"minAvailable": 1, "selector": selector},
        },
    ]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`make bench-resilience`, quick, on a cluster of its own, with its files in `tmp_path`."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.resilience", "--quick"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_an_interrupted_bench_leaves_nothing_running(
    bench: subprocess.Popen[str], tmp_path: Path
) -> None:
    """Ctrl-C in the middle of a fault; no files either."""
    assert bench.stdout
    assert any("─ pod ─" in line for line in bench.stdout)
    children = psutil.Process(bench.pid).children(recursive=True)
    assert len(children) >= 8
    bench.send_signal(signal.SIGINT)
    rest = bench.stdout.read()
    assert bench.wait(30) == 1
    assert "everything that was started is gone" in rest
    assert [child for child in children if child.is_running()] == []
    assert list(tmp_path.iterdir()) == []
