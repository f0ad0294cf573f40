"""What kustomize makes of a Tutor root with the autoscale plugin."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tutorplatform import manifests
from tutorplatform.manifests import Manifest

from demo.tutor import TutorRoot
from tests.conftest import NewRoot
from tests.render.others import OVERRIDES, PODS, write_plugin
from tests.render.scaling import PROBES, named, pod, scaled, selected, selectors

pytestmark = pytest.mark.render

OFFICIAL = ("credentials", "discovery", "forum", "mfe", "notes", "xqueue")
CORE = {"cms", "cms-worker", "lms", "lms-worker", "smtp"}
KNOWN = {*CORE, "caddy", *OFFICIAL} - {"forum"}
WORKERS = {"cms-worker": 2, "lms-worker": 2}

OPINIONS = """
from tutorautoscale.hooks import AUTOSCALE_WORKLOADS

AUTOSCALE_WORKLOADS.add_items([("notes", {"max": 3, "cpu": {"target": 50}}), ("lms", {"min": 3})])
"""


@pytest.fixture(scope="module")
def alone(new_root: NewRoot) -> list[Manifest]:
    """Objects with this plugin only, all settings left as they are."""
    return _saved(new_root("autoscale")).rendered()


@pytest.fixture(scope="module")
def instance(new_root: NewRoot) -> TutorRoot:
    """All official plugins, another one, and a few settings."""
    root = new_root(
        "autoscale",
        "other",
        *OFFICIAL,
        ENABLE_WEB_PROXY=False,
        AUTOSCALE_SERVICES={"mfe": {"max": 9}, "notes": {"min": 3}},
        AUTOSCALE_CLUSTER={"priority_classes": True},
    )
    write_plugin(root, PODS, k8s_override=OVERRIDES)
    with (root.path / "plugins" / "other.py").open("a") as file:
        file.write(OPINIONS)
    return _saved(root)


@pytest.fixture(scope="module")
def complete(instance: TutorRoot) -> list[Manifest]:
    """The objects of that instance."""
    return instance.rendered()


@pytest.fixture(params=["alone", "complete"])
def rendered(request: pytest.FixtureRequest) -> list[Manifest]:
    """Objects of each combination of plugins."""
    found: list[Manifest] = request.getfixturevalue(request.param)
    return found


def test_alone_it_scales_what_has_no_volume(alone: list[Manifest]) -> None:
    """Without plugins, and with a Caddy that keeps certificates on a volume, five scale."""
    assert set(named(alone, "HorizontalPodAutoscaler")) == CORE


def test_with_plugins_it_scales_all_that_is_stateless(complete: list[Manifest]) -> None:
    """Caddy behind another proxy, all official plugins, and what another plugin brings."""
    expected = {*KNOWN, "acme", "acme-own", "acme-worker"}
    assert set(named(complete, "HorizontalPodAutoscaler")) == expected


def test_settings_win_over_plugins_and_plugins_over_defaults(complete: list[Manifest]) -> None:
    """Defaults, then the filter, then AUTOSCALE_SERVICES."""
    bounds = {
        name: (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"])
        for name, scaler in named(complete, "HorizontalPodAutoscaler").items()
    }
    assert bounds["mfe"] == (2, 9)
    assert bounds["notes"] == (3, 3)
    assert bounds["lms"] == (3, 10)
    assert bounds["acme"] == (2, 4)


def test_every_autoscaler_owns_the_replicas_of_a_deployment(rendered: list[Manifest]) -> None:
    """Each HPA targets a Deployment that exists and sets no replicas, and keeps at least two."""
    for scaler in named(rendered, "HorizontalPodAutoscaler").values():
        target = scaler["spec"]["scaleTargetRef"]
        deployment = named(rendered, target["kind"])[target["name"]]
        assert target["apiVersion"] == deployment["apiVersion"]
        assert "replicas" not in deployment["spec"]
        assert scaler["spec"]["minReplicas"] >= 2
        containers = {each["name"] for each in pod(deployment)["containers"]}
        metrics = {each["containerResource"]["container"] for each in scaler["spec"]["metrics"]}
        assert metrics <= containers


def test_every_scaled_container_is_complete(rendered: list[Manifest]) -> None:
    """Each keeps its image and has requests; that which serves or works has probes."""
    for deployment in scaled(rendered):
        for container in pod(deployment)["containers"]:
            assert container["image"]
            assert set(container["resources"]["requests"]) == {"cpu", "memory"}
            if container["name"] == manifests.name(deployment):
                assert {"startupProbe", "livenessProbe"} <= set(container)


def test_probes_ask_ports_that_the_container_opens(rendered: list[Manifest]) -> None:
    """Each probe over the network goes to a port that the container declares."""
    for deployment in scaled(rendered):
        for container in pod(deployment)["containers"]:
            opened = container.get("ports", [])
            ports = {
                each[key] for each in opened for key in ("containerPort", "name") if key in each
            }
            for kind in PROBES:
                probe = container.get(kind, {})
                asked = probe.get("tcpSocket") or probe.get("httpGet")
                assert asked is None or asked["port"] in ports


def test_only_the_first_start_waits_for_databases(rendered: list[Manifest]) -> None:
    """The platform's startup asks /heartbeat under a host that it knows; nothing else does."""
    for name in ("lms", "cms"):
        (container,) = pod(named(rendered, "Deployment")[name])["containers"]
        assert container["startupProbe"]["httpGet"] == {
            "path": "/heartbeat",
            "port": 8000,
            "httpHeaders": [{"name": "Host", "value": name}],
        }
        assert {"httpGet", "exec"}.isdisjoint(container["readinessProbe"])
        assert {"httpGet", "exec"}.isdisjoint(container["livenessProbe"])


