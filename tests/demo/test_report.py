"""What the demo says, and when it fails."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console
from rich.table import Table

from demo import report
from demo.observe import Service

LMS = Service("acme", "lms")


def console() -> Console:
    return Console(width=100, record=True, file=io.StringIO())


def pod(node: str) -> Any:
    labels = {"app.kubernetes.io/name": "lms"}
    return {"metadata": {"namespace": "acme", "labels": labels}, "spec": {"nodeName": node}}


def shown(table: Table) -> str:
    output = console()
    output.print(table)
    return output.export_text()


def test_claims_that_do_not_hold_are_remembered() -> None:
    checks = report.Checks(console())
    checks.check("water is wet", holds=True)
    checks.check("the moon is cheese", holds=False, detail="looked")
    assert checks.failed == ["the moon is cheese"]
    assert "✗ the moon is cheese (looked)" in checks.console.export_text()


def test_the_table_shows_pods_zones_and_autoscaler() -> None:
    autoscaler = {
        "spec": {"minReplicas": 2, "maxReplicas": 6},
        "status": {
            "currentMetrics": [
                {"containerResource": {"name": "cpu", "current": {"averageUtilization": 31}}},
                {"containerResource": {"name": "memory", "current": {}}},
            ]
        },
    }
    zones = {"n1": "eu-west-1a", "n2": "eu-west-1c"}
    table = report.workloads_table({LMS: 3}, [pod("n1"), pod("n2")], zones, {LMS: autoscaler})
    assert "│ acme     │ lms      │ 2/3   │ a c   │ 2..6, cpu 31 % │" in shown(table)


def test_a_workload_without_pods_and_autoscaler_has_its_row() -> None:
    table = report.workloads_table({LMS: 1}, [], {}, {})
    assert "│ acme     │ lms      │ 0/1   │       │            │" in shown(table)
