"""Edge: dataclasses as the rows of a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any


def write(file: Path, found: Sequence[Any]) -> None:
    """Write dataclasses of one kind, a row each; what there is no number for is empty."""
    with file.open("w", newline="") as output:
        names = [field.name for field in fields(found[0])]
        writer = csv.DictWriter(output, names, lineterminator="\n")
        writer.writeheader()
        for each in found:
            row = asdict(each)
            writer.writerow({name: "" if row[name] is None else row[name] for name in names})


def read(file: Path) -> list[dict[str, str]]:
    """The rows, by the names of their columns."""
    with file.open() as rows:
        return list(csv.DictReader(rows))
