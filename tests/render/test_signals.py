"""Signals of KEDA in a rendered Tutor root: where tasks wait, and who may ask."""

from __future__ import annotations

from typing import Any

import pytest
from tutorautoscale.scalers import OWNER
from tutorplatform import manifests
from tutorsecrets.tokens import token

from demo.tutor import TutorRoot
from tests.conftest import NewRoot

pytestmark = pytest.mark.render

SERVICES = {
    "lms": {"requests": {"target": 20}, "network": {"target": "5M"}},
    "lms-worker": {"queue": {"target": 10}},
}
SETTINGS: dict[str, Any] = {
    "AUTOSCALE_SERVICES": SERVICES,
    "AUTOSCALE_CLUSTER": {"prometheus_url": "http://prometheus.platform:9090"},
}
PASSWORD = "hidden-password"
ELASTICACHE = {
    "RUN_REDIS": False,
    "AWS_REDIS": {"host": "cache.example.com", "username": "acme", "celery_database": 3},
    "REDIS_PASSWORD": PASSWORD,
}


def rendered(root: TutorRoot) -> list[dict[str, Any]]:
    """What the plugin adds to Tutor's Services, before kustomize looks at it."""
    root.run("config", "save")
    found = manifests.load((root.path / "env" / "k8s" / "services.yml").read_text())
    return [each for each in found if OWNER.items() <= manifests.labels(each).items()]


def queue_triggers(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        trigger
        for each in objects
        if each["kind"] == "ScaledObject"
        for trigger in each["spec"]["triggers"]
        if trigger["type"] == "redis"
    ]


def names(objects: list[dict[str, Any]], kind: str) -> set[str]:
    return {manifests.name(each) for each in manifests.of_kind(objects, kind)}


def test_with_tutors_own_redis(new_root: NewRoot) -> None:
    """KEDA calls it by its namespace, needs no password, and no policy stands in its way."""
    objects = rendered(new_root("autoscale", **SETTINGS))
    assert names(objects, "ScaledObject") == {"lms", "lms-worker"}
    assert not names(objects, "HorizontalPodAutoscaler") & {"lms", "lms-worker"}
    addresses = {each["metadata"]["address"] for each in queue_triggers(objects)}
    assert addresses == {"redis.acme:6379"}
    assert names(objects, "NetworkPolicy") == names(objects, "Secret") == set()


def test_with_redis_outside_the_cluster(new_root: NewRoot) -> None:
    """As the platform's workers: over TLS, by user, index and prefix; KEDA may ask Caddy only."""
    objects = rendered(new_root("autoscale", "aws", **SETTINGS, **ELASTICACHE))
    for trigger in queue_triggers(objects):
        values = trigger["metadata"]
        assert values["address"] == "cache.example.com:6379"
        assert (values["username"], values["databaseIndex"]) == ("acme", "3")
        assert values["enableTLS"] == "true"
        assert values["listName"].startswith("acme:celery:edx.lms.core.")
    (secret,) = manifests.of_kind(objects, "Secret")
    assert secret["stringData"] == {"password": PASSWORD}
    assert str(objects).count(PASSWORD) == 1
    assert names(objects, "NetworkPolicy") == {"caddy-from-keda"}


def test_the_password_stays_out_of_files_with_the_secrets_plugin(new_root: NewRoot) -> None:
    """A token stands for it, which the secrets plugin resolves on the way to the cluster."""
    kept = {key: value for key, value in ELASTICACHE.items() if key != "REDIS_PASSWORD"}
    objects = rendered(new_root("autoscale", "aws", "secrets", **SETTINGS, **kept))
    (secret,) = manifests.of_kind(objects, "Secret")
    assert secret["stringData"] == {"password": token("REDIS_PASSWORD")}


def test_without_such_targets_there_is_nothing_of_kedas(new_root: NewRoot) -> None:
    """No kind of it, no Service, no policy."""
    objects = rendered(new_root("autoscale", "aws"))
    kinds = {each["kind"] for each in objects}
    assert kinds == {"HorizontalPodAutoscaler", "PodDisruptionBudget"}