def test_workers_have_a_fixed_number_of_processes(rendered: list[Manifest]) -> None:
    """At the end of their arguments, and their environment stays as it was."""
    for name, processes in WORKERS.items():
        (container,) = pod(named(rendered, "Deployment")[name])["containers"]
        assert container["args"][0] == "celery"
        assert container["args"][-1] == f"--concurrency={processes}"
        environment = {each["name"]: each["value"] for each in container["env"]}
        assert environment["SERVICE_VARIANT"] == name.removesuffix("-worker")


def test_what_nobody_told_us_about_runs_like_the_rest(complete: list[Manifest]) -> None:
    """A server is asked at its port, a worker has processes; what they bring stays."""
    found = named(complete, "Deployment")
    server, agent = pod(found["acme"])["containers"]
    assert {server[kind]["tcpSocket"]["port"] for kind in PROBES} == {9000}
    assert server["resources"]["limits"] == {"cpu": "50m"}
    assert server["resources"]["requests"]["cpu"] == "50m"
    assert PROBES.isdisjoint(agent)
    worker = pod(found["acme-worker"])["containers"][0]
    assert worker["command"] == ["celery", "-A", "acme", "worker", "-Q", "acme", "--concurrency=2"]
    assert worker["env"] == [{"name": "A", "value": "b"}]
    assert pod(found["acme-worker"])["priorityClassName"] == "openedx-background"
    assert pod(found["acme"])["priorityClassName"] == "openedx-serving"


def test_what_a_deployment_brings_stays(complete: list[Manifest]) -> None:
    """Its probes, its hook, its grace and its place; what it lacks it gets."""
    spec = pod(named(complete, "Deployment")["acme-own"])
    (container,) = spec["containers"]
    assert container["livenessProbe"] == {
        "httpGet": {"path": "/up", "port": "web", "scheme": "HTTPS"}
    }
    assert container["readinessProbe"] == {"exec": {"command": ["ready"]}}
    assert container["startupProbe"]["tcpSocket"] == {"port": 80}
    assert container["lifecycle"] == {"preStop": {"exec": {"command": ["finish"]}}}
    assert spec["terminationGracePeriodSeconds"] == 300
    assert {"key": "acme", "operator": "Exists"} in spec["tolerations"]
    assert len(spec["tolerations"]) == 3


def test_overrides_of_others_stand_where_ours_say_nothing(complete: list[Manifest]) -> None:
    """Where to run is theirs to say; probes and hooks have settings, and only one kind each."""
    spec = pod(named(complete, "Deployment")["lms"])
    (container,) = spec["containers"]
    assert spec["tolerations"][0] == {"key": "tenant", "operator": "Equal", "value": "acme"}
    assert len(spec["tolerations"]) == 3
    assert "exec" not in container["readinessProbe"]
    assert set(container["lifecycle"]["preStop"]) == {"exec"}
    assert "acme-old" not in named(complete, "Deployment")


def test_a_clock_is_left_alone(complete: list[Manifest]) -> None:
    """Two would send each task twice; its replicas stay its own."""
    clock = named(complete, "Deployment")["acme-clock"]
    assert clock["spec"]["replicas"] == 1
    assert "topologySpreadConstraints" not in pod(clock)


