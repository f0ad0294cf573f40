"""What `tutor autoscale show` prints: each setting of each workload, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tutorautoscale import workloads
from tutorautoscale.discovery import Deployment
from tutorautoscale.effective import Workload
from tutorautoscale.profile import READERS
from tutorautoscale.settings import flat


class Row(NamedTuple):
    """One setting of one workload. `value`: as in config.yml."""

    workload: str
    setting: str
    value: Any
    origin: str


def rows(found: Iterable[Workload], size: str) -> Iterator[Row]:
    """All settings, in the order of the reference. `size`: AUTOSCALE_PROFILE."""
    for each in found:
        brought = _brought(each.found, size)
        for path, value in flat(each.profile, READERS):
            plain = list(value) if isinstance(value, tuple) else value
            default = ITSELF if path in brought else f"{DEFAULT}, {size}"
            yield Row(each.found.name, path, plain, _origin(each.origins, path, default))


def _brought(found: Deployment, size: str) -> set[str]:
    """The settings that have another default, as the Deployment says something of them itself."""
    defaults, without = (
        dict(flat(workloads.default(each, size), READERS)) for each in (found, found.bare)
    )
    return {path for path, value in defaults.items() if value != without[path]}


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
        if not is_off or not row.origin.startswith((DEFAULT, ITSELF)):
            yield row


DEFAULT, ITSELF = "default", "its Deployment"


def _origin(origins: Mapping[str, str], path: str, default: str) -> str:
    # Whoever switches `network` off as a whole has said what `network.target` is.
    parts = path.split(".")
    whole = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((origins[each] for each in whole if each in origins), default)
