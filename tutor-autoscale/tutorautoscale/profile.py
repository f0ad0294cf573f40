"""How one workload runs and scales: values, their readers, and what they must not contradict."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tutorplatform import quantity
from tutorplatform.errors import ConfigError

from tutorautoscale.settings import (
    Each,
    choice,
    cpu,
    form,
    listed,
    memory,
    optional,
    text,
    traffic,
    whole_number,
)


class Resource(NamedTuple):
    """A container's cpu or memory. `target`: the average use to scale for, percent of `request`."""

    request: str
    limit: str | None = None
    target: int | None = None


class Network(NamedTuple):
    """`target`: average traffic per pod to scale for, bytes per second in and out (`5M`)."""

    target: str | None = None


class Requests(NamedTuple):
    """`target`: average requests in flight per pod, of those that Caddy passes on for `hosts`."""

    target: int | None = None
    hosts: tuple[str, ...] = ()


class Queue(NamedTuple):
    """`target`: average tasks per pod that wait in the Celery queues with these `names`."""

    target: int | None = None
    names: tuple[str, ...] = ()


class Probe(NamedTuple):
    """A Kubernetes probe: of a `path` at a `port`, of the port alone, or a `command`; else none.

    `host`: the header of that name; Django refuses hosts that it does not know.
    """

    port: int | None = None
    path: str | None = None
    host: str | None = None
    command: tuple[str, ...] = ()
    period_s: int = 10
    timeout_s: int = 5
    failures: int = 3

    @property
    def asks(self) -> bool:
        """Whether there is anything to ask."""
        return bool(self.port or self.command)


class Probes(NamedTuple):
    """The probes of a container. How often the first may fail follows from `start_s`."""

    startup: Probe = Probe()
    readiness: Probe = Probe()
    liveness: Probe = Probe()


class Celery(NamedTuple):
    """A Celery worker. `concurrency`: how many child processes work on tasks."""

    concurrency: int | None = None


class Sidecar(NamedTuple):
    """Another container of the pod."""

    cpu: Resource
    memory: Resource


class Profile(NamedTuple):
    """How a Deployment, and the container in it that serves, runs and scales.

    `start_s`: how long a container may take to start before it is started anew.
    `drain_s`: how long a pod that is to end still serves while its address is taken out of use.
    `drain`: `requests`, if it serves on until those that it has are done: needs `sh` and `grep`;
    `own`, if the container brings what there is to do.
    `grace_s`: when it is killed, counted from the moment it is to end; includes `drain_s`.
    `lost_node_s`: how long a pod stays on a lost node after Kubernetes has noticed the loss.
    `zones`: `required`, or `preferred` where an uneven spread is better than a waiting pod.
    `disruption`: how many pods a drain may take at a time: a number, or percent as in `25%`.
    `priority`: `serving`, `background`, or the name of a PriorityClass.
    `containers`: the others of the pod, by name.
    """

    min: int
    max: int
    cpu: Resource
    memory: Resource
    network: Network = Network()
    requests: Requests = Requests()
    queue: Queue = Queue()
    probes: Probes = Probes()
    celery: Celery = Celery()
    start_s: int = 600
    drain_s: int = 15
    drain: str = "time"
    grace_s: int = 60
    lost_node_s: int = 10
    zones: str = "required"
    disruption: int | str = 1
    priority: str | None = "serving"
    containers: Mapping[str, Sidecar] = {}

    @property
    def needs_keda(self) -> bool:
        """Whether there is a signal that a HorizontalPodAutoscaler has no source for."""
        return any(each.target is not None for each in (self.network, self.requests, self.queue))


def disruption(value: Any, where: str) -> int | str:
    """A number of pods or a share of them, neither of which may be none."""
    share = re.fullmatch(r"([0-9]+)%", value) if isinstance(value, str) else None
    if type(value) is not int and not share:
        raise ConfigError(where, f"{value!r} is neither a number nor percent", "write 1 or '25%'")
    if not 1 <= int(share[1] if share else value) <= 100:
        raise ConfigError(
            where,
            f"{value} is out of range: with none, no node could be drained",
            "write 1 or '25%'",
        )
    return value  # type: ignore[no-any-return]


