"""What a HorizontalPodAutoscaler decides, replayed from its spec. Pure.

As its controller does in Kubernetes 1.36, for percentages of requests:
https://github.com/kubernetes/kubernetes/tree/v1.36.0/pkg/controller/podautoscaler
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Between two decisions, and between two looks of metrics-server.
PERIOD_S = 15
# A share of the target that is no reason to change anything.
TOLERANCE = 0.1

Spec = Mapping[str, Any]
# (second, number of pods)
Event = tuple[float, int]


@dataclass(frozen=True)
class Seen:
    """What the controller sees: pods that should be there, ready ones and others, use in percent.

    `percent`: of their requests, by resource, on average over the ready ones.
    """

    asked: int
    ready: int
    unready: int
    percent: Mapping[str, float]


@dataclass(frozen=True)
class Memory:
    """What it remembers: what it once recommended, and how many pods it added or took away."""

    recommended: tuple[Event, ...] = ()
    changed: tuple[Event, ...] = ()


def decided(spec: Spec, seen: Seen, memory: Memory, now_s: float) -> tuple[int, Memory]:
    """How many pods there should be from now on, and what to remember until the next decision."""
    wish = max(
        (proposal(seen, seen.percent[name], target) for name, target in targets(spec).items()),
        default=seen.asked,
    )
    behavior = spec["behavior"]
    # What is there when it begins counts as its first recommendation.
    before = memory.recommended or ((now_s, seen.asked),)
    calm = _calmed(behavior, wish, seen.asked, before, now_s)
    paced = _paced(behavior, calm, seen.asked, memory.changed, now_s)
    count = min(max(paced, spec["minReplicas"]), spec["maxReplicas"])
    longest_s = max(behavior[way]["stabilizationWindowSeconds"] for way in behavior)
    recommended = _since((*before, (now_s, wish)), now_s - longest_s)
    changed = memory.changed
    if count != seen.asked:
        changed = _since((*changed, (now_s, count - seen.asked)), now_s - _longest_period_s(spec))
    return count, Memory(recommended, changed)


def targets(spec: Spec) -> dict[str, int]:
    """Resource → percent of the request."""
    metrics = [metric["containerResource"] for metric in spec["metrics"]]
    return {each["name"]: each["target"]["averageUtilization"] for each in metrics}


def proposal(seen: Seen, percent: float, target: float) -> int:
    """What one metric asks for: so many pods that their use is the target.

    Pods that are not ready count as idle when there is too much load for the others: a surge is
    not answered a second time while the first answer starts up.
    """
    ratio = percent / target
    if not seen.ready:
        return seen.asked
    if not (seen.unready and ratio > 1):
        return seen.asked if _is_near(ratio) else math.ceil(ratio * seen.ready)
    all_of_them = seen.ready + seen.unready
    diluted = ratio * seen.ready / all_of_them
    if diluted < 1 or _is_near(diluted):
        return seen.asked
    return max(seen.asked, math.ceil(diluted * all_of_them))


def _is_near(ratio: float) -> bool:
    return 1 - TOLERANCE <= ratio <= 1 + TOLERANCE


def _calmed(
    behavior: Spec, wish: int, asked: int, recommended: Iterable[Event], now_s: float
) -> int:
    listed = list(recommended)

    def within(way: str, of: Callable[[Iterable[int]], int]) -> int:
        since_s = now_s - behavior[way]["stabilizationWindowSeconds"]
        return of([wish, *(count for second, count in listed if second > since_s)])

    return min(max(asked, within("scaleUp", min)), within("scaleDown", max))


def _paced(behavior: Spec, wish: int, asked: int, changed: Iterable[Event], now_s: float) -> int:
    if wish == asked:
        return wish
    listed = list(changed)
    way, most = ("scaleUp", max) if wish > asked else ("scaleDown", min)
    limits = []
    for policy in behavior[way]["policies"]:
        # Where this period began: without what has been done within it.
        recent = sum(count for second, count in listed if second > now_s - policy["periodSeconds"])
        limits.append(_limit(way, policy, asked - recent))
    limit = most(limits)
    return min(wish, max(limit, asked)) if way == "scaleUp" else max(wish, min(limit, asked))


def _limit(way: str, policy: Spec, start: int) -> int:
    value: int = policy["value"]
    up = way == "scaleUp"
    if policy["type"] == "Pods":
        return start + value if up else start - value
    return math.ceil(start * (1 + value / 100)) if up else int(start * (1 - value / 100))


def _since(events: Iterable[Event], second: float) -> tuple[Event, ...]:
    return tuple(event for event in events if event[0] > second)


def _longest_period_s(spec: Spec) -> float:
    behavior = spec["behavior"]
    return float(
        max(policy["periodSeconds"] for way in behavior for policy in behavior[way]["policies"])
    )
