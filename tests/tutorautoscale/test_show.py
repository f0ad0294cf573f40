"""What `tutor autoscale show` prints."""

from __future__ import annotations

from tutorautoscale.discovery import Brought
from tutorautoscale.effective import Workload
from tutorautoscale.profile import Probe, Probes, Resource, Sidecar
from tutorautoscale.show import Row, nested, rows, telling
from tutorautoscale.workloads import default

from tests.tutorautoscale.made import WEB, deployment

CHANGED = WEB._replace(
    max=9,
    probes=Probes(),
    containers={"agent": Sidecar(Resource("50m"), Resource("64Mi"))},
)
ORIGINS = {"max": "AUTOSCALE_SERVICES", "probes": "plugin acme", "cpu.limit": "plugin acme"}
LMS = Workload(deployment("lms"), CHANGED, ORIGINS)
CMS = Workload(deployment("cms"), WEB, {})


def test_no_workloads_have_no_rows() -> None:
    """Neither for a reader nor for a program."""
    assert list(rows([], "small")) == []
    assert list(telling([])) == []
    assert nested([]) == {}


def test_each_value_says_where_it_comes_from() -> None:
    """Whoever switched a whole mapping off has set each value in it."""
    found = {row.setting: (row.value, row.origin) for row in rows([LMS], "small")}
    assert found["max"] == (9, "AUTOSCALE_SERVICES")
    assert found["min"] == (2, "default, small")
    assert found["cpu.limit"] == (None, "plugin acme")
    assert found["probes.liveness.port"] == (None, "plugin acme")
    assert found["containers.agent.memory.request"] == ("64Mi", "default, small")


def test_what_a_deployment_says_itself_is_no_default_of_ours() -> None:
    """Its requests, probes and grace; not what it did not say, or what we would say as well."""
    brings = deployment(
        requests={"cpu": "2", "memory": "256Mi"},
        probes={"liveness": Brought(Probe(80, "/up"), "httpGet")},
    )._replace(grace_s=300)
    shown = rows([Workload(brings, default(brings, "small"), {})], "small")
    assert {row.setting for row in shown if row.origin == "its Deployment"} == {
        "cpu.request",
        "probes.liveness.port",
        "probes.liveness.path",
        "grace_s",
    }


def test_workloads_stand_one_after_the_other() -> None:
    """All settings of the one, then all of the other, as JSON takes them."""
    found = list(rows([LMS, CMS], "standard"))
    names = [row.workload for row in found]
    assert names == sorted(names, reverse=True)
    assert not [row for row in found if isinstance(row.value, tuple)]


def test_a_reader_is_not_shown_what_is_off() -> None:
    """Unless somebody has switched it off; 0 and false are values."""
    off, none = Row("lms", "network.target", None, "default, small"), "default, small"
    empty = Row("lms", "queue.names", [], none)
    switched = Row("lms", "cpu.target", None, "AUTOSCALE_SERVICES")
    zero = Row("lms", "drain_s", 0, none)
    assert list(telling([off, empty, switched, zero])) == [switched, zero]


def test_a_program_finds_values_by_workload_and_setting() -> None:
    """Everything is there, also what is off."""
    found = nested(rows([LMS, CMS], "small"))
    assert list(found) == ["lms", "cms"]
    assert found["lms"]["max"] == {"value": 9, "from": "AUTOSCALE_SERVICES"}
    assert found["cms"]["network.target"] == {"value": None, "from": "default, small"}
    assert found["lms"].keys() - found["cms"].keys() == {
        f"containers.agent.{kind}.{key}"
        for kind in ("cpu", "memory")
        for key in ("limit", "request")
    }
