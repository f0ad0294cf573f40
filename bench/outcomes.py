"""What a fault did to each variant: numbers from samples, as rows, table and claims. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from rich.table import Table

from bench.variants import Variant
from demo import observe
from demo.observe import Sample

# A zone's nodes are noticed after 50 s and tainted 10 s apart; then pods have to go and come.
RECOVERY_S = 80


@dataclass(frozen=True)
class Outcome:
    """One fault and one variant. The seconds are those of its LMS, of which samples are taken.

    `full_after_s`: from the fault until its pods were all there for good; None if that was not
    reached. `refused`: nodes that could not be drained of its pods. `moved`: how many of the
    `there` pods, of any workload, that were on a node that fell silent are elsewhere now.
    """

    fault: str
    variant: str
    zero_s: int
    least_percent: int
    full_after_s: int | None
    refused: int | None = None
    moved: int | None = None
    there: int | None = None


def outcome(fault: str, variant: Variant, samples: Sequence[Sample], **counts: int) -> Outcome:
    """What these samples say of a variant's LMS; `counts` are the fields that they do not have."""
    least = min(sample.ready.get(variant.lms, 0) for sample in samples)
    full = observe.seconds_to_full(samples, {variant.lms: variant.pods})
    return Outcome(
        fault,
        variant.name,
        round(observe.seconds_at_zero(samples, variant.lms)),
        min(100, round(100 * least / variant.pods)),
        None if full is None else round(full),
        **counts,
    )


def table(outcomes: Iterable[Outcome]) -> Table:
    """All outcomes for people."""
    found = Table(title="The LMS of each variant under each fault", title_justify="left")
    for name in ("fault", "variant"):
        found.add_column(name)
    for name in ("s with no ready pod", "least ready", "s to full strength", "besides"):
        found.add_column(name, justify="right")
    for each in outcomes:
        full = "not reached" if each.full_after_s is None else str(each.full_after_s)
        zero = f"[red]{each.zero_s}[/]" if each.zero_s else "0"
        least = f"{each.least_percent} %"
        found.add_row(each.fault, each.variant, zero, least, full, _besides(each))
    return found


def line(each: Outcome) -> str:
    """One outcome in a line."""
    full = "not reached" if each.full_after_s is None else f"after {each.full_after_s} s"
    numbers = f"{each.zero_s} s without a pod, least {each.least_percent} %, full {full}"
    return f"{each.variant}: {', '.join(filter(None, (numbers, _besides(each))))}"


def _besides(each: Outcome) -> str:
    if each.refused is not None:
        return f"{each.refused} drains refused"
    if each.moved is not None:
        return f"{each.moved} of {each.there} pods moved"
    return ""


def claims(outcomes: Iterable[Outcome], start_s: float) -> list[tuple[str, bool, str]]:
    """(claim, whether it holds, detail) for each target; `start_s` is what a pod takes to start."""
    made: list[tuple[str, bool, str]] = []
    most_s = RECOVERY_S + start_s
    for each in outcomes:
        what = f"{each.variant}, {each.fault}"
        made.append((f"{what}: always a ready LMS pod", each.zero_s == 0, f"{each.zero_s} s"))
        full = each.full_after_s
        detail = "not reached" if full is None else f"{full} s"
        if each.fault.startswith("zone "):
            claim = f"{what}: full strength within {most_s:.0f} s"
            made.append((claim, full is not None and full <= most_s, detail))
        else:
            made.append((f"{what}: full strength is back", full is not None, detail))
        if each.refused is not None:
            claim = f"{what}: no drain is refused"
            made.append((claim, each.refused == 0, f"{each.refused}"))
    return made


def one_per_zone(
    pods: Mapping[str, Sequence[str]], zone_of: Callable[[str], str]
) -> tuple[str, ...]:
    """Nodes to lose, so that as many variants as can be lose LMS pods on exactly one of them.

    `pods`: variant → the node of each of its LMS pods. At most one node a zone is chosen, as those
    of one zone would delay each other, and no variant has LMS pods on two of them: then it is for
    each the loss of one node, whatever the others lose.
    """
    zones: dict[str, list[str]] = {}
    for node in sorted({node for nodes in pods.values() for node in nodes}):
        zones.setdefault(zone_of(node), []).append(node)
    sets = [
        frozenset(filter(None, chosen)) for chosen in product(*[["", *of] for of in zones.values()])
    ]
    fair = [chosen for chosen in sets if all(len(chosen & set(on)) < 2 for on in pods.values())]
    best = max(fair, key=lambda chosen: (_hit(pods, chosen), -len(chosen), sorted(chosen)))
    return tuple(sorted(best))


def _hit(pods: Mapping[str, Sequence[str]], chosen: frozenset[str]) -> int:
    return sum(bool(chosen & set(nodes)) for nodes in pods.values())


def worst_zone(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The same with one `zone` for the three: the one that hurt the variant most."""
    losses = [each for each in outcomes if each.fault.startswith("zone ")]
    worst: dict[str, Outcome] = {}
    for each in losses:
        worst[each.variant] = max(worst.get(each.variant, each), each, key=_harm)
    others = [each for each in outcomes if each not in losses]
    return [*others, *(Outcome(**{**asdict(each), "fault": "zone"}) for each in worst.values())]


def _harm(each: Outcome) -> tuple[int, float]:
    full = float("inf") if each.full_after_s is None else each.full_after_s
    return each.zero_s, full


def blocked(budgets: Iterable[Mapping[str, Any]]) -> set[str]:
    """The namespaces with a disruption budget that allows nothing although no pod is missing."""
    return {
        budget["metadata"]["namespace"]
        for budget in budgets
        if (status := budget.get("status", {})).get("disruptionsAllowed", 0) == 0
        and status.get("currentHealthy", 0) >= status.get("expectedPods", 0) > 0
    }


def rolled_out(deployment: Mapping[str, Any]) -> bool:
    """Whether all pods of a Deployment are of its newest template, and there is no other."""
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    return status.get("observedGeneration") == deployment["metadata"]["generation"] and all(
        status.get(count, 0) == wanted
        for count in ("replicas", "updatedReplicas", "availableReplicas")
    )
