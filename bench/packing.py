"""How many nodes a fleet of instances needs, and what that costs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from localcluster.nodegroups import Group, Node, Pod, Size, filled
from rich.table import Table

from bench import prices
from bench.demand import Workload, allocatable, idle

ZONES = ("a", "b", "c")
MOST = 1000


@dataclass(frozen=True)
class Packing:
    """So many idle instances of one profile on nodes of one type.

    `requested_…`: what they and the room for a surge ask for, in percent of what the nodes have.
    """

    profile: str
    instance_type: str
    instances: int
    nodes: int
    requested_cpu_percent: int
    requested_memory_percent: int
    month_usd: int
    instance_month_usd: float


def groups(nodes: Iterable[Node], size: Size, least: int = 0) -> list[Group]:
    """A group of each zone with the nodes that it has."""
    zones = [node.zone for node in nodes]
    return [Group(zone, size, zones.count(zone), least, MOST) for zone in ZONES]


def pack(instances: Iterable[Sequence[Pod]], size: Size) -> list[Node]:
    """The nodes that these need, which come one after the other and stay where they are.

    All of them sorted at once would pack better than any cluster ever will. A node of each zone
    is there from the beginning: over zones without any the scheduler spreads nothing.
    """
    nodes = [Node.empty(f"first-{zone}", zone, size) for zone in ZONES]
    for pods in instances:
        nodes = filled(nodes, pods, groups(nodes, size))
    return nodes


def packing(
    profile: str,
    found: Sequence[Workload],
    count: int,
    surge: Sequence[Pod],
    instance_type: str,
) -> Packing:
    """`count` instances with these workloads, beside the pods that hold room for a surge."""
    size = allocatable(prices.shape(instance_type), prices.ON_EVERY_NODE)
    names = [f"instance-{number}" for number in range(count)]
    instances = [[pod for each in found for pod in each.pods(name, each.least)] for name in names]
    nodes = pack([surge, *instances], size)
    month_usd = prices.month_usd(instance_type, len(nodes))
    pods = [pod for node in nodes for pod in node.pods]
    return Packing(
        profile,
        instance_type,
        count,
        len(nodes),
        round(100 * sum(pod.size.millicores for pod in pods) / (len(nodes) * size.millicores)),
        round(100 * sum(pod.size.memory_bytes for pod in pods) / (len(nodes) * size.memory_bytes)),
        round(month_usd),
        round(month_usd / count, 2),
    )


def cheapest(packings: Iterable[Packing]) -> dict[str, Packing]:
    """The cheapest of each profile; of two that cost the same, the one with more nodes.

    The loss of one of many is the smaller loss.
    """
    best: dict[str, Packing] = {}
    for each in packings:
        best[each.profile] = min(
            best.get(each.profile, each), each, key=lambda one: (one.month_usd, -one.nodes)
        )
    return best


def table(packings: Iterable[Packing]) -> Table:
    """All of them for people."""
    shown = Table(title="Idle instances on nodes of each type", title_justify="left")
    for name in ("profile", "type"):
        shown.add_column(name)
    for name in ("nodes", "cpu requested", "memory requested", "$ a month", "per instance"):
        shown.add_column(name, justify="right")
    for each in packings:
        shown.add_row(
            each.profile,
            each.instance_type,
            str(each.nodes),
            f"{each.requested_cpu_percent} %",
            f"{each.requested_memory_percent} %",
            str(each.month_usd),
            f"{each.instance_month_usd:.2f}",
        )
    return shown


def idle_line(profile: str, found: Sequence[Workload]) -> str:
    """`small: 12 pods request 1.7 CPUs and 7.3 GiB when idle`."""
    size = idle(found)
    gib = size.memory_bytes / 2**30
    return f"{profile}: {size.pods} pods request {size.millicores / 1000:g} CPUs and {gib:.1f} GiB"


def priorities(chart_values: Mapping[str, Mapping[str, Mapping[str, int]]]) -> dict[str, int]:
    """Priority class → its value, of those that the platform chart makes."""
    classes = chart_values["priorityClasses"]
    return {
        str(classes[name]["name"]): classes[name]["value"] for name in ("serving", "background")
    }
