"""What moments say of a surge, and whether it was what the room for it promises."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench import reaction
from bench.reaction import Moment, Reaction

BEFORE = Moment(0, asked=2, placed=2, ready=2, room=3, nodes=4, joined=4)
ASKED = Moment(15, asked=8, placed=6, ready=2, room=1, nodes=6, joined=4)
PLACED = replace(ASKED, second=30, placed=8)
READY = replace(PLACED, second=75, ready=8)
JOINED = replace(READY, second=92, joined=6, room=3)
RISE = [BEFORE, ASKED, PLACED, READY, JOINED]
FALL = [
    replace(JOINED, second=0),
    replace(JOINED, second=400, asked=2, placed=2, ready=2),
    replace(JOINED, second=600, asked=2, placed=2, ready=2, nodes=5),
    replace(JOINED, second=700, asked=2, placed=2, ready=2, nodes=4),
    replace(JOINED, second=701, asked=2, placed=2, ready=2, nodes=4),
]


def test_a_rise_becomes_numbers() -> None:
    assert reaction.reaction("x", RISE) == Reaction(
        "x",
        pods_before=2,
        pods_after=8,
        asked_s=15,
        at_once=6,
        at_once_s=30,
        node_s=92,
        placed_s=30,
        full_s=75,
        room_back_s=92,
        nodes_before=4,
        nodes_most=6,
    )


def test_a_fall_becomes_numbers() -> None:
    found = reaction.reaction("x", RISE, FALL)
    assert (found.first_gone_s, found.nodes_after, found.nodes_after_s) == (600, 4, 700)
    assert found.least_ready == 2


def test_what_did_not_happen_has_no_number() -> None:
    found = reaction.reaction("x", [BEFORE, replace(BEFORE, second=15, asked=8)])
    assert (found.at_once, found.at_once_s, found.node_s, found.full_s) == (0, None, None, None)


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, []),
        ({"at_once": 3}, ["a jump to four times the load finds room at once"]),
        ({"room_back_s": None}, ["the room is there again with the next nodes"]),
        ({"nodes_after": 6}, ["nodes go when the load has gone"]),
        ({"least_ready": 1}, ["never fewer than two ready LMS pods"]),
        ({"pods_after": 2, "at_once": 0}, ["a jump to four times the load finds room at once"]),
    ],
    ids=str,
)
def test_a_promise_that_is_not_kept_fails(changes: dict[str, Any], broken: list[str]) -> None:
    found = replace(reaction.reaction("x", RISE, FALL), **changes)
    assert [claim for claim, holds, _ in reaction.claims(found) if not holds] == broken
