"""Usage: which workloads and init tasks have a setting's token."""

from __future__ import annotations

from typing import Any

import pytest
from tutorsecrets.managing import usage
from tutorsecrets.tokens import token

A, B, C = token("A"), token("B"), token("C")


def workload(kind: str, name: str, **pod: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "main", **pod}]}
    return {"kind": kind, "metadata": {"name": name}, "spec": {"template": {"spec": spec}}}


def cronjob(name: str, **pod: Any) -> dict[str, Any]:
    job = workload("Job", name, **pod)
    return {**job, "kind": "CronJob", "spec": {"jobTemplate": {"spec": job["spec"]}}}


def test_tokens_in_pods_and_in_their_configmaps() -> None:
    """Of whatever kind, but not those of jobs, which run what a task gives them."""
    manifests = [
        {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a.py": f"'{A}' '{B}'"}},
        workload("Deployment", "lms", envFrom=[{"configMapRef": {"name": "c"}}]),
        workload("StatefulSet", "mysql", env=[{"name": "X", "value": B}]),
        cronjob("nightly", env=[{"name": "X", "value": B}]),
        workload("Job", "lms-job", env=[{"name": "X", "value": C}]),
        {"kind": "Service", "metadata": {"name": "s"}},
    ]
    assert usage.by_workload(manifests) == {
        "A": ["deployment/lms"],
        "B": ["cronjob/nightly", "deployment/lms", "statefulset/mysql"],
    }


def test_tokens_in_init_tasks() -> None:
    tasks = {"mysql": [("mysql", f"x {A}"), ("mysql", f"y {B}")], "lms": [("lms", A)], "cms": []}
    assert usage.by_application(tasks) == {"A": ["lms", "mysql"], "B": ["mysql"]}


def test_nothing_uses_nothing() -> None:
    assert usage.by_workload([]) == {}
    assert usage.by_application({}) == {}


@pytest.mark.parametrize(
    ("workload", "shown"), [("deployment/lms", "lms"), ("cronjob/nightly", "cronjob/nightly")]
)
def test_most_are_deployments(workload: str, shown: str) -> None:
    assert usage.short(workload) == shown
