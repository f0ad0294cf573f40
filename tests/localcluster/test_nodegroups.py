"""Which nodes the simulated node groups ask for and give back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from localcluster.nodegroups import (
    Group,
    Node,
    Pod,
    Size,
    Span,
    missing,
    node_seconds,
    spare,
    unneeded_since,
)

ZONES = ("a", "b", "c")
NODE = Size(4000, 16000, pods=10)
LARGE = Size(1000, 6000)


def groups(count: int = 1, least: int = 1, most: int = 10) -> list[Group]:
    return [Group(zone, NODE, count, least, most) for zone in ZONES]


def fleet(*pods: tuple[Pod, ...]) -> list[Node]:
    """A node per zone in turn, with these pods each."""
    return [
        Node.empty(f"n{number}", ZONES[number % 3], NODE).with_pods(*held)
        for number, held in enumerate(pods)
    ]


def pods(count: int, size: Size = LARGE, spread: str = "", **fields: bool) -> tuple[Pod, ...]:
    return tuple(Pod("acme", f"lms-{n}", size, spread=spread, **fields) for n in range(count))


def test_nothing_is_missing_where_nothing_waits() -> None:
    assert missing(fleet((), (), ()), [], groups()) == []


def test_a_pod_that_fits_needs_no_node() -> None:
    """The scheduler is about to place it."""
    assert missing(fleet(pods(2), pods(2), pods(1)), pods(1), groups()) == []


def test_pods_share_new_nodes_and_new_nodes_share_zones() -> None:
    """Two of these fit a node: seven on full nodes need four, in the groups with fewest first."""
    full = fleet(pods(2), pods(2), pods(2))
    assert sorted(missing(full, pods(7), groups())) == ["a", "a", "b", "c"]


def test_a_node_on_its_way_counts() -> None:
    full = fleet(pods(2), pods(2), pods(2), ())
    assert missing(full, pods(3), groups()) == ["a"]


def test_a_group_stops_at_its_bound() -> None:
    full = fleet(pods(2), pods(2), pods(2))
    assert sorted(missing(full, pods(20), groups(most=2))) == ["a", "b", "c"]


def test_a_pod_larger_than_any_node_gets_none() -> None:
    assert missing(fleet(()), pods(1, Size(100, 16001)), groups()) == []


def test_the_number_of_pods_fills_a_node_too() -> None:
    tiny = pods(21, Size(1, 1))
    assert len(missing([], tiny, groups(count=0))) == 3


def test_a_new_node_comes_where_the_spread_lets_the_pod_go() -> None:
    """Room in the zones that have one pod more is of no use to it."""
    spread = pods(2, spread="rs")
    other = pods(2)
    nodes = fleet((spread[0],), (spread[1],), other)
    waiting = replace(spread[0], name="lms-9")
    assert missing(nodes, [waiting], groups()) == ["c"]


def test_the_more_important_pod_gets_the_last_room() -> None:
    urgent = replace(pods(1)[0], name="urgent", priority=10)
    large = Pod("acme", "pause", Size(100, 12000), priority=-5)
    assert missing(fleet(()), [large, urgent], groups()) == ["a"]
    # Alone, the large one would have had room.
    assert missing(fleet(()), [large], groups()) == []


def test_an_empty_node_can_go_and_the_least_stays() -> None:
    nodes = fleet(pods(2), pods(2), pods(2), (), ())
    counts = [Group("a", NODE, 2, 1, 9), Group("b", NODE, 2, 2, 9), Group("c", NODE, 1, 1, 9)]
    assert spare(nodes, counts) == ["n3"]


@pytest.mark.parametrize(
    ("held", "goes"),
    [
        (pods(1, Size(100, 7900)), True),
        (pods(1, Size(100, 8000)), False),
        (pods(1, Size(2000, 100)), False),
    ],
    ids=["less than half", "half of the memory", "half of the cpu"],
)
def test_a_node_goes_when_less_than_half_of_it_is_requested(
    held: tuple[Pod, ...], goes: bool
) -> None:
    nodes = fleet(pods(1, Size(2000, 100)), held)
    assert ("n1" in spare(nodes, groups(count=2, least=0))) == goes


def test_a_node_stays_whose_pods_fit_nowhere_else() -> None:
    full = pods(2, Size(100, 7900))
    nodes = fleet(full, full, full, pods(1, Size(100, 7900)))
    assert spare(nodes, groups(count=2)) == []


def test_nodes_that_go_together_do_not_count_on_each_other() -> None:
    """Each of four fits on another one; only two of them can go."""
    nodes = fleet(*[pods(1, Size(100, 7000))] * 4)
    assert len(spare(nodes, groups(count=2, least=0))) == 2


def test_a_node_with_a_pod_that_must_stay_stays() -> None:
    nodes = fleet((), pods(1, Size(1, 1), stays=True))
    assert spare(nodes, groups(count=2, least=0)) == ["n0"]


def test_a_break_starts_the_wait_anew() -> None:
    since = unneeded_since({}, ["n0", "n1"], 10)
    since = unneeded_since(since, ["n0"], 20)
    since = unneeded_since(since, ["n0", "n1"], 30)
    assert since == {"n0": 10, "n1": 30}


def test_a_node_is_paid_for_from_when_it_was_asked_for() -> None:
    spans = [Span("n0", "a", 0, 0), Span("n1", "b", 100, 175, 300), Span("n2", "c", 500, 575)]
    assert node_seconds(spans, 50, 400) == 350 + 200
    assert node_seconds([], 0, 100) == 0
