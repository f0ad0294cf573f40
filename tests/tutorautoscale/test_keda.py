"""Profiles with targets for traffic, requests or queues → ScaledObjects and what they need."""

from __future__ import annotations

from typing import Any

import pytest
from tutorautoscale.keda import scaled_object, shared, signals
from tutorautoscale.objects import objects
from tutorautoscale.profile import Network, Profile, Queue, Requests
from tutorautoscale.scalers import autoscaler
from tutorplatform.broker import Broker, lists

from tests.tutorautoscale.made import BROKER, WEB, sources, workload

TRAFFIC = WEB._replace(network=Network("5M"))
REQUESTS = WEB._replace(requests=Requests(20, ("learn.acme.org", "m.acme.org")))
QUEUE = WEB._replace(queue=Queue(10, ("default",)))
REDIS = Broker("cache.example.com", 6379, 2, "acme", "hidden", True, "acme:celery:")
PROMETHEUS = "http://prometheus.platform:9090"


def spec(profile: Profile, broker: Broker = BROKER) -> dict[str, Any]:
    made = scaled_object(workload(profile, "lms"), sources(broker, prometheus_url=PROMETHEUS))
    found: dict[str, Any] = made["spec"]
    return found


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (TRAFFIC, "(network_0) / 5000000"),
        (REQUESTS, "(requests_0 + requests_1) / 20"),
        (QUEUE, "(queue_0 + queue_1 + queue_2 + queue_3) / 10"),
        (
            REQUESTS._replace(network=TRAFFIC.network),
            "max((network_0) / 5000000, (requests_0 + requests_1) / 20)",
        ),
    ],
    ids=["traffic", "requests", "queue", "two"],
)
def test_a_formula_makes_pods_of_measurements(profile: Profile, expected: str) -> None:
    """Hosts and priorities of one target add up; of two targets the one with more pods counts."""
    made = spec(profile)
    assert made["advanced"]["scalingModifiers"]["formula"] == expected
    external = [each for each in made["triggers"] if each["type"] not in ("cpu", "memory")]
    assert all(each["name"] in expected for each in external)
    assert len({each["name"] for each in external}) == len(external)


def test_no_signals_is_a_matter_of_the_hpa() -> None:
    """Without such a target there is an HPA, and nothing of KEDA's."""
    assert signals("lms", WEB, sources()) == []
    kinds = [each["kind"] for each in objects([workload(WEB, "lms")], sources())]
    assert kinds == ["HorizontalPodAutoscaler", "PodDisruptionBudget"]
    assert shared([workload(WEB)], sources(REDIS)._replace(isolated=True)) == []


def test_the_scaled_object_stands_in_for_the_hpa() -> None:
    """It has the name, target, bounds, pace, and cpu and memory targets of the HPA it replaces."""
    found = workload(QUEUE, "lms")
    hpa, made = autoscaler(found), scaled_object(found, sources())
    kinds = [each["kind"] for each in objects([found], sources())]
    assert kinds == ["ScaledObject", "PodDisruptionBudget"]
    assert made["metadata"]["labels"] == hpa["metadata"]["labels"]
    assert made["metadata"]["annotations"] == {
        "scaledobject.keda.sh/transfer-hpa-ownership": "true"
    }
    assert made["spec"]["scaleTargetRef"] == hpa["spec"]["scaleTargetRef"]
    assert made["spec"]["minReplicaCount"] == hpa["spec"]["minReplicas"]
    assert made["spec"]["maxReplicaCount"] == hpa["spec"]["maxReplicas"]
    assert made["spec"]["advanced"]["horizontalPodAutoscalerConfig"] == {
        "name": "lms",
        "behavior": hpa["spec"]["behavior"],
    }
    values = {each["type"]: each["metadata"]["value"] for each in made["spec"]["triggers"][:2]}
    assert values == {"cpu": "70", "memory": "80"}


def test_no_trigger_limits_itself_to_a_container() -> None:
    """KEDA 2.20 drops a container's metric beside a formula, and says nothing."""
    for trigger in spec(QUEUE)["triggers"]:
        assert "containerName" not in trigger["metadata"]


