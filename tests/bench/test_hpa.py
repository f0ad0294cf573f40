"""The replayed autoscaler decides as the controller's own tests and documentation say."""

from __future__ import annotations

from typing import Any

import pytest
from tutorautoscale.scalers import BEHAVIOR

from bench import hpa
from bench.hpa import Memory, Seen


def metric(name: str, target: int) -> dict[str, Any]:
    return {"containerResource": {"name": name, "target": {"averageUtilization": target}}}


# Paced as the plugin has it: at most ten pods, 70 % of the cpu.
SPEC: dict[str, Any] = {
    "minReplicas": 2,
    "maxReplicas": 10,
    "metrics": [metric("cpu", 70), metric("memory", 80)],
    "behavior": BEHAVIOR,
}


def seen(ready: int, cpu: float, unready: int = 0, memory: float = 10) -> Seen:
    return Seen(ready + unready, ready, unready, {"cpu": cpu, "memory": memory})


def run(*percents: float, ready: int = 2, spec: dict[str, Any] = SPEC) -> list[int]:
    """Decisions, one a period; pods that are asked for are there at once."""
    memory, counts = Memory(), []
    for number, percent in enumerate(percents):
        ready, memory = hpa.decided(spec, seen(ready, percent), memory, number * hpa.PERIOD_S)
        counts.append(ready)
    return counts


@pytest.mark.parametrize(
    ("percent", "pods"),
    [(70, 2), (77, 2), (78, 3), (105, 3), (140, 4), (63, 2), (62, 2), (35, 1)],
)
def test_pods_are_as_many_as_bring_the_use_to_the_target(percent: float, pods: int) -> None:
    """Of two; up to a tenth off is near enough."""
    assert hpa.proposal(seen(2, percent), percent, 70) == pods


@pytest.mark.parametrize(
    ("ready", "unready", "percent", "pods"),
    [(2, 2, 140, 4), (2, 2, 280, 8), (2, 2, 100, 4), (2, 2, 30, 1), (0, 2, 0, 2)],
    ids=["on its way", "not enough", "more than enough", "too many", "nobody answers"],
)
def test_pods_that_start_count_as_idle_when_the_others_have_too_much(
    ready: int, unready: int, percent: float, pods: int
) -> None:
    assert hpa.proposal(seen(ready, percent, unready), percent, 70) == pods


def test_it_grows_at_once_and_no_faster_than_it_may() -> None:
    """Doubled or four more each 15 s, whichever is more, up to the maximum."""
    assert run(700, 700, 700) == [6, 10, 10]


def test_it_shrinks_after_five_minutes_and_by_a_fifth_a_minute() -> None:
    counts = run(*[10] * 45, ready=10)
    assert set(counts[:20]) == {10}
    # 300 s are 20 periods; the pace is a fifth, or one, in 60 s.
    assert counts[20] == 8
    assert [counts[20 + 4 * minute] for minute in range(6)] == [8, 6, 4, 3, 2, 2]


def test_a_moment_of_load_keeps_the_pods_for_five_minutes() -> None:
    counts = run(*[30] * 10, 70, *[30] * 25, ready=4)
    assert counts[:30] == [4] * 30
    assert counts[30] == 3


def test_the_metric_that_asks_for_more_wins() -> None:
    count, _ = hpa.decided(SPEC, seen(4, cpu=10, memory=160), Memory(), 0)
    assert count == 8


def test_it_stays_within_its_bounds() -> None:
    assert run(*[0.1] * 100, ready=10)[-1] == 2
    assert max(run(*[9000] * 10)) == 10


@pytest.mark.parametrize(("memory", "left"), [(40, 2), (50, 2), (60, 3), (66, 5), (72, 10)])
def test_memory_that_does_not_follow_the_load_keeps_pods(memory: float, left: int) -> None:
    """Of ten, with a target of 80 % and no load: a share is rounded up to whole pods each time."""
    asked, remembered = 10, Memory()
    for number in range(1000):
        state = seen(asked, cpu=1, memory=memory)
        asked, remembered = hpa.decided(SPEC, state, remembered, number * hpa.PERIOD_S)
    assert asked == left
