"""Edge: two commands timed side by side, so that whatever the machine does hits both."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console


@dataclass(frozen=True)
class Pair:
    """Seconds of each run of two commands, in pairs."""

    first: list[float]
    second: list[float]

    @property
    def ratio(self) -> float:
        """How much longer the second takes: the median of the pairs' ratios."""
        return statistics.median(b / a for a, b in zip(self.first, self.second, strict=True))

    @property
    def difference_s(self) -> float:
        """Seconds that the second takes longer: the median of the pairs' differences."""
        return statistics.median(b - a for a, b in zip(self.first, self.second, strict=True))


def seconds(command: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    command()
    return time.perf_counter() - start


def cpu_seconds(command: Callable[[], object]) -> float:
    """What one call, of a program that computes, takes of a processor, whatever else runs there."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def paired(
    console: Console,
    title: str,
    first: Callable[[], object],
    second: Callable[[], object],
    runs: int,
    measure: Callable[[Callable[[], object]], float] = seconds,
) -> Pair:
    """Time both by turns, after a run of each that does not count."""
    first()
    second()
    pair = Pair([], [])
    with console.status(title) as status:
        for run in range(runs):
            status.update(f"{title}: {run + 1} of {runs}")
            # The one that goes first changes, in case that matters.
            order = [(pair.first, first), (pair.second, second)]
            for times, command in order if run % 2 else reversed(order):
                times.append(measure(command))
    return pair


def shown(times: list[float]) -> str:
    """`0.61 s (0.59 to 0.70)`: median, least and most."""
    return f"{statistics.median(times):.2f} s ({min(times):.2f} to {max(times):.2f})"
