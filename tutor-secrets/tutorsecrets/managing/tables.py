"""Edge: tables in the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone

from tutorsecrets.managing import usage
from tutorsecrets.managing.inspection import Finding
from tutorsecrets.managing.upkeep import Row


def age(changed: datetime | None, now: datetime) -> str:
    """How long ago in words: `3 d`, `5 h`; empty if nobody knows."""
    if changed is None:
        return ""
    hours = int((now - changed).total_seconds() // 3600)
    return f"{hours // 24} d" if hours >= 48 else f"{hours} h"


def show(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table, as wide as the terminal, or as wide as it needs to be where there is none."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns)
    for row in rows:
        # Names of others: `[a]` and `:key:` in them mean nothing to rich.
        table.add_row(*map(Text, row))
    console = Console()
    console.print(table) if console.is_terminal else Console(width=200).print(table)


def secrets(rows: Iterable[Row]) -> None:
    """Print the secret settings."""
    now = datetime.now(timezone.utc)
    show(
        ("setting", "kept in", "age", "used by", "written by init of"),
        (
            (
                row.key,
                row.place or "nowhere",
                age(row.changed, now),
                ", ".join(map(usage.short, row.workloads)),
                ", ".join(row.applications),
            )
            for row in rows
        ),
    )


def findings(rows: Iterable[Finding]) -> None:
    """Print what was found wrong."""
    show(("where", "problem", "what to do"), ((r.where, r.problem, r.remedy) for r in rows))
