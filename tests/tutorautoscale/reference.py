"""The tables of docs/reference/autoscale.md, made of the code. `make docs` writes them.

python -m tests.tutorautoscale.reference
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tutorautoscale.profile import READERS, Profile, Sidecar
from tutorautoscale.settings import Each, flat
from tutorautoscale.workloads import SIZES
from tutorplatform.quantity import cpu_millicores, memory_bytes

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "autoscale.md"

# Setting → what may be written, and what it means.
SETTINGS: Mapping[str, tuple[str, str]] = {
    "min": ("1 to 1000", "pods, at least; with 1 a lost node is an outage"),
    "max": ("1 to 1000", "pods, at most"),
    "cpu.request": ("`500m`, `2`", "what a node must have free for a pod"),
    "cpu.limit": ("the same, or `null` for none", "where a container is throttled"),
    "cpu.target": ("1 to 100, or `null`", "average use to scale for, in percent of the request"),
    "memory.request": ("`2Gi`", "what a node must have free for a pod"),
    "memory.limit": ("the same, or `null` for none", "where a container is killed"),
    "memory.target": ("1 to 100, or `null`", "average use to scale for, in percent of the request"),
    "network.target": (
        "`5M`, or `null`",
        "average bytes per second and pod, in and out, to scale for; needs KEDA and a Prometheus",
    ),
    "requests.target": (
        "1 to 100000, or `null`",
        "average requests in flight per pod to scale for; needs KEDA",
    ),
    "requests.hosts": ("a list of hosts", "whose requests at Caddy are counted"),
    "queue.target": (
        "1 to 100000, or `null`",
        "average tasks per pod that wait, to scale for; needs KEDA",
    ),
    "queue.names": ("a list of names", "Celery queues, read from the worker's command"),
    "probes.*.port": (
        "1 to 65535, or `null`",
        "port that is asked; `*`: `startup`, `readiness`, `liveness`",
    ),
    "probes.*.path": (
        "`/heartbeat`, or `null`",
        "path that is asked; without one, whether the port is open",
    ),
    "probes.*.host": (
        "a host, or `null`",
        "`Host` header; Django refuses hosts that it does not know",
    ),
    "probes.*.command": ("a list of words", "command that is run instead"),
    "probes.*.period_s": ("1 to 300", "between two looks"),
    "probes.*.timeout_s": ("1 to 300", "how long an answer may take"),
    "probes.*.failures": (
        "1 to 100",
        "looks in a row that fail; `startup` has none, as `start_s` says it",
    ),
    "celery.concurrency": ("1 to 64", "processes of a Celery worker"),
    "start_s": ("5 to 3600", "how long a container may take to start before it is started anew"),
    "drain_s": (
        "0 to 3600",
        "how long a pod that is to end still serves while its address is taken out of use",
    ),
    "drain": (
        "`time`, `requests`, `own`",
        "`requests`: until its requests are done, too; needs `sh` and `grep` in the image; "
        "`own`: what the container brings",
    ),
    "grace_s": (
        "1 to 3600",
        "when it is killed, counted from the moment it is to end; more than `drain_s`",
    ),
    "lost_node_s": (
        "0 to 3600",
        "how long a pod stays on a lost node after Kubernetes has noticed the loss",
    ),
    "zones": (
        "`required`, `preferred`",
        "whether a pod waits rather than leave the zones out of balance by more than one",
    ),
    "disruption": ("`1`, `'25%'`", "pods that drains of nodes may take at a time"),
    "priority": (
        "`serving`, `background`, a PriorityClass, or `null`",
        "who gets room first; the first two need `AUTOSCALE_CLUSTER.priority_classes`",
    ),
    "containers.*.cpu.request": ("`500m`", "of another container in the pod, by its name"),
    "containers.*.cpu.limit": ("the same, or `null`", "likewise"),
    "containers.*.memory.request": ("`256Mi`", "likewise"),
    "containers.*.memory.limit": ("the same, or `null`", "likewise"),
}

# The columns of the tables of defaults; what is the same for all is said in a line.
COLUMNS = (
    *("min", "max", "cpu.request", "memory.request", "memory.limit"),
    *("start_s", "drain_s", "drain", "grace_s", "celery.concurrency", "priority"),
)


def written(text: str) -> str:
    """The page with its generated parts made anew."""
    parts = {"settings": settings(), **{size: defaults(SIZES[size]) for size in SIZES}}
    for name, part in parts.items():
        begin, end = f"<!-- {name}: generated -->\n", "<!-- end -->"
        before, _, rest = text.partition(begin)
        assert rest, f"{PAGE.name} has no place for {name}"
        text = f"{before}{begin}{part}{end}{rest.partition(end)[2]}"
    return text


def settings() -> str:
    """Each setting, what may be written and what it means."""
    rows = [(f"`{path}`", *SETTINGS[path]) for path in dict.fromkeys(paths(READERS))]
    return _table(("key", "value", "meaning"), rows)


def paths(readers: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """All settings, with `*` for what has a name of its own."""
    for key, read in readers.items():
        if isinstance(read, Each):
            yield from paths(read.readers, f"{path}{key}.*.")
        elif isinstance(read, Mapping):
            yield from paths(read, f"{path}{'*' if path == 'probes.' else key}.")
        else:
            yield f"{path}{key}"


def defaults(profiles: Mapping[str, Profile]) -> str:
    """The values of each workload, what is the same for all, and what all of it asks for."""
    each = {name: dict(flat(profile, READERS)) for name, profile in profiles.items()}
    rows = [
        (f"`{name}`", *(_shown(values[column]) for column in COLUMNS))
        for name, values in each.items()
    ]
    same = ("cpu.limit", "cpu.target", "memory.target", "lost_node_s", "zones", "disruption")
    said = []
    for path in same:
        (value,) = {values[path] for values in each.values()}
        said.append(f"`{path}: {'null' if value is None else value}`")
    table = _table(("workload", *COLUMNS), rows)
    return f"{table}\nFor all of them: {', '.join(said)}.\n{_sum(profiles)}\n"


CORE = ("caddy", "cms", "cms-worker", "lms", "lms-worker", "mfe")


def _sum(profiles: Mapping[str, Profile]) -> str:
    core = [profiles[name] for name in CORE]
    everything = [*profiles.values()]
    return (
        f"Idle, an instance with `mfe` behind another proxy asks for {_requests(core)}; "
        f"with all of these, {_requests(everything)}."
    )


def _requests(profiles: Iterable[Profile]) -> str:
    parts: list[tuple[int, Profile | Sidecar]] = []
    for each in profiles:
        parts.append((each.min, each))
        parts += [(each.min, sidecar) for sidecar in each.containers.values()]
    cpus = sum(count * cpu_millicores(part.cpu.request, "cpu") for count, part in parts) / 1000
    memory = sum(count * memory_bytes(part.memory.request, "memory") for count, part in parts)
    return f"{cpus:.2f} CPUs and {memory / 1024**3:.1f} GiB"


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(header), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
