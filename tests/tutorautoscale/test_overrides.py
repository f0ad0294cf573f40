"""Profiles → what Deployments lack, as patches."""

from __future__ import annotations

from typing import Any

import pytest
from tutorautoscale.configuration import Cluster
from tutorautoscale.discovery import Brought
from tutorautoscale.draining import after_requests, after_start
from tutorautoscale.overrides import deployment, priority_classes
from tutorautoscale.profile import Celery, Probe, Probes, Profile, Resource, Sidecar

from tests.tutorautoscale import made
from tests.tutorautoscale.made import CELERY, WEB, workload

WORKER = WEB._replace(celery=Celery(concurrency=3))
LABELS = {"app.kubernetes.io/name": "web"}


def pod(profile: Profile, cluster: Cluster | None = None, **brings: Any) -> dict[str, Any]:
    """The pod spec of the patch for a Deployment called web."""
    patch = deployment(workload(profile, **brings), cluster or Cluster())
    spec: dict[str, Any] = patch["spec"]["template"]["spec"]
    return spec


def container(profile: Profile, **brings: Any) -> dict[str, Any]:
    """The container of the patch for a Deployment called web."""
    (found,) = pod(profile, **brings)["containers"]
    assert found["name"] == "web"
    return dict(found)


SLEEP = {"sleep": {"seconds": 15}}


def hook(handler: dict[str, Any]) -> dict[str, Any]:
    """What is done before the end, in place of anything else."""
    return {"preStop": {"$patch": "replace", **handler}}


