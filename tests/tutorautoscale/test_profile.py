"""AUTOSCALE_SERVICES: what it changes, and what is refused with the full path."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tutorautoscale.profile import Celery, Cpu, Memory, Profile, effective
from tutorplatform.errors import ConfigError

WEB = Profile(
    cpu=Cpu("500m", None, 70),
    memory=Memory("2Gi", "3Gi", 80),
    min=2,
    max=4,
    start_s=60,
    drain_s=15,
    grace_s=60,
    probes={"livenessProbe": {"tcpSocket": {"port": 80}}},
)
WORKER = replace(WEB, celery=Celery(concurrency=2))
PROFILES = {"lms": WEB, "lms-worker": WORKER}
ABSENT = {"mfe": "plugin mfe is not enabled"}


def changed(differences: Any) -> dict[str, Profile]:
    """The effective profiles of an instance with the two workloads above."""
    return effective(PROFILES, ABSENT, differences)


@pytest.mark.parametrize("differences", [{}, {"lms": {}}, {"lms": {"cpu": {}}}], ids=str)
def test_nothing_changed_leaves_the_defaults(differences: Any) -> None:
    """An empty mapping, at any depth, changes nothing."""
    assert changed(differences) == PROFILES


def test_differences_are_merged_deeply() -> None:
    """One value deep inside one workload leaves all others, and the defaults themselves, alone."""
    result = changed({"lms": {"max": 8, "memory": {"limit": "4Gi"}}})
    expected = replace(WEB, max=8, memory=Memory("2Gi", "4Gi", 80))
    assert result == {"lms": expected, "lms-worker": WORKER}
    assert PROFILES["lms"] is WEB


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ({"memory": {"limit": None}}, replace(WEB, memory=Memory("2Gi", None, 80))),
        ({"memory": {"target": None}}, replace(WEB, memory=Memory("2Gi", "3Gi", None))),
        ({"cpu": {"request": 2, "limit": 2}}, replace(WEB, cpu=Cpu("2", "2", 70))),
        ({"cpu": {"limit": "500m"}}, replace(WEB, cpu=Cpu("500m", "500m", 70))),
        ({"drain_s": 0}, replace(WEB, drain_s=0)),
        ({"lost_node_s": 0}, replace(WEB, lost_node_s=0)),
        ({"min": 1, "max": 1}, replace(WEB, min=1, max=1)),
        ({"cpu": {"target": 100}}, replace(WEB, cpu=Cpu("500m", None, 100))),
        ({"zones": "preferred"}, replace(WEB, zones="preferred")),
    ],
    ids=str,
)
def test_a_setting_takes_its_whole_range(differences: Any, expected: Profile) -> None:
    """`null` switches a limit or target off, a number is CPUs, and the ends of ranges count."""
    assert changed({"lms": differences})["lms"] == expected


def test_a_worker_has_processes() -> None:
    """Only a Celery worker has a concurrency to set."""
    result = changed({"lms-worker": {"celery": {"concurrency": 4}}})
    assert result["lms-worker"] == replace(WORKER, celery=Celery(concurrency=4))


SETTINGS = "cpu, drain_s, grace_s, lost_node_s, max, memory, min, start_s, zones"


@pytest.mark.parametrize(
    ("differences", "message"),
    [
        (None, ": None is not a mapping; write any of lms, lms-worker, mfe in it"),
        ([], ": [] is not a mapping; write any of lms, lms-worker, mfe in it"),
        (
            {"lsm": {"max": 6}},
            ".lsm: there is no such setting; use one of lms, lms-worker, mfe",
        ),
        (
            {"mfe": {"max": 6}},
            ".mfe: cannot be used, for plugin mfe is not enabled; "
            "change that, or remove this setting",
        ),
        ({"lms": 6}, f".lms: 6 is not a mapping; write any of {SETTINGS} in it"),
        (
            {"lms": {"replicas": 3}},
            f".lms.replicas: there is no such setting; use one of {SETTINGS}",
        ),
        (
            {"lms": {"celery": {"concurrency": 3}}},
            f".lms.celery: there is no such setting; use one of {SETTINGS}",
        ),
        ({"lms": {"probes": {}}}, f".lms.probes: there is no such setting; use one of {SETTINGS}"),
        (
            {"lms": {"memory": "2Gi"}},
            ".lms.memory: '2Gi' is not a mapping; write any of limit, request, target in it",
        ),
        (
            {"lms": {"memory": {"limit": "2GB"}}},
            ".lms.memory.limit: '2GB' is not a Kubernetes quantity; write '2Gi'",
        ),
        (
            {"lms": {"cpu": {"request": "half"}}},
            ".lms.cpu.request: 'half' is not a Kubernetes quantity of CPU; "
            "write '500m' for half a CPU",
        ),
        (
            {"lms": {"cpu": {"request": None}}},
            ".lms.cpu.request: None is not a Kubernetes quantity of CPU; "
            "write '500m' for half a CPU",
        ),
        (
            {"lms": {"memory": {"limit": "1Gi"}}},
            ".lms.memory.limit: '1Gi' is less than the request, '2Gi'; "
            "raise it or lower AUTOSCALE_SERVICES.lms.memory.request",
        ),
        (
            {"lms": {"cpu": {"limit": "0.1"}}},
            ".lms.cpu.limit: '0.1' is less than the request, '500m'; "
            "raise it or lower AUTOSCALE_SERVICES.lms.cpu.request",
        ),
        (
            {"lms": {"cpu": {"target": 101}}},
            ".lms.cpu.target: 101 is out of range; write 1 to 100",
        ),
        ({"lms": {"cpu": {"target": 0}}}, ".lms.cpu.target: 0 is out of range; write 1 to 100"),
        (
            {"lms": {"cpu": {"target": "70%"}}},
            ".lms.cpu.target: '70%' is not a whole number; write 1 to 100",
        ),
        (
            {"lms": {"cpu": {"target": None}, "memory": {"target": None}}},
            ".lms.cpu.target: there is nothing to scale for, neither cpu nor memory; "
            "set one of both targets; for a fixed number of pods set min and max to it",
        ),
        ({"lms": {"min": 0}}, ".lms.min: 0 is out of range; write 1 to 1000"),
        ({"lms": {"min": True}}, ".lms.min: True is not a whole number; write 1 to 1000"),
        ({"lms": {"max": "6"}}, ".lms.max: '6' is not a whole number; write 1 to 1000"),
        ({"lms": {"min": 6}}, ".lms.min: 6 is more than max, 4; raise max or lower min"),
        ({"lms": {"max": 1}}, ".lms.min: 2 is more than max, 1; raise max or lower min"),
        (
            {"lms": {"drain_s": 60}},
            ".lms.drain_s: 60 leaves no time to end within grace_s, 60; "
            "raise grace_s or lower drain_s",
        ),
        ({"lms": {"zones": "any"}}, ".lms.zones: 'any' is unknown; write required or preferred"),
        ({"lms": {"zones": []}}, ".lms.zones: [] is unknown; write required or preferred"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_refused(differences: Any, message: str) -> None:
    """The message has the full path of the setting, what is wrong with it and what to do."""
    with pytest.raises(ConfigError) as caught:
        changed(differences)
    assert str(caught.value) == f"AUTOSCALE_SERVICES{message}"


def test_no_workloads_need_no_settings() -> None:
    """An instance where nothing scales has no profiles."""
    assert effective({}, {}, {}) == {}
