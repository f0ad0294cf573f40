"""What is made of samples: numbers, claims, and the choice of nodes to lose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench import outcomes
from bench.outcomes import Outcome
from bench.variants import OURS
from demo.observe import Sample

GOOD = Outcome("zone a", OURS.name, zero_s=0, least_percent=50, full_after_s=120)


def samples(*counts: int) -> list[Sample]:
    return [Sample(float(second), {OURS.lms: count}) for second, count in enumerate(counts)]


@pytest.mark.parametrize(
    ("counts", "zero_s", "least_percent", "full_after_s"),
    [
        ((2, 1, 1, 2), 0, 50, 3),
        ((2, 0, 0, 1, 2), 2, 0, 4),
        ((2, 3, 2), 0, 100, 0),
        ((2, 1), 0, 50, None),
    ],
    ids=["one lost", "both lost", "a surge", "not back"],
)
def test_samples_become_numbers(
    counts: tuple[int], zero_s: int, least_percent: int, full_after_s: int | None
) -> None:
    """A surge above what a variant should have is no more than full strength."""
    found = outcomes.outcome("pod", OURS, samples(*counts), refused=1)
    assert found == Outcome("pod", "ours", zero_s, least_percent, full_after_s, refused=1)


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, None),
        ({"zero_s": 1}, "always a ready LMS pod"),
        ({"full_after_s": 126}, "full strength within 125 s"),
        ({"full_after_s": None}, "full strength within 125 s"),
        ({"refused": 0}, None),
        ({"refused": 1}, "no drain is refused"),
        ({"fault": "drain", "full_after_s": 400}, None),
        ({"fault": "drain", "full_after_s": None}, "full strength is back"),
    ],
    ids=str,
)
def test_a_target_that_is_missed_is_a_claim_that_fails(
    changes: dict[str, Any], broken: str | None
) -> None:
    claims = outcomes.claims([replace(GOOD, **changes)], start_s=45)
    assert [claim.split(": ")[1] for claim, holds, _ in claims if not holds] == (
        [broken] if broken else []
    )


@pytest.mark.parametrize(
    ("pods", "chosen"),
    [
        ({"x": ["a1"]}, ("a1",)),
        ({"x": ["a1"], "y": ["b1"]}, ("a1", "b1")),
        ({"w": ["a1"], "x": ["a1"], "y": ["a1", "b1"], "z": ["b1"]}, ("a1",)),
        ({"x": ["a1", "a1"], "y": ["b1", "c1"]}, ("a1", "c1")),
        ({"x": ["a1"], "y": ["a2"], "z": ["a2"]}, ("a2",)),
        ({}, ()),
    ],
    ids=["one", "two", "not both of a pair", "a pair on one node", "one a zone", "none"],
)
def test_nodes_to_lose_are_one_a_zone_and_one_a_variant(
    pods: dict[str, list[str]], chosen: tuple[str, ...]
) -> None:
    found = outcomes.one_per_zone(pods, lambda node: node[0])
    assert len(found) == len(chosen)
    hit = {name for name, nodes in pods.items() if set(nodes) & set(found)}
    assert hit == {name for name, nodes in pods.items() if set(nodes) & set(chosen)}


def budget(allowed: int, healthy: int, expected: int) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "acme"},
        "status": {
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "expectedPods": expected,
        },
    }


@pytest.mark.parametrize(
    ("budgets", "found"),
    [
        ([budget(0, 1, 1)], {"acme"}),
        ([budget(1, 2, 2)], set()),
        ([budget(0, 1, 2)], set()),
        ([budget(0, 0, 0)], set()),
        ([budget(1, 2, 2), budget(0, 1, 1)], {"acme"}),
        ([], set()),
    ],
    ids=["one of one", "one may go", "one is missing", "no pods", "one of two budgets", "none"],
)
def test_a_budget_blocks_when_nothing_is_missing_and_nothing_may_go(
    budgets: list[dict[str, Any]], found: set[str]
) -> None:
    assert outcomes.blocked(budgets) == found


def test_of_three_zones_the_one_that_hurt_most_counts() -> None:
    """For each variant its own; other faults stay as they are."""
    pod = replace(GOOD, fault="pod")
    zones = [
        replace(GOOD, full_after_s=0),
        replace(GOOD, fault="zone b", zero_s=9, full_after_s=10),
        replace(GOOD, fault="zone c", zero_s=9, full_after_s=None),
    ]
    assert outcomes.worst_zone([pod, *zones]) == [pod, replace(zones[2], fault="zone")]


@pytest.mark.parametrize(
    ("status", "done"),
    [
        ({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}, True),
        ({"replicas": 3, "updatedReplicas": 2, "availableReplicas": 3}, False),
        ({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 1}, False),
        ({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "at": 6}, False),
        ({}, False),
    ],
    ids=["done", "an old one is left", "one starts", "not yet looked at", "new"],
)
def test_a_rollout_is_done_when_nothing_of_the_old_is_left(
    status: dict[str, int], done: bool
) -> None:
    seen = {"observedGeneration": status.get("at", 7), **status}
    deployment = {"metadata": {"generation": 7}, "spec": {"replicas": 2}, "status": seen}
    assert outcomes.rolled_out(deployment) is done
