"""Defaults, plugins and settings → what holds for each workload, and where it comes from."""

from __future__ import annotations

from typing import Any

import pytest
from tutorautoscale.effective import Contributions, Workload, effective
from tutorautoscale.workloads import SIZES, default
from tutorplatform.errors import ConfigError

from tests.tutorautoscale.made import CELERY, container, deployment

FOUND = {
    "lms": deployment("lms", ports=(8000,)),
    "lms-worker": deployment("lms-worker", args=CELERY),
    "mysql": deployment("mysql", stateful="its data are on a volume"),
    "acme": deployment("acme", ports=(80,)),
}
STATELESS = ["lms", "lms-worker", "acme"]


def made(settings: Any, contributions: Contributions | None = None, **more: Any) -> Any:
    """The workloads of an instance with the Deployments above."""
    values: dict[str, Any] = {"found": FOUND, "size": "standard", "hosts": {}, **more}
    return effective(**values, contributions=contributions or {}, settings=settings)


def refused(settings: Any, contributions: Contributions | None = None, **more: Any) -> str:
    """The message for what cannot be used."""
    with pytest.raises(ConfigError) as caught:
        made(settings, contributions, **more)
    return str(caught.value)


def test_nothing_is_scaled_where_nothing_is() -> None:
    """No Deployments, no workloads."""
    assert made({}, found={}) == {}


@pytest.mark.parametrize("settings", [{}, {"lms": {}}, {"lms": {"cpu": {}}}], ids=str)
def test_every_stateless_deployment_scales_with_its_defaults(settings: Any) -> None:
    """Known or not; an empty mapping, at any depth, changes nothing."""
    found = made(settings)
    assert list(found) == STATELESS
    for name, workload in found.items():
        assert (workload.found, workload.profile) == (FOUND[name], default(FOUND[name], "standard"))


@pytest.mark.parametrize("size", SIZES)
def test_the_defaults_are_those_of_the_profile(size: str) -> None:
    """AUTOSCALE_PROFILE chooses among them."""
    assert made({}, size=size)["lms"].profile == default(FOUND["lms"], size)


def test_a_workload_knows_its_hosts() -> None:
    """For who scales by requests in flight; without a host there is none."""
    found = made({}, hosts={"lms": "learn.acme.org"})
    assert found["lms"].profile.requests.hosts == ("learn.acme.org",)
    assert found["acme"].profile.requests.hosts == ()


@pytest.mark.parametrize(
    ("settings", "contributions"),
    [({"mysql": {}}, {}), ({}, {"acme": [("mysql", {})]})],
    ids=["by the operator", "by a plugin"],
)
def test_what_is_stateful_scales_if_it_is_named(
    settings: Any, contributions: Contributions
) -> None:
    """Whoever names it knows what he does."""
    assert "mysql" in made(settings, contributions)
    assert "mysql" not in made({})


ORIGINS = {"min": "plugin acme", "max": "AUTOSCALE_SERVICES", "cpu.target": "AUTOSCALE_SERVICES"}


def test_settings_win_over_plugins_and_plugins_over_defaults() -> None:
    """Deeply, and each value says who has changed it."""
    contributions = {"acme": [("lms", {"min": 3, "max": 7, "cpu": {"target": 50}})]}
    lms = made({"lms": {"max": 9, "cpu": {"target": 60}}}, contributions)["lms"]
    before = default(FOUND["lms"], "standard")
    changed = before._replace(min=3, max=9, cpu=before.cpu._replace(target=60))
    assert lms == Workload(FOUND["lms"], changed, ORIGINS)


def test_two_plugins_change_two_workloads() -> None:
    """Each its own, whichever comes first; what an instance does not have is ignored."""
    items = {"one": [("lms", {"max": 20})], "two": [("acme", {"max": 5}), ("absent", {"max": 2})]}
    found = made({}, items)
    assert list(found) == STATELESS
    assert (found["lms"].profile.max, found["lms"].origins) == (20, {"max": "plugin one"})
    assert (found["acme"].profile.max, found["acme"].origins) == (5, {"max": "plugin two"})


