"""How a workload may run: the range of each setting, and what is refused with the full path."""

from __future__ import annotations

from typing import Any

import pytest
from tutorautoscale.profile import (
    READERS,
    Network,
    Probe,
    Probes,
    Profile,
    Queue,
    Requests,
    Resource,
    Sidecar,
    consistent,
)
from tutorautoscale.settings import overlaid
from tutorplatform.errors import ConfigError

from tests.tutorautoscale.made import WEB

BESIDE = WEB._replace(containers={"agent": Sidecar(Resource("50m"), Resource("64Mi"))})


def changed(differences: Any, profile: Profile = WEB) -> Profile:
    """The profile with differences, as AUTOSCALE_SERVICES makes it."""
    made = overlaid(profile, differences, "X", READERS)
    consistent(made, "X")
    return made


def probing(**probes: Probe) -> Profile:
    """WEB with these probes instead of its own."""
    return WEB._replace(probes=WEB.probes._replace(**probes))


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ({}, WEB),
        ({"cpu": {}}, WEB),
        ({"max": 8, "cpu": {"target": 50}}, WEB._replace(max=8, cpu=Resource("500m", None, 50))),
        ({"memory": {"limit": None}}, WEB._replace(memory=Resource("2Gi", None, 80))),
        ({"memory": {"target": None}}, WEB._replace(memory=Resource("2Gi", "3Gi", None))),
        ({"cpu": {"request": 2, "limit": 2}}, WEB._replace(cpu=Resource("2", "2", 70))),
        ({"cpu": {"limit": "500m"}}, WEB._replace(cpu=Resource("500m", "500m", 70))),
        ({"cpu": {"target": 100}}, WEB._replace(cpu=Resource("500m", None, 100))),
        ({"min": 1, "max": 1}, WEB._replace(min=1, max=1)),
        ({"max": 1000}, WEB._replace(max=1000)),
        ({"network": {"target": "5M"}}, WEB._replace(network=Network("5M"))),
        (
            {"requests": {"target": 20, "hosts": ["acme.org"]}},
            WEB._replace(requests=Requests(20, ("acme.org",))),
        ),
        ({"queue": {"target": 1, "names": ["q"]}}, WEB._replace(queue=Queue(1, ("q",)))),
        (
            {"probes": {"readiness": {"port": 80, "path": "/up", "host": "web"}}},
            probing(readiness=Probe(80, "/up", "web")),
        ),
        (
            {"probes": {"startup": {"command": ["true"], "port": None, "path": None}}},
            probing(startup=Probe(command=("true",))),
        ),
        ({"probes": {"liveness": None}}, probing(liveness=Probe())),
        ({"probes": None}, WEB._replace(probes=Probes())),
        ({"drain_s": 0}, WEB._replace(drain_s=0)),
        ({"drain": "own", "grace_s": 5}, WEB._replace(drain="own", grace_s=5)),
        ({"drain": "requests"}, WEB._replace(drain="requests")),
        ({"grace_s": 3600, "start_s": 3600}, WEB._replace(grace_s=3600, start_s=3600)),
        ({"lost_node_s": 0}, WEB._replace(lost_node_s=0)),
        ({"zones": "preferred"}, WEB._replace(zones="preferred")),
        ({"disruption": 2}, WEB._replace(disruption=2)),
        ({"disruption": "100%"}, WEB._replace(disruption="100%")),
        ({"priority": "background"}, WEB._replace(priority="background")),
        ({"priority": "system-cluster-critical"}, WEB._replace(priority="system-cluster-critical")),
        ({"priority": None}, WEB._replace(priority=None)),
    ],
    ids=str,
)
def test_a_setting_takes_its_whole_range(differences: Any, expected: Profile) -> None:
    """`null` switches something off, a number is CPUs, and the ends of ranges count."""
    assert changed(differences) == expected


def test_other_containers_of_the_pod_have_resources() -> None:
    """Each by its name, and nothing but resources."""
    made = changed({"containers": {"agent": {"cpu": {"request": "75m"}}}}, BESIDE)
    assert made.containers == {"agent": Sidecar(Resource("75m"), Resource("64Mi"))}


