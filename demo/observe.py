"""What a fault does to services, second by second. Pure; `watch` is given its eyes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from localcluster.model import Manifest

NAME_LABEL = "app.kubernetes.io/name"


@dataclass(frozen=True, order=True)
class Service:
    """One workload of one instance."""

    namespace: str
    workload: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.workload}"


@dataclass(frozen=True)
class Sample:
    """Ready pods of each service, `second` seconds after the fault."""

    second: float
    ready: Mapping[Service, int]


def service_of(pod: Manifest) -> Service:
    """The service that a pod belongs to; the workload is empty where it names none."""
    metadata = pod["metadata"]
    return Service(metadata["namespace"], metadata.get("labels", {}).get(NAME_LABEL, ""))


def count_by_service(pods: Iterable[Manifest]) -> Counter[Service]:
    """How many of these pods each service has."""
    return Counter(service_of(pod) for pod in pods)


def is_full(ready: Mapping[Service, int], wanted: Mapping[Service, int]) -> bool:
    """Whether every service has at least the pods that it should have."""
    return all(ready.get(service, 0) >= count for service, count in wanted.items())


def watch(
    look: Callable[[], Mapping[Service, int]],
    wanted: Mapping[Service, int],
    show: Callable[[Sequence[Sample]], None],
    timeout_s: float,
    interval_s: float = 1,
    over: Callable[[], bool] | None = None,
) -> list[Sample]:
    """One sample per interval, from now until all services lost strength and have it back.

    A fault that may cost no strength says with `over`, asked at each sample, when it is past.
    Ends early, at `timeout_s`, when they do not get it back; see `seconds_to_full`.
    """
    start = time.monotonic()
    samples: list[Sample] = []
    was_hurt = False
    while True:
        second = time.monotonic() - start
        samples.append(Sample(second, look()))
        show(samples)
        full = is_full(samples[-1].ready, wanted)
        was_hurt = was_hurt or not full
        past = over() if over else was_hurt
        if (past and full) or second > timeout_s:
            return samples
        time.sleep(max(0, start + len(samples) * interval_s - time.monotonic()))


def seconds_at_zero(samples: Sequence[Sample], service: Service) -> float:
    """For how long the service had no ready pod; a sample counts until the next one."""
    return sum(
        after.second - before.second
        for before, after in pairwise(samples)
        if before.ready.get(service, 0) == 0
    )


def seconds_to_full(samples: Sequence[Sample], wanted: Mapping[Service, int]) -> float | None:
    """When every service had its pods back for good; None if that was not reached."""
    if not samples or not is_full(samples[-1].ready, wanted):
        return None
    full_since = len(samples) - 1
    while full_since > 0 and is_full(samples[full_since - 1].ready, wanted):
        full_since -= 1
    return samples[full_since].second