@pytest.mark.parametrize(
    ("contributions", "other"),
    [
        ({"one": [("lms", {})], "two": [("lms", {"max": 20})]}, "two"),
        ({"one": [("lms", {}), ("lms", {})]}, "one"),
    ],
    ids=["two plugins", "one plugin twice"],
)
def test_only_one_plugin_may_speak_of_a_workload(contributions: Contributions, other: str) -> None:
    """Which of them would win would depend on their names."""
    assert refused({}, contributions) == (
        f"AUTOSCALE_WORKLOADS: lms is defined by plugin one and by plugin {other}; "
        "disable one of them"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (None, ": None is not a mapping; write any of acme, lms, lms-worker, mysql in it"),
        ([], ": [] is not a mapping; write any of acme, lms, lms-worker, mysql in it"),
        (
            {"lsm": {"max": 6}},
            ".lsm: this instance has no such workload; use one of acme, lms, lms-worker, mysql",
        ),
        (
            {"mfe": {"max": 6}},
            ".mfe: this instance has no such workload; enable its plugin, or remove this setting; "
            "there are acme, lms, lms-worker, mysql",
        ),
        ({"lms": {"max": 1}}, ".lms.min: 2 is more than max, 1; raise max or lower min"),
        (
            {"acme": {"queue": {"target": 5}}},
            ".acme.queue.target: it is not said of what; "
            "write names: [edx.lms.core.default] beside it",
        ),
        (
            {"lms": {"celery": {"concurrency": 2}}},
            ".lms.celery.concurrency: container lms does not run a Celery worker; "
            "remove this setting",
        ),
        ({"lms": {"cpu": {"target": 150}}}, ".lms.cpu.target: 150 is out of range; write 1 to 100"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_used_are_refused(settings: Any, message: str) -> None:
    """With the path in config.yml."""
    assert refused(settings) == f"AUTOSCALE_SERVICES{message}"


@pytest.mark.parametrize("settings", [None, 6, []], ids=str)
def test_differences_are_a_mapping(settings: Any) -> None:
    """For an operator and for a plugin alike; `lms:` with nothing behind it is none."""
    said = f"{settings!r} is not a mapping; write any of "
    assert refused({"lms": settings}).startswith(f"AUTOSCALE_SERVICES.lms: {said}")
    where = "AUTOSCALE_WORKLOADS of plugin acme, lms"
    assert refused({}, {"acme": [("lms", settings)]}).startswith(f"{where}: {said}")


@pytest.mark.parametrize(
    ("differences", "message"),
    [
        ({"max": 1}, ".min: 2 is more than max, 1; raise max or lower min"),
        (
            {"memory": {"request": "2GB"}},
            ".memory.request: '2GB' is not a Kubernetes quantity; write '2Gi'",
        ),
    ],
    ids=str,
)
def test_what_a_plugin_says_is_checked_like_settings(differences: Any, message: str) -> None:
    """The message names the plugin, as config.yml has nothing to mend."""
    said = refused({}, {"acme": [("lms", differences)]})
    assert said == f"AUTOSCALE_WORKLOADS of plugin acme, lms{message}"


@pytest.mark.parametrize("item", ["lms", ("lms",), (1, {}), None, ("lms", {}, 1)], ids=str)
def test_what_a_plugin_adds_is_a_name_with_differences(item: Any) -> None:
    """Anything else is the plugin's mistake, and says so."""
    assert refused({}, {"acme": [item]}) == (
        f"AUTOSCALE_WORKLOADS of plugin acme: {item!r} is not a name with differences; "
        'add ("acme", {"max": 6})'
    )


def test_what_is_switched_off_stays_off() -> None:
    """Whoever says how it runs has not asked for it to run."""
    found = {"lms": deployment("lms")._replace(off=True), "cms": deployment("cms")}
    assert set(made({"lms": {"max": 9}}, {"acme": [("lms", {"max": 3})]}, found=found)) == {"cms"}


def test_an_operator_mends_what_a_plugin_contradicts() -> None:
    """Only what holds in the end has to be consistent."""
    found = made({"lms": {"min": 1}}, {"acme": [("lms", {"max": 1})]})
    assert (found["lms"].profile.min, found["lms"].profile.max) == (1, 1)


def test_a_sidecar_has_settings_of_its_own() -> None:
    """Each container of the pod by its name, and no others."""
    found = {"lms": deployment("lms", container("lms"), container("agent"))}
    settings = {"lms": {"containers": {"agent": {"cpu": {"request": "75m"}}}}}
    workload = made(settings, found=found)["lms"]
    assert workload.profile.containers["agent"].cpu.request == "75m"
    assert workload.origins == {"containers.agent.cpu.request": "AUTOSCALE_SERVICES"}
    assert refused({"lms": {"containers": {"x": {}}}}, found=found) == (
        "AUTOSCALE_SERVICES.lms.containers.x: there is no such setting; use one of agent"
    )
    assert refused({"lms": {"containers": None}}) == (
        "AUTOSCALE_SERVICES.lms.containers: None is not a mapping; remove it"
    )
