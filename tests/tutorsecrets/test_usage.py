"""Usage: which workloads and init tasks have a setting's token."""

from __future__ import annotations

from typing import Any

from tutorsecrets.managing import usage
from tutorsecrets.tokens import token

A, B, C = token("A"), token("B"), token("C")


def workload(kind: str, name: str, **pod: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "main", **pod}]}
    return {"kind": kind, "metadata": {"name": name}, "spec": {"template": {"spec": spec}}}


def test_tokens_in_pods_and_in_their_configmaps() -> None:
    """Not those of jobs, which run what a task gives them."""
    manifests = [
        {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a.py": f"'{A}' '{B}'"}},
        workload("Deployment", "lms", envFrom=[{"configMapRef": {"name": "c"}}]),
        workload("Deployment", "mysql", env=[{"name": "X", "value": B}]),
        workload("Job", "lms-job", env=[{"name": "X", "value": C}]),
        {"kind": "Service", "metadata": {"name": "s"}},
    ]
    assert usage.by_workload(manifests) == {"A": ["lms"], "B": ["lms", "mysql"]}


def test_tokens_in_init_tasks() -> None:
    tasks = {"mysql": [("mysql", f"x {A}"), ("mysql", f"y {B}")], "lms": [("lms", A)], "cms": []}
    assert usage.by_application(tasks) == {"A": ["lms", "mysql"], "B": ["mysql"]}


def test_nothing_uses_nothing() -> None:
    assert usage.by_workload([]) == {}
    assert usage.by_application({}) == {}
