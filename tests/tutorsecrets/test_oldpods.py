"""Old pods: who may still use the values from before."""

from __future__ import annotations

from typing import Any

import pytest
from tutorsecrets.managing.oldpods import Users, untouched
from tutorsecrets.tokens import token

PASSWORD, OTHER = token("X_MYSQL_PASSWORD"), token("OTHER")
NEW, OLD = "config-0123456789", "config-9876543210"
OWN = {NEW, OLD, "notes-0000000000", "lms-secrets-1111111111", "gone-2222222222"}
USERS = Users({NEW}, {"notes"})


def uses(kind: str, secret: str, phase: str = "Running", **metadata: Any) -> dict[str, Any]:
    """A pod, or another workload, that mounts a Secret."""
    pod = {"containers": [], "volumes": [{"name": "v", "secret": {"secretName": secret}}]}
    spec = pod if kind == "Pod" else {"template": {"spec": pod}}
    metadata = {"name": kind.lower(), **metadata}
    return {"kind": kind, "metadata": metadata, "spec": spec, "status": {"phase": phase}}


def of_job(kind: str, secret: str) -> dict[str, Any]:
    return uses(kind, secret, ownerReferences=[{"kind": "Job", "name": "nightly"}])


@pytest.mark.parametrize(
    ("pod", "waited_for"),
    [
        (uses("Pod", OLD), True),
        (uses("Pod", OLD, "Pending"), True),
        (uses("Pod", OLD, deletionTimestamp="2026-01-01T00:00:00Z"), True),
        (of_job("Pod", OLD), True),
        (uses("Job", OLD), True),
        (uses("Pod", OLD, "Succeeded"), False),
        (uses("Pod", OLD, "Failed"), False),
        (uses("Pod", NEW), False),
        (uses("Pod", "notes-0000000000"), False),
        (uses("Pod", "somebody-elses"), False),
        (uses("Pod", "gone-2222222222"), True),
    ],
    ids=[
        *("old", "waiting to start", "terminating", "of a job", "job", "done", "failed", "new"),
        *("without the setting", "foreign Secret", "of what is not rendered any more"),
    ],
)
def test_whoever_has_an_older_secret_is_waited_for(pod: dict[str, Any], waited_for: bool) -> None:
    assert USERS.outdated([pod], OWN) == ([pod] if waited_for else [])


def test_a_job_that_came_to_its_end_starts_no_more_pods() -> None:
    """Until then it may, if one fails."""
    job = uses("Job", OLD)
    done = {**job, "status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    assert USERS.outdated([job], OWN) == [job]
    assert USERS.outdated([done], OWN) == []


@pytest.mark.parametrize(
    ("pod", "passes"),
    [
        (uses("Pod", NEW), False),
        (uses("Pod", NEW, deletionTimestamp="2026-01-01T00:00:00Z"), True),
        (of_job("Pod", NEW), True),
        (uses("Job", NEW), True),
        (of_job("Pod", "notes-0000000000"), False),
    ],
    ids=["of a Deployment", "terminating", "of a job", "job", "without the setting"],
)
def test_where_names_stay_what_a_deployment_does_not_replace_counts(
    pod: dict[str, Any], passes: bool
) -> None:
    assert USERS.passing([pod], OWN) == ([pod] if passes else [])


def test_which_secrets_have_none_of_the_settings() -> None:
    """Not those that are rendered no more: nobody knows what they have."""

    def workload(kind: str, name: str, value: str) -> dict[str, Any]:
        pod = {"containers": [{"name": "c", "env": [{"name": "E", "value": value}]}]}
        return {"kind": kind, "metadata": {"name": name}, "spec": {"template": {"spec": pod}}}

    rendered = [
        {"kind": "ConfigMap", "metadata": {"name": "config"}, "data": {"f": f"x {PASSWORD}"}},
        {"kind": "ConfigMap", "metadata": {"name": "notes"}, "data": {"f": OTHER}},
        {"kind": "ConfigMap", "metadata": {"name": "empty"}},
        {"kind": "Service", "metadata": {"name": "lms"}, "spec": {}},
        workload("Deployment", "lms", PASSWORD),
        workload("Job", "lms", OTHER),
        workload("Deployment", "notes", OTHER),
    ]
    assert untouched(rendered, ["X_MYSQL_PASSWORD"]) == {"notes", "empty", "notes-secrets"}
