"""The fixed day, and the fleet that it is compared with."""

from __future__ import annotations

import pytest
from localcluster.nodegroups import Size
from tutorautoscale.scalers import BEHAVIOR

from bench import days, replay
from bench.days import Fleet
from bench.demand import Workload
from bench.replay import Plan

CPU = {"containerResource": {"name": "cpu", "target": {"averageUtilization": 70}}}
SCALER = {"minReplicas": 2, "maxReplicas": 10, "metrics": [CPU], "behavior": BEHAVIOR}
LMS = Workload("lms", 2, 10, Size(500, 2 * 2**30), True, 0, SCALER)
SEARCH = Workload("meilisearch", 1, 1, Size(0, 0), False, 0, {})
FLEET = Fleet("any", "standard", instances=2, times=3, instance_type="m6i.xlarge")


@pytest.mark.parametrize(
    ("second", "percent"), [(0, 10), (3599, 10), (3600, 5), (20 * 3600, 100), (-1, 20), (86400, 10)]
)
def test_the_load_jumps_at_the_full_hour(second: float, percent: int) -> None:
    assert days.load(second) == percent / 100


def test_the_day_has_24_hours_and_half_of_its_peak_on_average() -> None:
    assert len(days.PERCENT) == 24
    assert sum(days.PERCENT) / 24 == pytest.approx(50.1, abs=0.1)


def test_at_the_peak_all_pods_are_needed() -> None:
    """Of what scales; what does not has no load and stays as it is."""
    apps = days.apps([LMS, SEARCH], FLEET)
    assert [(app.namespace, app.workload.name) for app in apps] == [
        ("instance-0", "lms"),
        ("instance-0", "meilisearch"),
        ("instance-1", "lms"),
        ("instance-1", "meilisearch"),
    ]
    assert (apps[0].workload.most, apps[0].peak_millicores) == (30, 30 * 500 * 0.7)
    assert (apps[1].workload.most, apps[1].peak_millicores) == (1, 0)


def test_a_day_is_less_than_a_fleet_for_its_peak() -> None:
    plan = Plan(days.apps([LMS], FLEET), (), Size(4000, 16 * 2**30, pods=58))
    states = list(replay.replayed(plan, days.load, days.DAY_S))
    day, hours = days.day("any", plan, states)
    assert day.instances == 2
    assert day.node_hours == pytest.approx(sum(hour.nodes for hour in hours), rel=0.02)
    assert day.percent == pytest.approx(100 * day.node_hours / (24 * day.peak_nodes), abs=0.1)
    assert 45 < day.percent < 75
    peak = hours[days.PERCENT.index(100)]
    assert (peak.hour, peak.percent) == (20, 100)
    assert peak.lms_pods == max(hour.lms_pods for hour in hours)
    assert not next(holds for _, holds, _ in days.claims(day, day.percent - 1))
    assert next(holds for _, holds, _ in days.claims(day, day.percent))