def test_jobs_keep_the_node_that_they_run_on(rendered: list[Manifest]) -> None:
    """A migration that is cut is not always one that can be run again."""
    jobs = list(manifests.of_kind(rendered, "Job"))
    assert jobs
    for job in jobs:
        annotations = job["spec"]["template"]["metadata"]["annotations"]
        assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"


def test_show_says_what_runs_and_why(instance: TutorRoot) -> None:
    """All of it as JSON; for a reader, of the workloads that he names."""
    shown = json.loads(_said(instance, "autoscale", "show", "--json"))
    assert set(shown) == {*KNOWN, "acme", "acme-own", "acme-worker"}
    assert shown["lms"]["min"] == {"value": 3, "from": "plugin other"}
    assert shown["mfe"]["max"] == {"value": 9, "from": "AUTOSCALE_SERVICES"}
    assert shown["lms"]["requests.hosts"]["value"] == ["learn.acme.test"]
    assert shown["acme-worker"]["queue.names"]["value"] == ["acme"]
    lines = [line.split() for line in _said(instance, "autoscale", "show", "lms").splitlines()]
    assert ["lms", "min", "3", "plugin", "other"] in lines
    assert not [words for words in lines if words[:1] in (["cms"], ["network.target"])]


def test_show_refuses_what_does_not_scale(instance: TutorRoot) -> None:
    """With the names of those that do."""
    refused = instance.run("autoscale", "show", "mysql", check=False)
    assert refused.returncode == 1
    assert "workload mysql: does not scale here; use one of caddy, cms" in refused.stdout


def test_selectors_match_exactly_their_own_pods(rendered: list[Manifest]) -> None:
    """Budget, spread and anti-affinity select the pods of their Deployment and no others."""
    for deployment in scaled(rendered):
        name = manifests.name(deployment)
        for selector in selectors(rendered, deployment):
            assert selected(rendered, selector) == [("Deployment", name)]


def test_start_applies_scalers_with_their_deployment(rendered: list[Manifest]) -> None:
    """`tutor k8s start`, with or without a name, selects HPAs and PDBs by their labels."""
    for kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget"):
        for name, manifest in named(rendered, kind).items():
            labels = manifests.labels(manifest)
            assert manifest["metadata"]["namespace"] == "acme"
            assert labels["app.kubernetes.io/name"] == name
            assert labels["app.kubernetes.io/managed-by"] == "tutor"
            assert "app.kubernetes.io/component" not in labels


def test_what_does_not_scale_is_left_alone(alone: list[Manifest]) -> None:
    """Databases, and Caddy with its volume, get nothing of ours."""
    others = named(alone, "Deployment").keys() - CORE
    assert {"caddy", "mysql", "meilisearch"} <= others
    for name in others:
        spec = pod(named(alone, "Deployment")[name])
        (container,) = spec["containers"]
        assert {"topologySpreadConstraints", "tolerations"}.isdisjoint(spec)
        assert {"livenessProbe", "resources", "lifecycle"}.isdisjoint(container)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"lms": {"memory": {"limit": "2GB"}}},
            "AUTOSCALE_SERVICES.lms.memory.limit: '2GB' is not a Kubernetes quantity; write '2Gi'",
        ),
        (
            {"mfe": {"max": 6}},
            "AUTOSCALE_SERVICES.mfe: this instance has no such workload; "
            "enable its plugin, or remove this setting; there are caddy, cms, cms-worker, lms,",
        ),
    ],
    ids=["unit", "absent workload"],
)
def test_config_save_refuses_what_cannot_be_used(
    new_root: NewRoot, settings: dict[str, Any], message: str
) -> None:
    """`tutor config save` ends with the message, without a traceback, and renders nothing."""
    root = new_root("autoscale", AUTOSCALE_SERVICES=settings)
    refused = root.run("config", "save", check=False)
    assert refused.returncode == 1
    assert message in refused.stdout
    assert "Traceback" not in refused.stdout
    assert not (root.path / "env").exists()


def _saved(root: TutorRoot) -> TutorRoot:
    root.run("config", "save")
    return root


def _said(root: TutorRoot, *argv: str) -> str:
    # What Tutor says of root and of plugins goes to stderr, which is in the same text.
    lines = root.run(*argv).stdout.splitlines()
    return "\n".join(line for line in lines if not line.startswith("⚠"))
