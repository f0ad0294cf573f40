"""What a jump of the load, and its fall, did to an instance: numbers from moments. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Moment:
    """What there was so many seconds after the load had jumped.

    Of the LMS: pods that its autoscaler `asked` for, those with a node, those ready. Pods that hold
    `room` on nodes. Nodes that are paid for, and those that have `joined`.
    """

    second: float
    asked: int
    placed: int
    ready: int
    room: int
    nodes: int
    joined: int


@dataclass(frozen=True)
class Reaction:
    """One variant; seconds since the load jumped, or fell. None: it did not come to that.

    `at_once`: of the pods that were added, those that found room before any node had joined.
    `room_back_s`: when the room for the next surge was whole again.
    """

    variant: str
    pods_before: int
    pods_after: int
    asked_s: int | None
    at_once: int
    at_once_s: int | None
    node_s: int | None
    placed_s: int | None
    full_s: int | None
    room_back_s: int | None
    nodes_before: int
    nodes_most: int
    first_gone_s: int | None = None
    nodes_after: int | None = None
    nodes_after_s: int | None = None
    least_ready: int | None = None


def reaction(variant: str, rise: Sequence[Moment], fall: Sequence[Moment] = ()) -> Reaction:
    """What these moments say; those of the fall count from the fall."""
    before, after = rise[0], max(moment.asked for moment in rise)
    early = [moment for moment in rise if moment.joined <= before.joined]
    at_once = max(moment.placed for moment in early)
    return Reaction(
        variant,
        before.placed,
        after,
        _first(rise, lambda moment: moment.asked > before.asked),
        at_once - before.placed,
        _first(early, lambda moment: moment.placed == at_once > before.placed),
        _first(rise, lambda moment: moment.joined > before.joined),
        _lasting(rise, lambda moment: moment.placed >= after),
        _lasting(rise, lambda moment: moment.ready >= after),
        _lasting(rise, lambda moment: moment.room >= before.room),
        before.nodes,
        max(moment.nodes for moment in rise),
        **(_fall(fall) if fall else {}),
    )


def _fall(fall: Sequence[Moment]) -> dict[str, int | None]:
    most, least = fall[0].nodes, fall[-1].nodes
    return {
        "first_gone_s": _first(fall, lambda moment: moment.nodes < most),
        "nodes_after": least,
        "nodes_after_s": _lasting(fall, lambda moment: moment.nodes <= least),
        "least_ready": min(moment.ready for moment in fall),
    }


def _first(moments: Sequence[Moment], holds: Callable[[Moment], bool]) -> int | None:
    return next((round(moment.second) for moment in moments if holds(moment)), None)


def _lasting(moments: Sequence[Moment], holds: Callable[[Moment], bool]) -> int | None:
    """Since when it has held without a break."""
    since: int | None = None
    for moment in reversed(moments):
        if not holds(moment):
            break
        since = round(moment.second)
    return since


def claims(each: Reaction) -> list[tuple[str, bool, str]]:
    """(claim, whether it holds, detail) for what the room for a surge promises."""
    added = each.pods_after - each.pods_before
    made = [
        (
            "a jump to four times the load finds room at once",
            0 < added == each.at_once,
            f"{each.at_once} of {added} pods, after {each.at_once_s} s",
        ),
        ("the room is there again with the next nodes", each.room_back_s is not None, ""),
    ]
    if each.least_ready is not None and each.nodes_after is not None:
        fewer = each.nodes_after < each.nodes_most
        made += [
            ("nodes go when the load has gone", fewer, f"{each.nodes_most} → {each.nodes_after}"),
            ("never fewer than two ready LMS pods", each.least_ready >= 2, f"{each.least_ready}"),
        ]
    return made


def moment_line(moment: Moment) -> str:
    """One moment in a line."""
    pods = f"{moment.asked} pods asked for, {moment.placed} placed, {moment.ready} ready"
    return f"{moment.second:.0f} s: {pods}, room {moment.room}, {moment.nodes} nodes"


def line(each: Reaction) -> str:
    """One of them in a line."""
    added = each.pods_after - each.pods_before
    said = (
        f"{each.variant}: {each.pods_before} → {each.pods_after} pods, asked for after "
        f"{each.asked_s} s; {each.at_once} of {added} found room at once (after {each.at_once_s} s)"
        f", the first node came after {each.node_s} s, all pods placed after {each.placed_s} s, "
        f"ready after {each.full_s} s; {each.nodes_before} → {each.nodes_most} nodes"
    )
    if each.nodes_after is None:
        return said
    return (
        f"{said}; after the fall {each.nodes_after} nodes after {each.nodes_after_s} s, "
        f"never fewer than {each.least_ready} ready LMS pods"
    )
