"""What a fault does to services, counted from samples."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from demo import observe
from demo.observe import Sample, Service

LMS = Service("acme", "lms")
CMS = Service("acme", "cms")


def samples(*counts: int, service: Service = LMS) -> list[Sample]:
    return [Sample(float(second), {service: count}) for second, count in enumerate(counts)]


def test_pods_count_for_the_service_that_their_label_names() -> None:
    pod = {"metadata": {"namespace": "acme", "labels": {observe.NAME_LABEL: "lms"}}}
    assert observe.count_by_service([pod, pod]) == {LMS: 2}


def test_a_pod_without_labels_counts_for_no_workload() -> None:
    pod = {"metadata": {"namespace": "acme"}}
    assert observe.count_by_service([pod]) == {Service("acme", ""): 1}


@pytest.mark.parametrize(
    ("counts", "seconds"),
    [((2, 1, 1, 2), 0), ((2, 0, 0, 1, 2), 2), ((0,), 0), ((), 0), ((2, 0), 0), ((0, 0, 1), 2)],
)
def test_seconds_at_zero_last_until_the_next_sample(counts: tuple[int], seconds: float) -> None:
    assert observe.seconds_at_zero(samples(*counts), LMS) == seconds


def test_a_service_that_is_in_no_sample_was_at_zero_all_the_time() -> None:
    assert observe.seconds_at_zero(samples(2, 2, 2), CMS) == 2


@pytest.mark.parametrize(
    ("counts", "seconds"),
    [((2, 1, 1, 2), 3), ((2, 1, 2, 1, 2, 2), 4), ((2, 2), 0), ((2, 1), None), ((), None)],
)
def test_full_strength_counts_from_when_it_stays(counts: tuple[int], seconds: float | None) -> None:
    assert observe.seconds_to_full(samples(*counts), {LMS: 2}) == seconds


def test_watch_goes_on_until_a_fault_that_costs_nothing_is_over() -> None:
    """And then until full strength, if that was lost just then."""
    ready = iter([2, 2, 1, 2, 9])
    over = iter([False, False, True, True])

    def look() -> Mapping[Service, int]:
        return {LMS: next(ready)}

    seen = observe.watch(look, {LMS: 2}, lambda _: None, 5, interval_s=0, over=lambda: next(over))
    assert [sample.ready[LMS] for sample in seen] == [2, 2, 1, 2]


def test_watch_ends_when_what_was_lost_is_back() -> None:
    """Full strength before the fault has shown itself does not count."""
    looks = iter([2, 2, 1, 2, 9])

    def look() -> Mapping[Service, int]:
        return {LMS: next(looks)}

    seen = observe.watch(look, {LMS: 2}, lambda _: None, timeout_s=5, interval_s=0)
    assert [sample.ready[LMS] for sample in seen] == [2, 2, 1, 2]


def test_watch_ends_at_its_timeout_when_strength_does_not_return() -> None:
    seen = observe.watch(lambda: {LMS: 1}, {LMS: 2}, lambda _: None, 0.05, interval_s=0.01)
    assert observe.seconds_to_full(seen, {LMS: 2}) is None