def test_traffic_is_that_of_the_deployments_own_pods() -> None:
    """Both ways, and an answer without any value is no answer."""
    trigger = spec(TRAFFIC)["triggers"][-1]
    pods = '{namespace="acme",pod=~"lms-[0-9a-z]{1,10}-[0-9a-z]{5}"}'
    assert trigger["metadata"] == {
        "serverAddress": PROMETHEUS,
        "query": f"sum(rate(container_network_receive_bytes_total{pods}[2m])) + "
        f"sum(rate(container_network_transmit_bytes_total{pods}[2m]))",
        "threshold": "1",
        "ignoreNullValues": "false",
    }


def test_requests_are_counted_at_every_caddy() -> None:
    """Through a Service of its own, whose endpoints KEDA asks one by one."""
    trigger = spec(REQUESTS)["triggers"][-2]
    assert trigger["type"] == "metrics-api"
    values = trigger["metadata"]
    assert values["url"] == "http://caddy-metrics.acme.svc:9180/metrics"
    assert values["aggregateFromKubeServiceEndpoints"] == "true"
    assert values["aggregationType"] == "sum"
    assert 'host="learn.acme.org"' in values["valueLocation"]
    (service,) = shared([workload(REQUESTS)], sources())
    assert service["metadata"]["name"] == "caddy-metrics"
    assert service["spec"]["ports"] == [{"name": "metrics", "port": 9180}]


def test_a_queue_is_its_lists_under_the_instances_prefix() -> None:
    """One list per step of priority, over TLS, as the instance's user."""
    triggers = spec(QUEUE, REDIS)["triggers"][2:]
    names = [each["metadata"]["listName"] for each in triggers]
    assert names == list(lists(REDIS, "default"))
    for trigger in triggers:
        assert trigger["metadata"]["address"] == "cache.example.com:6379"
        assert trigger["metadata"]["databaseIndex"] == "2"
        assert trigger["metadata"]["enableTLS"] == "true"
        assert trigger["metadata"]["username"] == "acme"
        assert trigger["authenticationRef"] == {"name": "autoscale-broker"}


def test_the_password_is_in_one_secret_only() -> None:
    """In no trigger; and a Redis without one needs no Secret."""
    secret, access = shared([workload(QUEUE), workload(QUEUE, "other")], sources(REDIS))
    assert secret["stringData"] == {"password": "hidden"}
    (reference,) = access["spec"]["secretTargetRef"]
    assert reference["name"] == secret["metadata"]["name"]
    assert "hidden" not in str(spec(QUEUE, REDIS))
    assert shared([workload(QUEUE)], sources()) == []
    assert "authenticationRef" not in spec(QUEUE)["triggers"][-1]


@pytest.mark.parametrize(
    ("profile", "broker", "expected"),
    [
        (TRAFFIC, BROKER, []),
        (REQUESTS, BROKER, [("caddy", 9180)]),
        (QUEUE, BROKER, [("redis", 6379)]),
        (QUEUE, REDIS, []),
    ],
    ids=["traffic", "requests", "own-redis", "other-redis"],
)
def test_an_isolated_instance_lets_keda_in(
    profile: Profile, broker: Broker, expected: list[tuple[str, int]]
) -> None:
    """Only from its namespace, and only to what it asks."""
    isolated = sources(broker, keda_namespace="scaling")._replace(isolated=True)
    policies = [
        each["spec"]
        for each in shared([workload(profile)], isolated)
        if each["kind"] == "NetworkPolicy"
    ]
    found = [
        (each["podSelector"]["matchLabels"]["app.kubernetes.io/name"], port["port"])
        for each in policies
        for port in each["ingress"][0]["ports"]
    ]
    assert found == expected
    for each in policies:
        (origin,) = each["ingress"][0]["from"]
        labels = origin["namespaceSelector"]["matchLabels"]
        assert labels == {"kubernetes.io/metadata.name": "scaling"}


def test_a_source_that_is_down_takes_no_pods_away() -> None:
    """KEDA goes on with the pods that there are, at least `min`."""
    assert spec(QUEUE)["fallback"] == {
        "failureThreshold": 3,
        "replicas": 2,
        "behavior": "currentReplicasIfHigher",
    }
