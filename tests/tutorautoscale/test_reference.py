"""The reference page says what the defaults are."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from tutorautoscale.workloads import PROFILES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "autoscale.md"


def test_the_table_of_defaults_is_the_defaults() -> None:
    """Each row is a workload, each column a setting, each cell what the code has."""
    header, *rows = _table(PAGE.read_text(), "| workload | min |")
    written = {row[0].strip("`"): dict(zip(header[1:], row[1:], strict=True)) for row in rows}
    assert written == {
        name: {setting: _shown(asdict(profile), setting) for setting in header[1:]}
        for name, profile in PROFILES.items()
    }


def test_what_is_said_of_all_holds_for_all() -> None:
    """The values that no column shows are the same for every workload, and on the page."""
    text = PAGE.read_text()
    for setting in ("cpu.limit", "cpu.target", "memory.target", "lost_node_s", "zones"):
        (value,) = {_shown(asdict(profile), setting) for profile in PROFILES.values()}
        assert f"`{setting}: {value or 'null'}`" in text


def _table(text: str, start: str) -> list[list[str]]:
    lines = text[text.index(start) :].split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if set(row[0]) != {"-"}]


def _shown(profile: dict[str, Any], setting: str) -> str:
    section, _, key = setting.rpartition(".")
    value = (profile[section] or {}).get(key) if section else profile[key]
    return "" if value is None else str(value)
