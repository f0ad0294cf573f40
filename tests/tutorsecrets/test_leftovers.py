"""Leftovers: what nothing needs any more may go, if it is the instance's own."""

from __future__ import annotations

from typing import Any

import pytest
from tutorplatform import manifests
from tutorplatform.manifests import Manifest
from tutorsecrets.managing.leftovers import Remains, found
from tutorsecrets.tokens import token

VALUES = {token("DB_PASSWORD"): "s3cret-value"}
OURS = {"app.kubernetes.io/instance": "openedx-x"}


def configmap(name: str = "config") -> Manifest:
    return {"kind": "ConfigMap", "metadata": {"name": name}, "data": {"f": "s3cret-value"}}


def ours(manifest: Manifest) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], "labels": OURS}}


def workload(kind: str, uses: str = "config", **fields: Any) -> Manifest:
    volume = {"name": "v", "configMap": {"name": uses}}
    spec = {"template": {"spec": {"containers": [], "volumes": [volume]}}, **fields.pop("spec", {})}
    return {"kind": kind, "metadata": {"name": "lms"}, "spec": spec, **fields}


def pod(phase: str) -> Manifest:
    volume = {"name": "v", "configMap": {"name": "config"}}
    return {
        "kind": "Pod",
        "metadata": {"name": "lms-1"},
        "spec": {"volumes": [volume]},
        "status": {"phase": phase},
    }


DONE = {"conditions": [{"type": "Complete", "status": "True"}]}


@pytest.mark.parametrize(
    ("user", "is_needed"),
    [
        (None, False),
        (workload("Deployment"), True),
        (workload("StatefulSet"), True),
        (workload("CronJob", spec={"jobTemplate": {"spec": workload("Job")["spec"]}}), True),
        (workload("ReplicaSet", spec={"replicas": 1}), True),
        (workload("ReplicaSet", spec={"replicas": 0}), False),
        (workload("Job"), True),
        (workload("Job", status=DONE), False),
        (pod("Running"), True),
        (pod("Succeeded"), False),
        (workload("Deployment", uses="another"), False),
    ],
    ids=[
        *("nobody", "Deployment", "StatefulSet", "CronJob", "ReplicaSet", "idle ReplicaSet"),
        *("job", "finished job", "pod", "finished pod", "another one"),
    ],
)
def test_what_runs_keeps_its_configmaps(user: Manifest | None, is_needed: bool) -> None:
    """Deployed or not: pods that start anew need them."""
    live = [ours(configmap()), *([user] if user else [])]
    remains = found(live, VALUES, "openedx-x")
    assert [manifests.name(each) for each in remains.own] == ([] if is_needed else ["config"])
    assert remains.foreign == []


def test_what_somebody_else_has_made_is_not_ours_to_delete() -> None:
    other = {**configmap("theirs"), "metadata": {"name": "theirs", "labels": {"a": "b"}}}
    live = [ours(configmap()), configmap("nobodys"), other]
    remains = found(live, VALUES, "openedx-x")
    assert [manifests.name(each) for each in remains.own] == ["config"]
    assert [manifests.name(each) for each in remains.foreign] == ["nobodys", "theirs"]


def test_without_a_value_nothing_is_left_over() -> None:
    assert found([ours(configmap())], {token("A"): "another-value"}, "openedx-x") == Remains([], [])