def test_replicas_belong_to_the_autoscaler() -> None:
    """A patch takes their number away, and an update never goes below it."""
    patch = deployment(workload(), Cluster())
    assert patch["metadata"] == {"name": "web"}
    assert patch["spec"]["replicas"] is None
    assert patch["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_what_must_not_have_two_pods_keeps_its_strategy() -> None:
    """Else two of them would run side by side while it is updated."""
    found = workload()
    alone = found._replace(found=found.found._replace(stateful="it is a database"))
    assert "strategy" not in deployment(alone, Cluster())["spec"]


def test_a_number_of_processes_that_a_container_brings_stays() -> None:
    """Behind a shell, it stands in the environment."""
    brings = {"command": ("sh", "-c", "celery worker")}
    assert container(WORKER, **brings)["env"][0]["value"] == "3"
    own = frozenset({"CELERY_WORKER_CONCURRENCY"})
    assert "env" not in container(WORKER, environment=own, **brings)


def test_only_limits_that_are_set_are_written() -> None:
    """Requests are always there; a limit of `null` is no limit."""
    assert container(WEB)["resources"] == {
        "requests": {"cpu": "500m", "memory": "2Gi"},
        "limits": {"memory": "3Gi"},
    }
    unlimited = WEB._replace(memory=Resource("2Gi", None, 80))
    assert container(unlimited)["resources"]["limits"] == {}


def test_a_limit_that_the_container_brings_is_taken_away() -> None:
    """A merge would keep it, and it may be less than our request."""
    limits = container(WEB, limits={"cpu": "1", "memory": "1Gi"})["resources"]["limits"]
    assert limits == {"cpu": None, "memory": "3Gi"}


def test_the_startup_probe_lasts_as_long_as_a_start_may_take() -> None:
    """Period times failures cover `start_s`; the other probes keep their own."""
    probes = Probes(startup=Probe(8000, period_s=5), liveness=Probe(8000, failures=6))
    found = container(WEB._replace(start_s=61, probes=probes))
    assert found["startupProbe"]["periodSeconds"] * found["startupProbe"]["failureThreshold"] == 65
    assert found["livenessProbe"]["failureThreshold"] == 6
    assert "readinessProbe" not in found


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        (Probe(80), {"tcpSocket": {"port": 80}}),
        (Probe(80, "/up"), {"httpGet": {"path": "/up", "port": 80, "httpHeaders": []}}),
        (
            Probe(80, "/up", "lms"),
            {
                "httpGet": {
                    "path": "/up",
                    "port": 80,
                    "httpHeaders": [{"name": "Host", "value": "lms"}],
                }
            },
        ),
        (Probe(command=("true",)), {"exec": {"command": ["true"]}}),
    ],
    ids=["port", "path", "host", "command"],
)
def test_a_probe_asks_in_one_way(probe: Probe, expected: dict[str, Any]) -> None:
    """Kubernetes refuses two."""
    found = container(WEB._replace(probes=Probes(readiness=probe)))
    timing = {"periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3}
    assert found["readinessProbe"] == {"$patch": "replace", **expected, **timing}
    assert {"startupProbe", "livenessProbe"}.isdisjoint(found)


OWN = Probe(80, "/up", "acme")
CHANGES: dict[str, tuple[Probe, str, Probe, Any]] = {
    "nothing": (OWN, "httpGet", OWN, ...),
    "switched off": (OWN, "httpGet", Probe(), None),
    "unlike our settings": (Probe(), "tcpSocket", Probe(), ...),
    "its pace": (OWN, "httpGet", OWN._replace(period_s=3), {"periodSeconds": 3}),
    "its path": (OWN, "httpGet", OWN._replace(path="/a"), {"httpGet": {"path": "/a"}}),
    "its port": (Probe(80), "grpc", Probe(81), {"grpc": {"port": 81}}),
    "its command": (
        Probe(command=("a",)),
        "exec",
        Probe(command=("b",)),
        {"exec": {"command": ["b"]}},
    ),
    "what it asks": (
        OWN,
        "httpGet",
        Probe(80),
        {
            "$patch": "replace",
            "tcpSocket": {"port": 80},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
    ),
}


@pytest.mark.parametrize(("brought", "handler", "probe", "change"), CHANGES.values(), ids=CHANGES)
def test_of_a_probe_that_a_container_brings_only_what_differs_changes(
    brought: Probe, handler: str, probe: Probe, change: Any
) -> None:
    """What our settings do not know of it stays, unless it is to ask in another way."""
    found = container(
        WEB._replace(probes=Probes(readiness=probe)),
        probes={"readiness": Brought(brought, handler)},
    )
    assert found.get("readinessProbe", ...) == change


def test_of_what_we_know_no_probe_of_others_stays() -> None:
    """A path that asks the database, or another scheme, is not what its settings say."""
    brought = {"readiness": Brought(Probe(8000, "/"), "httpGet")}
    lms = workload(WEB._replace(probes=Probes(readiness=Probe(8000, "/a"))), "lms", probes=brought)
    (found,) = deployment(lms, Cluster())["spec"]["template"]["spec"]["containers"]
    assert found["readinessProbe"]["$patch"] == "replace"


def test_a_hook_of_its_own_stays() -> None:
    """Where it is to; else ours takes its place, whatever kind either is of."""
    assert "lifecycle" not in container(WEB._replace(drain="own"), ports=(80,), hook=True)
    assert "lifecycle" not in container(WORKER._replace(drain="own"), args=CELERY, hook=True)
    assert container(WEB, hook=True)["lifecycle"]["preStop"]["$patch"] == "replace"
    assert container(WEB._replace(drain_s=0), hook=True)["lifecycle"] == {"preStop": None}


@pytest.mark.parametrize(
    ("drain_s", "expected"), [(15, hook(SLEEP)), (0, None)], ids=["some", "none"]
)
def test_a_pod_drains_before_it_ends(drain_s: int, expected: Any) -> None:
    """The hook sleeps as long as told; Kubernetes before 1.33 refuses a sleep of zero."""
    assert container(WEB._replace(drain_s=drain_s)).get("lifecycle") == expected


def test_a_web_server_drains_until_its_requests_are_done() -> None:
    """At the port that it opens; without one the time alone is left to go by."""
    draining = WEB._replace(drain="requests")
    assert container(draining, ports=(8000,))["lifecycle"] == hook(after_requests(8000, 15))
    assert container(draining)["lifecycle"] == hook(SLEEP)


def test_a_worker_is_told_to_end_once_it_listens() -> None:
    """If it is the first process: a shell never gets a handler, and would be waited for in vain."""
    assert container(WORKER, args=CELERY)["lifecycle"] == hook(after_start())
    assert "lifecycle" not in container(
        WORKER._replace(drain_s=0), command=("sh", "-c", "celery worker")
    )


@pytest.mark.parametrize("key", ["command", "args"])
def test_a_worker_gets_a_number_of_processes(key: str) -> None:
    """At the end of its command line, wherever that stands."""
    found = container(WORKER, **{key: CELERY})
    assert found[key] == [*CELERY, "--concurrency=3"]
    assert {"command", "args", "env"} & set(found) == {key}


def test_arguments_end_the_command_line() -> None:
    """With both, the option belongs behind the arguments."""
    found = container(WORKER, command=("celery",), args=CELERY[1:])
    assert found["args"] == [*CELERY[1:], "--concurrency=3"]
    assert "command" not in found


def test_a_worker_behind_a_shell_reads_a_variable() -> None:
    """The option would be the shell's."""
    found = container(WORKER, command=("sh", "-c"), args=("celery -A acme worker",))
    assert found["env"] == [{"name": "CELERY_WORKER_CONCURRENCY", "value": "3"}]
    assert {"command", "args"}.isdisjoint(found)


def test_only_a_worker_gets_processes() -> None:
    """What is none keeps its command line, and so does a worker that is to keep its own."""
    for found in (container(WORKER, args=("serve",)), container(WEB, args=CELERY)):
        assert {"command", "args", "env"}.isdisjoint(found)


def test_lost_nodes_are_left_soon_and_never_scheduled_to() -> None:
    """Only eviction is tolerated: tolerating NoSchedule would keep a lost zone in the count."""
    assert [
        (taint["key"].rpartition("/")[2], taint["effect"], taint["tolerationSeconds"])
        for taint in pod(WEB)["tolerations"]
    ] == [("not-ready", "NoExecute", 10), ("unreachable", "NoExecute", 10)]


def test_what_a_pod_tolerates_it_goes_on_to_tolerate() -> None:
    """Its place may be on nodes of its own; how long it stays on a lost one, we say."""
    own = {"key": "tenant", "operator": "Exists"}
    longer = {"key": "node.kubernetes.io/not-ready", "tolerationSeconds": 300}
    found = made.deployment("web")._replace(tolerations=(own, longer))
    patch = deployment(workload()._replace(found=found), Cluster())
    first, *others = patch["spec"]["template"]["spec"]["tolerations"]
    assert first == own
    assert [each["tolerationSeconds"] for each in others] == [10, 10]


@pytest.mark.parametrize(
    ("zones", "unsatisfiable"),
    [("required", "DoNotSchedule"), ("preferred", "ScheduleAnyway")],
)
def test_pods_spread_over_zones_and_hosts(zones: str, unsatisfiable: str) -> None:
    """Zones as strictly as told, hosts softly; lost nodes and old revisions do not count."""
    constraints = pod(WEB._replace(zones=zones))["topologySpreadConstraints"]
    assert [(each["topologyKey"], each["whenUnsatisfiable"]) for each in constraints] == [
        ("topology.kubernetes.io/zone", unsatisfiable),
        ("kubernetes.io/hostname", "ScheduleAnyway"),
    ]
    for each in constraints:
        assert each["nodeTaintsPolicy"] == "Honor"
        assert each["matchLabelKeys"] == ["pod-template-hash"]
        assert each["labelSelector"] == {"$patch": "replace", "matchLabels": LABELS}


def test_pods_keep_apart_by_the_selector_of_their_deployment() -> None:
    """Whatever it is called."""
    selector = {"matchLabels": {"app": "acme"}}
    other = workload()._replace(found=made.deployment("web")._replace(selector=selector))
    spec = deployment(other, Cluster())["spec"]["template"]["spec"]
    (term,) = spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert term["podAffinityTerm"]["labelSelector"] == {"matchLabels": {"app": "acme"}}


def test_pods_keep_apart_from_whom_they_did() -> None:
    """A merge of lists without names would put ours in their place."""
    own = {"weight": 5, "podAffinityTerm": {"topologyKey": "x"}}
    other = workload()._replace(found=made.deployment("web")._replace(apart=(own,)))
    spec = deployment(other, Cluster())["spec"]["template"]["spec"]
    terms = spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert [each["weight"] for each in terms] == [5, 100]


@pytest.mark.parametrize(
    ("priority", "there", "expected"),
    [
        ("serving", True, "openedx-serving"),
        ("background", True, "openedx-background"),
        ("serving", False, None),
        ("system-cluster-critical", False, "system-cluster-critical"),
        ("system-cluster-critical", True, "system-cluster-critical"),
        (None, True, None),
    ],
)
def test_priorities_are_classes_that_the_cluster_has(
    priority: str | None, there: bool, expected: str | None
) -> None:
    """Ours only if it is said that they are there: a missing one would stop every pod."""
    spec = pod(WEB._replace(priority=priority), Cluster(priority_classes=there))
    assert spec.get("priorityClassName") == expected


def test_a_priority_that_is_brought_can_be_taken_away() -> None:
    """By `null`; that ours is not in the cluster is no reason."""
    golden = made.deployment("web")._replace(priority="gold")
    for priority, expected in ((None, {"priorityClassName": None}), ("serving", {})):
        other = workload(WEB._replace(priority=priority))._replace(found=golden)
        spec = deployment(other, Cluster())["spec"]["template"]["spec"]
        assert {key: spec[key] for key in spec if key == "priorityClassName"} == expected


def test_each_priority_class_is_known_with_who_uses_it() -> None:
    """To be looked for in the cluster."""
    of = {"gold": "a", "serving": "b", None: "c"}
    found = [workload(WEB._replace(priority=each), name) for each, name in of.items()]
    assert priority_classes(found, Cluster()) == {"gold": "a"}
    there = Cluster(priority_classes=True)
    assert priority_classes(found, there) == {"gold": "a", "openedx-serving": "b"}


def test_other_containers_of_the_pod_get_resources_alone() -> None:
    """Without requests of all containers the pod could be put on a full node."""
    found = made.deployment("web", made.container("web"), made.container("agent"))
    sidecar = Sidecar(Resource("50m"), Resource("64Mi", "96Mi"))
    profile = WEB._replace(containers={"agent": sidecar})
    patch = deployment(workload(profile)._replace(found=found), Cluster())
    web, agent = patch["spec"]["template"]["spec"]["containers"]
    assert web["name"] == "web"
    assert agent == {
        "name": "agent",
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"memory": "96Mi"},
        },
    }
