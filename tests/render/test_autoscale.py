"""What kustomize makes of a Tutor root with the autoscale plugin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tutorplatform import manifests
from tutorplatform.manifests import Manifest

from demo.tutor import TutorRoot
from tests.conftest import NewRoot

pytestmark = pytest.mark.render

OFFICIAL = ("credentials", "discovery", "forum", "mfe", "notes", "xqueue")
CORE = {"cms", "cms-worker", "lms", "lms-worker"}

# A plugin of somebody else, which brings its own workload into the mapping.
OTHER_PLUGIN = """
from dataclasses import replace

from tutorautoscale.hooks import AUTOSCALE_PROFILES
from tutorautoscale.profile import Celery, Cpu

@AUTOSCALE_PROFILES.add()
def _profiles(profiles, config):
    web = replace(profiles["lms"], cpu=Cpu("100m", None, 50), max=3)
    return {**profiles, "notes": web, "lms": replace(profiles["lms"], min=3)}
"""


@pytest.fixture(scope="module")
def alone(new_root: NewRoot) -> list[Manifest]:
    """Objects with this plugin only, all settings left as they are."""
    return _saved(new_root("autoscale")).rendered()


@pytest.fixture(scope="module")
def complete(new_root: NewRoot) -> list[Manifest]:
    """Objects with all official plugins, another plugin's profiles, and a few settings."""
    root = new_root(
        "autoscale",
        "other",
        *OFFICIAL,
        ENABLE_WEB_PROXY=False,
        AUTOSCALE_SERVICES={"mfe": {"max": 9}, "notes": {"min": 3}},
    )
    plugins = root.path / "plugins"
    plugins.mkdir()
    (plugins / "other.py").write_text(OTHER_PLUGIN)
    return _saved(root).rendered()


@pytest.fixture(params=["alone", "complete"])
def rendered(request: pytest.FixtureRequest) -> list[Manifest]:
    """Objects of each combination of plugins."""
    found: list[Manifest] = request.getfixturevalue(request.param)
    return found


def test_alone_it_scales_what_has_no_volume(alone: list[Manifest]) -> None:
    """Without mfe, and with a Caddy that keeps certificates on a volume, four workloads scale."""
    assert set(_named(alone, "HorizontalPodAutoscaler")) == CORE


def test_with_plugins_it_scales_all_it_knows(complete: list[Manifest]) -> None:
    """Caddy behind another proxy, the mfe, and what another plugin adds scale too."""
    expected = {*CORE, "caddy", "mfe", "notes"}
    assert set(_named(complete, "HorizontalPodAutoscaler")) == expected