_replicas = whole_number(1, 1000)
_percentage = optional(whole_number(1, 100))
_seconds = whole_number(0, 3600)
_host = form(r"[A-Za-z0-9.:-]+", "a host", "learn.acme.org")
# What a formula of KEDA or a list in Redis would read differently.
_queue = form(r"[\w.:@/-]+", "the name of a queue", "edx.lms.core.default")
_class = form(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", "the name of a PriorityClass", "serving")
_CPU = {"request": cpu, "limit": optional(cpu), "target": _percentage}
_MEMORY = {"request": memory, "limit": optional(memory), "target": _percentage}
_PROBE = {
    "port": optional(whole_number(1, 65535)),
    "path": optional(form(r"/\S*", "a path", "/heartbeat")),
    "host": optional(_host),
    "command": listed(text),
    "period_s": whole_number(1, 300),
    "timeout_s": whole_number(1, 300),
    "failures": whole_number(1, 100),
}
# How often it may fail follows from `start_s`.
_STARTUP = {key: read for key, read in _PROBE.items() if key != "failures"}
_COUNT = optional(whole_number(1, 100_000))

# Setting → what reads it, in the order of `tutor autoscale show` and of the reference.
READERS: Mapping[str, Any] = {
    "min": _replicas,
    "max": _replicas,
    "cpu": _CPU,
    "memory": _MEMORY,
    "network": {"target": optional(traffic)},
    "requests": {"target": _COUNT, "hosts": listed(_host)},
    "queue": {"target": _COUNT, "names": listed(_queue)},
    "probes": {**dict.fromkeys(Probes._fields, _PROBE), "startup": _STARTUP},
    "celery": {"concurrency": optional(whole_number(1, 64))},
    "start_s": whole_number(5, 3600),
    "drain_s": _seconds,
    "drain": choice("time", "requests", "own"),
    "grace_s": whole_number(1, 3600),
    "lost_node_s": _seconds,
    "zones": choice("required", "preferred"),
    "disruption": disruption,
    "priority": optional(_class),
    "containers": Each(
        {
            kind: {key: read for key, read in readers.items() if key != "target"}
            for kind, readers in (("cpu", _CPU), ("memory", _MEMORY))
        }
    ),
}


def consistent(profile: Profile, where: str) -> None:
    """Raise ConfigError if two values of the profile contradict each other."""
    if profile.min > profile.max:
        raise ConfigError(
            f"{where}.min",
            f"{profile.min} is more than max, {profile.max}",
            "raise max or lower min",
        )
    if profile.cpu.target is None and profile.memory.target is None and not profile.needs_keda:
        raise ConfigError(
            f"{where}.cpu.target",
            "there is nothing to scale for, not even cpu or memory",
            "set a target of one; for a fixed number of pods set min and max to it",
        )
    if profile.drain != "own" and profile.drain_s >= profile.grace_s:
        raise ConfigError(
            f"{where}.drain_s",
            f"{profile.drain_s} leaves no time to end within grace_s, {profile.grace_s}",
            "raise grace_s or lower drain_s",
        )
    _limits_hold_requests(profile, where)
    for name, sidecar in profile.containers.items():
        _limits_hold_requests(sidecar, f"{where}.containers.{name}")
    _says_of_what(profile, where)
    for name in Probes._fields:
        _asks_one_thing(getattr(profile.probes, name), f"{where}.probes.{name}")


def _asks_one_thing(probe: Probe, where: str) -> None:
    if probe.command and (probe.port or probe.path):
        raise ConfigError(
            where,
            f"asks the command {' '.join(probe.command)}, and a port or a path as well",
            "write `command: []`, or null for port, path and host",
        )
    if probe.path and not probe.port:
        raise ConfigError(f"{where}.path", "it is not said at which port", "write `port` beside it")
    if probe.host and not probe.path:
        raise ConfigError(
            f"{where}.host", "it is for a path, of which there is none", "add a path, or write null"
        )


def _says_of_what(profile: Profile, where: str) -> None:
    for name, sources, example in (
        ("requests", profile.requests.hosts, "hosts: [learn.acme.org]"),
        ("queue", profile.queue.names, "names: [edx.lms.core.default]"),
    ):
        if getattr(profile, name).target is not None and not sources:
            raise ConfigError(
                f"{where}.{name}.target", "it is not said of what", f"write {example} beside it"
            )


def _limits_hold_requests(part: Profile | Sidecar, where: str) -> None:
    _limit_holds_request(part.cpu, quantity.cpu_millicores, f"{where}.cpu")
    _limit_holds_request(part.memory, quantity.memory_bytes, f"{where}.memory")


def _limit_holds_request(
    resource: Resource, size: Callable[[object, str], int], where: str
) -> None:
    if resource.limit is None:
        return
    limit, request = (size(each, where) for each in (resource.limit, resource.request))
    if limit < request:
        raise ConfigError(
            f"{where}.limit",
            f"{resource.limit!r} is less than the request, {resource.request!r}",
            f"raise it or lower {where}.request",
        )
