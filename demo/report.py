"""What the demo says: checks that pass or fail, and tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from localcluster.model import Manifest
from rich.console import Console
from rich.table import Table

from demo.observe import Service, service_of


@dataclass
class Checks:
    """Claims of the demo, each shown as it is made; `failed` holds those that are not so."""

    console: Console
    failed: list[str] = field(default_factory=list)

    def check(self, claim: str, holds: bool, detail: str = "") -> None:
        mark = "[green]✓[/]" if holds else "[bold red]✗[/]"
        self.console.print(f"{mark} {claim}" + (f" ({detail})" if detail else ""))
        if not holds:
            self.failed.append(claim)


def workloads_table(
    wanted: Mapping[Service, int],
    ready: Iterable[Manifest],
    zone_of: Mapping[str, str],
    autoscalers: Mapping[Service, Manifest],
) -> Table:
    """Instance, workload, ready pods, their zones, and what its autoscaler does."""
    table = Table(title="Workloads", title_justify="left")
    for column in ("instance", "workload", "ready", "zones", "autoscaler"):
        table.add_column(column)
    zones = zones_by_service(ready, zone_of)
    for service, count in wanted.items():
        found = zones.get(service, [])
        table.add_row(
            service.namespace,
            service.workload,
            f"{len(found)}/{count}",
            " ".join(sorted(set(found))),
            autoscaler_text(autoscalers[service]) if service in autoscalers else "",
        )
    return table


def zones_by_service(
    pods: Iterable[Manifest], zone_of: Mapping[str, str]
) -> dict[Service, list[str]]:
    """The zone letter of each of these pods, by service; `zone_of` maps node names to zones."""
    zones: dict[Service, list[str]] = {}
    for pod in pods:
        zones.setdefault(service_of(pod), []).append(zone_of[pod["spec"]["nodeName"]][-1])
    return zones


def autoscaler_text(autoscaler: Manifest) -> str:
    """Bounds and current metrics: `2..6, cpu 31 %`."""
    spec, status = autoscaler["spec"], autoscaler.get("status", {})
    parts = [f"{spec.get('minReplicas', 1)}..{spec['maxReplicas']}"]
    for metric in status.get("currentMetrics") or []:
        resource = metric.get("resource") or metric.get("containerResource") or {}
        use = resource.get("current", {}).get("averageUtilization")
        if use is not None:
            parts.append(f"{resource['name']} {use} %")
    return ", ".join(parts)


def secrets_table(rows: Iterable[tuple[str, str, int, int]]) -> Table:
    """Where secret values are and where they are not: (instance, place, how many, values found)."""
    table = Table(title="Secrets", title_justify="left")
    for column in ("instance", "looked at", "how many", "secret values found there"):
        table.add_column(column)
    for instance, place, count, found in rows:
        table.add_row(instance, place, str(count), str(found))
    return table
