"""Profiles → Deployment patches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tutorautoscale.overrides import deployment, deployments
from tutorautoscale.profile import Celery, Cpu, Memory, Profile

PROFILE = Profile(
    cpu=Cpu("500m", None, 70),
    memory=Memory("2Gi", "3Gi", 80),
    min=2,
    max=4,
    start_s=61,
    drain_s=15,
    grace_s=60,
    probes={
        "startupProbe": {"httpGet": {"path": "/heartbeat", "port": 8000}},
        "livenessProbe": {"tcpSocket": {"port": 8000}},
    },
)


def pod(profile: Profile) -> dict[str, Any]:
    """The pod spec of the patch for a Deployment called web."""
    spec: dict[str, Any] = deployment("web", profile)["spec"]["template"]["spec"]
    return spec


def container(profile: Profile) -> dict[str, Any]:
    """The container of the patch for a Deployment called web."""
    (found,) = pod(profile)["containers"]
    assert found["name"] == "web"
    return dict(found)


def test_no_profiles_need_no_patches() -> None:
    """Nothing to scale, nothing to patch."""
    assert deployments({}) == []


def test_replicas_belong_to_the_autoscaler() -> None:
    """A patch never sets the number of replicas, and an update never goes below it."""
    spec = deployment("web", PROFILE)["spec"]
    assert "replicas" not in spec
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_only_limits_that_are_set_are_written() -> None:
    """Requests are always there; a limit of `null` is no limit."""
    assert container(PROFILE)["resources"] == {
        "requests": {"cpu": "500m", "memory": "2Gi"},
        "limits": {"memory": "3Gi"},
    }
    unlimited = replace(PROFILE, memory=Memory("2Gi", None, 80))
    assert container(unlimited)["resources"]["limits"] == {}


def test_the_startup_probe_lasts_as_long_as_a_start_may_take() -> None:
    """Period times failures cover `start_s`; the other probes keep their own timing."""
    probe = container(PROFILE)["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 65
    assert probe["httpGet"] == {"path": "/heartbeat", "port": 8000}
    assert container(PROFILE)["livenessProbe"]["failureThreshold"] == 6
    assert "readinessProbe" not in container(PROFILE)


@pytest.mark.parametrize(
    ("drain_s", "expected"),
    [(15, {"preStop": {"sleep": {"seconds": 15}}}), (0, None)],
    ids=["some", "none"],
)
def test_a_pod_drains_before_it_ends(drain_s: int, expected: Any) -> None:
    """The hook sleeps as long as told; Kubernetes before 1.33 refuses a sleep of zero."""
    assert container(replace(PROFILE, drain_s=drain_s)).get("lifecycle") == expected


def test_only_a_worker_gets_a_concurrency() -> None:
    """Celery's number of processes is the profile's, in the variable that its command reads."""
    worker = replace(PROFILE, celery=Celery(concurrency=3))
    assert container(worker)["env"] == [{"name": "CELERY_WORKER_CONCURRENCY", "value": "3"}]
    assert "env" not in container(PROFILE)


def test_lost_nodes_are_left_soon_and_never_scheduled_to() -> None:
    """Only eviction is tolerated: tolerating NoSchedule would keep a lost zone in the count."""
    assert [
        (taint["key"].rpartition("/")[2], taint["effect"], taint["tolerationSeconds"])
        for taint in pod(PROFILE)["tolerations"]
    ] == [("not-ready", "NoExecute", 10), ("unreachable", "NoExecute", 10)]


@pytest.mark.parametrize(
    ("zones", "unsatisfiable"),
    [("required", "DoNotSchedule"), ("preferred", "ScheduleAnyway")],
)
def test_pods_spread_over_zones_and_hosts(zones: str, unsatisfiable: str) -> None:
    """Zones as strictly as told, hosts softly; lost nodes and old revisions do not count."""
    constraints = pod(replace(PROFILE, zones=zones))["topologySpreadConstraints"]
    assert [(each["topologyKey"], each["whenUnsatisfiable"]) for each in constraints] == [
        ("topology.kubernetes.io/zone", unsatisfiable),
        ("kubernetes.io/hostname", "ScheduleAnyway"),
    ]
    for each in constraints:
        assert each["nodeTaintsPolicy"] == "Honor"
        assert each["matchLabelKeys"] == ["pod-template-hash"]
        assert each["labelSelector"] == {"matchLabels": {"app.kubernetes.io/name": "web"}}