TOP = (
    "celery, containers, cpu, disruption, drain, drain_s, grace_s, lost_node_s, max, memory, min, "
    "network, priority, probes, queue, requests, start_s, zones"
)
RESOURCE = "limit, request, target"
PROBE = "command, failures, host, path, period_s, port, timeout_s"
NO_CPU = "is not a Kubernetes quantity of CPU; write '500m' for half a CPU"
ONE_TO_A_HUNDRED = "out of range; write 1 to 100"

BAD: list[tuple[Any, str]] = [
    (None, f": None is not a mapping; write any of {TOP} in it"),
    (6, f": 6 is not a mapping; write any of {TOP} in it"),
    ({"replicas": 3}, f".replicas: there is no such setting; use one of {TOP}"),
    ({"memory": "2Gi"}, f".memory: '2Gi' is not a mapping; write any of {RESOURCE} in it"),
    ({"cpu": {"requests": 1}}, f".cpu.requests: there is no such setting; use one of {RESOURCE}"),
    ({"network": {"targets": 1}}, ".network.targets: there is no such setting; use one of target"),
    (
        {"probes": {"ready": {}}},
        ".probes.ready: there is no such setting; use one of liveness, readiness, startup",
    ),
    (
        {"probes": {"readiness": {"every": 1}}},
        f".probes.readiness.every: there is no such setting; use one of {PROBE}",
    ),
    (
        {"probes": {"startup": {"failures": 1}}},
        ".probes.startup.failures: there is no such setting; "
        "use one of command, host, path, period_s, port, timeout_s",
    ),
    (
        {"containers": {"agent": {"cpu": {"target": 1}}}},
        ".containers.agent.cpu.target: there is no such setting; use one of limit, request",
    ),
    (
        {"containers": {"other": {}}},
        ".containers.other: there is no such setting; use one of agent",
    ),
    (
        {"memory": {"limit": "2GB"}},
        ".memory.limit: '2GB' is not a Kubernetes quantity; write '2Gi'",
    ),
    ({"cpu": {"request": "half"}}, f".cpu.request: 'half' {NO_CPU}"),
    ({"cpu": {"request": None}}, f".cpu.request: None {NO_CPU}"),
    (
        {"network": {"target": "5MB"}},
        ".network.target: '5MB' is not a Kubernetes quantity of bytes per second; write '5M'",
    ),
    (
        {"memory": {"limit": "1Gi"}},
        ".memory.limit: '1Gi' is less than the request, '2Gi'; raise it or lower X.memory.request",
    ),
    (
        {"cpu": {"limit": "0.1"}},
        ".cpu.limit: '0.1' is less than the request, '500m'; raise it or lower X.cpu.request",
    ),
    (
        {"containers": {"agent": {"memory": {"limit": "32Mi"}}}},
        ".containers.agent.memory.limit: '32Mi' is less than the request, '64Mi'; "
        "raise it or lower X.containers.agent.memory.request",
    ),
    ({"cpu": {"target": 101}}, f".cpu.target: 101 is {ONE_TO_A_HUNDRED}"),
    ({"memory": {"target": 0}}, f".memory.target: 0 is {ONE_TO_A_HUNDRED}"),
    (
        {"cpu": {"target": "70%"}},
        ".cpu.target: '70%' is not a whole number; write 1 to 100",
    ),
    (
        {"cpu": {"target": None}, "memory": {"target": None}},
        ".cpu.target: there is nothing to scale for, not even cpu or memory; "
        "set a target of one; for a fixed number of pods set min and max to it",
    ),
    ({"min": 0}, ".min: 0 is out of range; write 1 to 1000"),
    ({"max": 0}, ".max: 0 is out of range; write 1 to 1000"),
    ({"max": 1001}, ".max: 1001 is out of range; write 1 to 1000"),
    ({"min": True}, ".min: True is not a whole number; write 1 to 1000"),
    ({"max": "6"}, ".max: '6' is not a whole number; write 1 to 1000"),
    ({"min": 6}, ".min: 6 is more than max, 4; raise max or lower min"),
    ({"max": 1}, ".min: 2 is more than max, 1; raise max or lower min"),
    (
        {"drain_s": 60},
        ".drain_s: 60 leaves no time to end within grace_s, 60; raise grace_s or lower drain_s",
    ),
    (
        {"grace_s": 15},
        ".drain_s: 15 leaves no time to end within grace_s, 15; raise grace_s or lower drain_s",
    ),
    ({"grace_s": "60s"}, ".grace_s: '60s' is not a whole number; write 1 to 3600"),
    ({"start_s": 4}, ".start_s: 4 is out of range; write 5 to 3600"),
    ({"lost_node_s": -1}, ".lost_node_s: -1 is out of range; write 0 to 3600"),
    ({"zones": "any"}, ".zones: 'any' is unknown; write required or preferred"),
    ({"drain": []}, ".drain: [] is unknown; write time or requests or own"),
    (
        {"disruption": 0},
        ".disruption: 0 is out of range: with none, no node could be drained; write 1 or '25%'",
    ),
    (
        {"disruption": "0%"},
        ".disruption: 0% is out of range: with none, no node could be drained; write 1 or '25%'",
    ),
    ({"disruption": "25"}, ".disruption: '25' is neither a number nor percent; write 1 or '25%'"),
    ({"disruption": True}, ".disruption: True is neither a number nor percent; write 1 or '25%'"),
    ({"disruption": None}, ".disruption: None is neither a number nor percent; write 1 or '25%'"),
    (
        {"priority": ""},
        ".priority: '' is not the name of a PriorityClass; write one like 'serving'",
    ),
    (
        {"priority": "My Class"},
        ".priority: 'My Class' is not the name of a PriorityClass; write one like 'serving'",
    ),
    (
        {"probes": {"startup": {"path": "heartbeat"}}},
        ".probes.startup.path: 'heartbeat' is not a path; write one like '/heartbeat'",
    ),
    (
        {"requests": {"hosts": ['a"b']}},
        ".requests.hosts[0]: 'a\"b' is not a host; write one like 'learn.acme.org'",
    ),
    (
        {"queue": {"names": ["a b"]}},
        ".queue.names[0]: 'a b' is not the name of a queue; write one like 'edx.lms.core.default'",
    ),
    (
        {"requests": {"target": 20}},
        ".requests.target: it is not said of what; write hosts: [learn.acme.org] beside it",
    ),
    (
        {"queue": {"target": 5}},
        ".queue.target: it is not said of what; write names: [edx.lms.core.default] beside it",
    ),
    ({"queue": {"target": 0}}, ".queue.target: 0 is out of range; write 1 to 100000"),
    ({"queue": {"names": "q"}}, ".queue.names: 'q' is not a list; write [q]"),
    (
        {"probes": {"startup": {"port": 65536}}},
        ".probes.startup.port: 65536 is out of range; write 1 to 65535",
    ),
    (
        {"probes": {"liveness": {"command": ["up", "-v"]}}},
        ".probes.liveness: asks the command up -v, and a port or a path as well; "
        "write `command: []`, or null for port, path and host",
    ),
    (
        {"probes": {"readiness": {"path": "/up"}}},
        ".probes.readiness.path: it is not said at which port; write `port` beside it",
    ),
    (
        {"probes": {"liveness": {"host": "lms"}}},
        ".probes.liveness.host: it is for a path, of which there is none; "
        "add a path, or write null",
    ),
    ({"cpu": {"request": 2001}}, ".cpu.request: 2001 is more than any node has; write '500m'"),
    (
        {"memory": {"limit": "41Ti"}},
        ".memory.limit: '41Ti' is more than any node has; write '2Gi'",
    ),
    (
        {"probes": {"startup": {"period_s": 0}}},
        ".probes.startup.period_s: 0 is out of range; write 1 to 300",
    ),
    (
        {"celery": {"concurrency": 0}},
        ".celery.concurrency: 0 is out of range; write 1 to 64",
    ),
]


@pytest.mark.parametrize(("differences", "message"), BAD, ids=[each[1] for each in BAD])
def test_what_cannot_be_used_is_refused(differences: Any, message: str) -> None:
    """The message has the full path of the setting, what is wrong with it and what to do."""
    with pytest.raises(ConfigError) as caught:
        changed(differences, BESIDE)
    assert str(caught.value) == f"X{message}"


@pytest.mark.parametrize(
    ("disruption", "message"),
    [
        (101, "101 is out of range: with none, no node could be drained; write 1 or '25%'"),
        ("101%", "101% is out of range: with none, no node could be drained; write 1 or '25%'"),
    ],
)
def test_more_than_all_is_no_disruption(disruption: int | str, message: str) -> None:
    """A percentage ends at 100, and a number there too."""
    with pytest.raises(ConfigError, match=message):
        changed({"disruption": disruption})
