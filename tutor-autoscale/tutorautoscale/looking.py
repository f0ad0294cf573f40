"""Edge: the configuration, read for `tutor autoscale show`, and its table on the terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from rich.console import Console
from rich.table import Table
from tutor import config as tutor_config
from tutorplatform.errors import ConfigError

from tutorautoscale import configuration, rendering, show


def rows(root: str, names: Collection[str]) -> list[show.Row]:
    """The rows of these workloads, of all if none is named. ConfigError for unknown names."""
    config = tutor_config.load_full(root)
    found = rendering.instance_workloads(config)
    for name in names:
        if name not in found:
            raise ConfigError(
                f"workload {name}", "does not scale here", f"use one of {', '.join(found)}"
            )
    chosen = [found[name] for name in names or found]
    return list(show.rows(chosen, configuration.size(config)))


def print_table(shown: Iterable[show.Row]) -> None:
    """One line per setting; a workload's name stands in its first one."""
    table = Table(box=None, pad_edge=False)
    for heading in ("workload", "setting", "value", "from"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "setting")
    last = ""
    for row in shown:
        name, last = ("" if row.workload == last else row.workload), row.workload
        value = ", ".join(row.value) if isinstance(row.value, list) else str(row.value)
        table.add_row(name, row.setting, value, row.origin)
    Console(soft_wrap=False).print(table)
