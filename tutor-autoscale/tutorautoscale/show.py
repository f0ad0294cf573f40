"""What `tutor autoscale show` prints: each setting of each workload, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tutorautoscale.effective import Workload
from tutorautoscale.profile import READERS
from tutorautoscale.settings import flat


class Row(NamedTuple):
    """One setting of one workload. `value`: as in config.yml."""

    workload: str
    setting: str
    value: Any
    origin: str


def rows(workloads: Iterable[Workload], size: str) -> Iterator[Row]:
    """All settings, in the order of the reference. `size`: AUTOSCALE_PROFILE."""
    for each in workloads:
        for path, value in flat(each.profile, READERS):
            plain = list(value) if isinstance(value, tuple) else value
            yield Row(each.found.name, path, plain, _origin(each.origins, path, size))


def nested(shown: Iterable[Row]) -> dict[str, dict[str, dict[str, Any]]]:
    """Workload → setting → value and origin, for `--json`."""
    made: dict[str, dict[str, dict[str, Any]]] = {}
    for row in shown:
        entry = {"value": row.value, "from": row.origin}
        made.setdefault(row.workload, {})[row.setting] = entry
    return made


def telling(shown: Iterable[Row]) -> Iterator[Row]:
    """The rows for a reader: what is off, and nobody has touched, is left out."""
    for row in shown:
        is_off = row.value is None or row.value == []
        if not is_off or not row.origin.startswith(DEFAULT):
            yield row


DEFAULT = "default"


def _origin(origins: Mapping[str, str], path: str, size: str) -> str:
    # Whoever switches `network` off as a whole has said what `network.target` is.
    parts = path.split(".")
    whole = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((origins[each] for each in whole if each in origins), f"{DEFAULT}, {size}")
