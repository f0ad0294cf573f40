"""Numbers of a run become a file, and are read again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench import rows


@dataclass(frozen=True)
class Lap:
    name: str
    seconds: int | None


def test_a_file_has_a_row_each_and_nothing_for_none(tmp_path: Path) -> None:
    file = tmp_path / "any.csv"
    rows.write(file, [Lap("x, y", 1), Lap("z", None)])
    assert file.read_text() == 'name,seconds\n"x, y",1\nz,\n'
    assert rows.read(file) == [
        {"name": "x, y", "seconds": "1"},
        {"name": "z", "seconds": ""},
    ]
