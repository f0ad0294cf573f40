"""How one workload runs and scales, and how AUTOSCALE_SERVICES changes that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tutorplatform import quantity
from tutorplatform.errors import ConfigError
from tutorplatform.manifests import Manifest

from tutorautoscale.settings import (
    by,
    checked_keys,
    choice,
    cpu,
    memory,
    optional,
    overlaid,
    whole_number,
)

SETTING = "AUTOSCALE_SERVICES"

replicas = whole_number(1, 1000)
percentage = whole_number(1, 100)
seconds = whole_number(0, 3600)


@dataclass(frozen=True)
class Cpu:
    """A container's CPU. `target`: the average use, in percent of the request, to scale for."""

    request: str = field(metadata=by(cpu))
    limit: str | None = field(metadata=by(optional(cpu)))
    target: int | None = field(metadata=by(optional(percentage)))


@dataclass(frozen=True)
class Memory:
    """A container's memory. `target`: the average use, in percent of the request, to scale for."""

    request: str = field(metadata=by(memory))
    limit: str | None = field(metadata=by(optional(memory)))
    target: int | None = field(metadata=by(optional(percentage)))


@dataclass(frozen=True)
class Celery:
    """A Celery worker. `concurrency`: how many child processes work on tasks."""

    concurrency: int = field(metadata=by(whole_number(1, 64)))


@dataclass(frozen=True)
class Profile:
    """How a Deployment, and the container of the same name in it, runs and scales.

    `start_s`: how long a container may take to start before it is started anew.
    `drain_s`: how long a pod that is to end still serves while its address is taken out of use.
    `grace_s`: when it is killed, counted from the moment it is to end; includes `drain_s`.
    `lost_node_s`: how long a pod stays on a lost node after Kubernetes has noticed the loss.
    `zones`: `required`, or `preferred` where an uneven spread is better than a waiting pod.
    `probes`: Kubernetes probes without their timing, by their name in a container
    (`startupProbe`, `readinessProbe`, `livenessProbe`).
    """

    cpu: Cpu
    memory: Memory
    min: int = field(metadata=by(replicas))
    max: int = field(metadata=by(replicas))
    start_s: int = field(metadata=by(whole_number(5, 3600)))
    drain_s: int = field(metadata=by(seconds))
    grace_s: int = field(metadata=by(whole_number(1, 3600)))
    probes: Mapping[str, Manifest]
    celery: Celery | None = None
    lost_node_s: int = field(default=10, metadata=by(seconds))
    zones: str = field(default="required", metadata=by(choice("required", "preferred")))


def effective(
    profiles: Mapping[str, Profile], absent: Mapping[str, str], differences: Any
) -> dict[str, Profile]:
    """The profiles with the `differences` of AUTOSCALE_SERVICES applied, by workload.

    `absent` says why a workload that is known is not in `profiles`. Raises ConfigError with
    the full path of whatever is unknown, unusable or contradictory.
    """
    checked_keys(differences, {*profiles, *absent}, SETTING)
    for name, reason in absent.items():
        if name in differences:
            raise ConfigError(
                f"{SETTING}.{name}",
                f"cannot be used, for {reason}",
                "change that, or remove this setting",
            )
    return {
        name: _consistent(
            overlaid(profile, differences.get(name, {}), f"{SETTING}.{name}"), f"{SETTING}.{name}"
        )
        for name, profile in profiles.items()
    }


def _consistent(profile: Profile, where: str) -> Profile:
    if profile.min > profile.max:
        raise ConfigError(
            f"{where}.min",
            f"{profile.min} is more than max, {profile.max}",
            "raise max or lower min",
        )
    if profile.cpu.target is None and profile.memory.target is None:
        raise ConfigError(
            f"{where}.cpu.target",
            "there is nothing to scale for, neither cpu nor memory",
            "set one of both targets; for a fixed number of pods set min and max to it",
        )
    if profile.drain_s >= profile.grace_s:
        raise ConfigError(
            f"{where}.drain_s",
            f"{profile.drain_s} leaves no time to end within grace_s, {profile.grace_s}",
            "raise grace_s or lower drain_s",
        )
    _limit_holds_request(profile.cpu, quantity.cpu_millicores, f"{where}.cpu")
    _limit_holds_request(profile.memory, quantity.memory_bytes, f"{where}.memory")
    return profile


def _limit_holds_request(
    resource: Cpu | Memory, size: Callable[[object, str], int], where: str
) -> None:
    if resource.limit is None:
        return
    limit, request = (size(text, where) for text in (resource.limit, resource.request))
    if limit < request:
        raise ConfigError(
            f"{where}.limit",
            f"{resource.limit!r} is less than the request, {resource.request!r}",
            f"raise it or lower {where}.request",
        )
