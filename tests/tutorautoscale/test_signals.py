"""What a workload scales for, and whether its probes ask anything."""

from __future__ import annotations

import pytest
from tutorautoscale.profile import (
    READERS,
    Network,
    Probe,
    Profile,
    Queue,
    Requests,
)
from tutorautoscale.settings import flat

from tests.tutorautoscale.made import WEB
from tests.tutorautoscale.test_profile import BESIDE, changed


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (WEB, False),
        (WEB._replace(requests=Requests(hosts=("acme.org",))), False),
        (WEB._replace(network=Network("5M")), True),
        (WEB._replace(requests=Requests(20)), True),
        (WEB._replace(queue=Queue(5)), True),
    ],
    ids=["cpu and memory", "hosts alone", "network", "requests", "queue"],
)
def test_only_other_signals_than_cpu_and_memory_need_keda(profile: Profile, expected: bool) -> None:
    """Targets do; to know hosts and queues is no signal yet."""
    assert profile.needs_keda is expected


def test_other_signals_are_enough_to_scale_for() -> None:
    """A worker may scale for its queue alone."""
    off = {"cpu": {"target": None}, "memory": {"target": None}}
    queue = {"queue": {"target": 5, "names": ["q"]}}
    assert changed({**off, **queue}).queue == Queue(5, ("q",))


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        (Probe(), False),
        (Probe(path="/up"), False),
        (Probe(80), True),
        (Probe(command=("x",)), True),
    ],
    ids=str,
)
def test_a_probe_needs_something_to_ask(probe: Probe, expected: bool) -> None:
    """A port or a command; a path alone is none."""
    assert probe.asks is expected


def test_every_setting_of_a_profile_has_a_reader() -> None:
    """A field without one could not be set, and would not be shown."""
    paths = [path for path, _ in flat(BESIDE, READERS)]
    assert list(READERS) == list(Profile._fields)
    assert len(paths) == len(set(paths))
    for part in (Network, Requests, Queue):
        assert set(READERS[part.__name__.lower()]) == set(part._fields)
    assert set(READERS["probes"]["readiness"]) == set(Probe._fields)
