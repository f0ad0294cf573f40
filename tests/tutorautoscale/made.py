"""Deployments and profiles that the tests of this package share."""

from __future__ import annotations

from typing import Any

from tutorautoscale.configuration import Cluster
from tutorautoscale.discovery import Container, Deployment
from tutorautoscale.effective import Workload
from tutorautoscale.keda import Sources
from tutorautoscale.profile import Probe, Probes, Profile, Resource
from tutorplatform.broker import Broker

WEB = Profile(
    min=2,
    max=4,
    cpu=Resource("500m", None, 70),
    memory=Resource("2Gi", "3Gi", 80),
    probes=Probes(startup=Probe(port=8000, path="/heartbeat"), liveness=Probe(port=8000)),
)
CELERY = ("celery", "--app=lms.celery", "worker", "--loglevel=info")


def container(name: str = "web", **values: Any) -> Container:
    """A container that brings nothing but what is given."""
    nothing: dict[str, Any] = {
        "ports": (),
        "command": (),
        "args": (),
        "requests": {},
        "limits": {},
        "probes": {},
        "hook": False,
        "environment": frozenset(),
    }
    return Container(name, **{**nothing, **values})


def deployment(
    name: str = "web", *containers: Container, stateful: str = "", **values: Any
) -> Deployment:
    """A Deployment with these containers, else with one of its own name."""
    labels = {"app.kubernetes.io/name": name}
    made = containers or (container(name, **values),)
    return Deployment(name, {"matchLabels": labels}, labels, name, made, stateful)


def workload(profile: Profile = WEB, name: str = "web", **values: Any) -> Workload:
    """A workload in which nobody has changed anything."""
    return Workload(deployment(name, **values), profile, {})


BROKER = Broker("redis.acme", 6379, 0)


def sources(broker: Broker = BROKER, **cluster: Any) -> Sources:
    """Those of the instance `acme`, on a cluster that has what is given."""
    return Sources("acme", Cluster(**cluster), broker)