def test_settings_win_over_plugins_and_plugins_over_defaults(complete: list[Manifest]) -> None:
    """Defaults, then the filter, then AUTOSCALE_SERVICES."""
    bounds = {
        name: (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"])
        for name, scaler in _named(complete, "HorizontalPodAutoscaler").items()
    }
    assert bounds["mfe"] == (2, 9)
    assert bounds["notes"] == (3, 3)
    assert bounds["lms"] == (3, 10)


def test_every_autoscaler_owns_the_replicas_of_a_deployment(rendered: list[Manifest]) -> None:
    """Each HPA targets a Deployment that exists and sets no replicas, and keeps at least two."""
    for scaler in _named(rendered, "HorizontalPodAutoscaler").values():
        target = scaler["spec"]["scaleTargetRef"]
        deployment = _named(rendered, target["kind"])[target["name"]]
        assert target["apiVersion"] == deployment["apiVersion"]
        assert "replicas" not in deployment["spec"]
        assert scaler["spec"]["minReplicas"] >= 2
        containers = {each["name"] for each in _pod(deployment)["containers"]}
        metrics = {each["containerResource"]["container"] for each in scaler["spec"]["metrics"]}
        assert metrics <= containers


def test_every_scaled_container_is_complete(rendered: list[Manifest]) -> None:
    """Each scaled container keeps its image and has probes and requests for cpu and memory."""
    for deployment in _scaled(rendered):
        for container in _pod(deployment)["containers"]:
            assert container["image"]
            assert {"startupProbe", "livenessProbe"} <= set(container)
            assert set(container["resources"]["requests"]) == {"cpu", "memory"}


def test_probes_ask_ports_that_the_container_opens(rendered: list[Manifest]) -> None:
    """Each probe over the network goes to a port that the container declares."""
    for deployment in _scaled(rendered):
        for container in _pod(deployment)["containers"]:
            ports = {each["containerPort"] for each in container.get("ports", [])}
            for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                probe = container.get(kind, {})
                asked = probe.get("tcpSocket") or probe.get("httpGet")
                assert asked is None or asked["port"] in ports


def test_only_the_first_start_waits_for_databases(rendered: list[Manifest]) -> None:
    """The platform's startup asks /heartbeat under a host that it knows; nothing else does."""
    for name in ("lms", "cms"):
        (container,) = _pod(_named(rendered, "Deployment")[name])["containers"]
        assert container["startupProbe"]["httpGet"] == {
            "path": "/heartbeat",
            "port": 8000,
            "httpHeaders": [{"name": "Host", "value": name}],
        }
        assert {"httpGet"}.isdisjoint(container["readinessProbe"])
        assert {"httpGet"}.isdisjoint(container["livenessProbe"])


def test_workers_have_a_fixed_number_of_processes(rendered: list[Manifest]) -> None:
    """Celery's concurrency is in the environment, beside the variables that Tutor sets."""
    for name in ("lms-worker", "cms-worker"):
        (container,) = _pod(_named(rendered, "Deployment")[name])["containers"]
        environment = {each["name"]: each["value"] for each in container["env"]}
        assert environment["CELERY_WORKER_CONCURRENCY"] == "2"
        assert environment["SERVICE_VARIANT"] == name.removesuffix("-worker")
        assert not any(argument.startswith("--concurrency") for argument in container["args"])


def test_selectors_match_exactly_their_own_pods(rendered: list[Manifest]) -> None:
    """Budget, spread and anti-affinity select the pods of their Deployment and no others."""
    for deployment in _scaled(rendered):
        name = manifests.name(deployment)
        for selector in _selectors(rendered, deployment):
            assert _selected(rendered, selector) == [("Deployment", name)]


def test_start_applies_scalers_with_their_deployment(rendered: list[Manifest]) -> None:
    """`tutor k8s start`, with or without a name, selects HPAs and PDBs by their labels."""
    for kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget"):
        for name, manifest in _named(rendered, kind).items():
            labels = manifests.labels(manifest)
            assert manifest["metadata"]["namespace"] == "acme"
            assert labels["app.kubernetes.io/name"] == name
            assert labels["app.kubernetes.io/managed-by"] == "tutor"
            assert "app.kubernetes.io/component" not in labels


def test_what_does_not_scale_is_left_alone(alone: list[Manifest]) -> None:
    """Databases, and Caddy with its volume, get nothing of ours."""
    others = _named(alone, "Deployment").keys() - CORE
    assert {"caddy", "mysql", "meilisearch"} <= others
    for name in others:
        pod = _pod(_named(alone, "Deployment")[name])
        (container,) = pod["containers"]
        assert {"topologySpreadConstraints", "tolerations"}.isdisjoint(pod)
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
            "AUTOSCALE_SERVICES.mfe: cannot be used, for plugin mfe is not enabled; "
            "change that, or remove this setting",
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


def _named(rendered: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {manifests.name(each): each for each in manifests.of_kind(rendered, kind)}


def _scaled(rendered: list[Manifest]) -> list[Manifest]:
    deployments = _named(rendered, "Deployment")
    return [deployments[name] for name in _named(rendered, "HorizontalPodAutoscaler")]


def _pod(manifest: Manifest) -> dict[str, Any]:
    spec = manifests.pod_spec(manifest)
    assert spec is not None
    return spec


def _selectors(rendered: list[Manifest], deployment: Manifest) -> Iterator[dict[str, str]]:
    budget = _named(rendered, "PodDisruptionBudget")[manifests.name(deployment)]
    yield budget["spec"]["selector"]["matchLabels"]
    pod = _pod(deployment)
    for constraint in pod["topologySpreadConstraints"]:
        yield constraint["labelSelector"]["matchLabels"]
    apart = pod["affinity"]["podAntiAffinity"]
    for term in apart["preferredDuringSchedulingIgnoredDuringExecution"]:
        yield term["podAffinityTerm"]["labelSelector"]["matchLabels"]


def _selected(rendered: list[Manifest], selector: dict[str, str]) -> list[tuple[str, str]]:
    return [
        (each["kind"], manifests.name(each))
        for each in rendered
        if manifests.pod_spec(each) is not None
        and selector.items() <= each["spec"]["template"]["metadata"].get("labels", {}).items()
    ]
