"""The autoscale plugin on a real control plane: what it accepts, and what changes hands."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from localcluster.cluster import LocalCluster
from localcluster.processes import wait_for

from demo.tutor import TutorRoot
from tests.conftest import NewRoot
from tests.render.others import write_plugin

pytestmark = pytest.mark.cluster

NAMESPACE = "scaling"
SETTINGS = {"K8S_NAMESPACE": NAMESPACE, "ENABLE_WEB_PROXY": False}

# Of somebody who knows nothing of autoscalers.
ACME = {"acme": "{containers: [{name: acme, image: acme/acme, ports: [{containerPort: 80}]}]}"}


@pytest.fixture(scope="module")
def vanilla(new_root: NewRoot, cluster: LocalCluster) -> Iterator[TutorRoot]:
    """An instance without our plugin, in which somebody else's has one pod by an apply."""
    root = new_root("other", environment=cluster.environment, **SETTINGS)
    write_plugin(root, ACME)
    saved(root)
    root.run("k8s", "start")
    yield root
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(scope="module")
def seen(vanilla: TutorRoot, cluster: LocalCluster, tmp_path_factory: Any) -> list[int]:
    """How many pods acme was to have while our plugin took over, after somebody had set three."""
    cluster.kubectl("scale", "deployment/acme", "--replicas=3", f"--namespace={NAMESPACE}")
    file = tmp_path_factory.mktemp("watch") / "replicas"
    vanilla.run("plugins", "enable", "autoscale")
    saved(vanilla)
    with watched("acme", vanilla, file):
        vanilla.run("k8s", "start")
        wait_for(lambda: minimum(cluster, "acme") == 2, 30, "the autoscaler of acme")
    return [int(line) for line in file.read_text().split()]


@pytest.fixture
def instance(vanilla: TutorRoot, seen: list[int]) -> Iterator[TutorRoot]:
    """The same with our plugin; whatever a test configures is undone."""
    before = (vanilla.path / "config.yml").read_text()
    yield vanilla
    (vanilla.path / "config.yml").write_text(before)
    saved(vanilla)
    vanilla.run("k8s", "start")


def saved(root: TutorRoot, **settings: Any) -> None:
    """Render it with these settings beside its own."""
    config = {**root.config(), **settings}
    root.write_config(config, config["PLUGINS"])
    root.run("config", "save")


@contextmanager
def watched(name: str, root: TutorRoot, file: Path) -> Iterator[None]:
    """Write a Deployment's `replicas` to a file whenever it changes in any way."""
    argv = ["kubectl", "get", "deployment", name, f"--namespace={NAMESPACE}", "--watch"]
    with file.open("w") as output:
        watch = subprocess.Popen(
            [*argv, '--output=jsonpath={.spec.replicas}{"\\n"}'],
            stdout=output,
            env=root.variables,
        )
        try:
            wait_for(lambda: file.read_text(), 30, "the watch")
            yield
        finally:
            watch.terminate()
            watch.wait()


def scalers(cluster: LocalCluster, kind: str = "horizontalpodautoscalers") -> dict[str, Any]:
    """The instance's objects of this kind, by name."""
    answer = cluster.kubectl("get", kind, f"--namespace={NAMESPACE}", "--output=json")
    return {item["metadata"]["name"]: item["spec"] for item in json.loads(answer)["items"]}


def minimum(cluster: LocalCluster, name: str) -> int | None:
    """`minReplicas` of a workload; None without an autoscaler."""
    found: int | None = scalers(cluster).get(name, {}).get("minReplicas")
    return found


def refused(root: TutorRoot, *argv: str) -> str:
    """What a command says that must fail, on one line and without a traceback."""
    answer = root.run(*argv, check=False)
    assert answer.returncode == 1, answer.stdout
    assert "Traceback" not in answer.stdout
    return " ".join(answer.stdout.split())


def test_pods_that_are_there_stay_when_an_autoscaler_takes_over(
    seen: list[int], cluster: LocalCluster
) -> None:
    """An apply that finds `replicas` gone sets it to one, for as long as it is allowed to."""
    assert seen
    assert set(seen) == {3}
    assert {"acme", "cms", "lms"} <= set(scalers(cluster))


def test_starting_again_changes_nothing(instance: TutorRoot, cluster: LocalCluster) -> None:
    """Neither scalers nor Deployments: a second apply has nothing to say."""
    before = [scalers(cluster, kind) for kind in ("hpa", "pdb", "deployments")]
    said = instance.run("k8s", "start").stdout
    assert "is no longer needed" not in said
    assert "autoscaler's now" not in said
    assert [scalers(cluster, kind) for kind in ("hpa", "pdb", "deployments")] == before


def test_scalers_of_what_is_gone_go(instance: TutorRoot, cluster: LocalCluster) -> None:
    """`kubectl apply` would leave them; those of others stay, and a dry run deletes nothing."""
    config = instance.config()
    instance.write_config(config, [name for name in config["PLUGINS"] if name != "other"])
    saved(instance)
    before = {kind: scalers(cluster, kind) for kind in ("hpa", "pdb")}
    instance.run("k8s", "apply", "--dry-run=server")
    assert {kind: scalers(cluster, kind) for kind in ("hpa", "pdb")} == before
    said = instance.run("k8s", "start").stdout
    for kind, name in (("hpa", "HorizontalPodAutoscaler"), ("pdb", "PodDisruptionBudget")):
        assert f"{name} acme: is no longer needed, and gone" in said
        assert set(before[kind]) - set(scalers(cluster, kind)) == {"acme"}


def test_two_autoscalers_of_one_workload_are_refused(
    instance: TutorRoot, cluster: LocalCluster
) -> None:
    """Before anything is applied, in whatever way: a setting that was changed has no effect."""
    most = scalers(cluster)["lms"]["maxReplicas"]
    cluster.kubectl(
        *("autoscale", "deployment/lms", "--name=mine", "--max=3"), f"--namespace={NAMESPACE}"
    )
    try:
        saved(instance, AUTOSCALE_SERVICES={"lms": {"max": most + 1}})
        ways = [("start",), ("start", "lms"), ("apply",)]
        answers = [refused(instance, "k8s", *way) for way in ways]
    finally:
        cluster.kubectl("delete", "hpa", "mine", f"--namespace={NAMESPACE}")
    message = (
        "HorizontalPodAutoscaler mine: scales lms, too, and with two neither works; "
        "remove it with `kubectl delete horizontalpodautoscaler mine "
        f"--namespace {NAMESPACE}`, and what renders it"
    )
    assert [said for said in answers if message not in said] == []
    assert scalers(cluster)["lms"]["maxReplicas"] == most


@pytest.mark.parametrize(
    ("name", "noticed"), [("mine", True), ("other", False)], ids=["the same pods", "others"]
)
def test_a_second_budget_of_pods_is_refused(
    name: str, noticed: bool, instance: TutorRoot, cluster: LocalCluster
) -> None:
    """Else none of them could be evicted, and no node that one runs on be drained."""
    label = "app.kubernetes.io/name=" + ("lms" if noticed else "mysql")
    budget = ("pdb", name, f"--namespace={NAMESPACE}")
    cluster.kubectl("create", *budget, f"--selector={label}", "--min-available=1")
    try:
        if noticed:
            assert (
                "PodDisruptionBudget mine: is for lms, too, and pods with two are never evicted; "
                "remove it with `kubectl delete poddisruptionbudget mine "
                f"--namespace {NAMESPACE}`, and what renders it; "
                "how many pods may go, AUTOSCALE_SERVICES.lms.disruption says"
            ) in refused(instance, "k8s", "start")
        else:
            instance.run("k8s", "start")
    finally:
        cluster.kubectl("delete", *budget)


RENDERED = {
    "autoscaler": """
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: acme-hpa}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: acme}
  maxReplicas: 3
""",
    "budget": """
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: acme-pdb}
spec:
  minAvailable: 1
  selector: {matchExpressions: [{key: app.kubernetes.io/name, operator: In, values: [acme]}]}
""",
}


@pytest.mark.parametrize("kind", RENDERED)
def test_what_another_plugin_renders_is_refused_at_the_first_start(
    kind: str, new_root: NewRoot, cluster: LocalCluster
) -> None:
    """Not even the namespace is there afterwards."""
    settings = {**SETTINGS, "K8S_NAMESPACE": "lacking"}
    root = new_root("autoscale", "other", environment=cluster.environment, **settings)
    write_plugin(root, ACME, k8s_services=RENDERED[kind])
    root.run("config", "save")
    assert "acme, too, and " in refused(root, "k8s", "start")
    assert "namespace/lacking" not in cluster.kubectl("get", "namespaces", "--output=name").split()


def test_the_start_of_one_workload_leaves_others_alone(
    instance: TutorRoot, cluster: LocalCluster
) -> None:
    """What has become obsolete of theirs goes with the start of everything."""
    config = instance.config()
    instance.write_config(config, [name for name in config["PLUGINS"] if name != "other"])
    saved(instance)
    instance.run("k8s", "start", "lms")
    assert "acme" in scalers(cluster)
    instance.run("k8s", "start")
    assert "acme" not in scalers(cluster)


LACKING: dict[str, tuple[dict[str, Any], str]] = {
    "priority classes": (
        {"AUTOSCALE_CLUSTER": {"priority_classes": True}},
        "cluster: there is no PriorityClass openedx-background, openedx-serving; install the "
        "chart `platform`, or set AUTOSCALE_CLUSTER.priority_classes to false",
    ),
    "a priority class": (
        {"AUTOSCALE_SERVICES": {"lms": {"priority": "gold"}}},
        "AUTOSCALE_SERVICES.lms.priority: there is no PriorityClass gold in this cluster; create "
        "it, or use another",
    ),
    "VPA": (
        {"AUTOSCALE_CLUSTER": {"recommendations": True}},
        "cluster: the Vertical Pod Autoscaler is not installed; "
        "install it, or set AUTOSCALE_CLUSTER.recommendations to false",
    ),
    "KEDA": (
        {"AUTOSCALE_SERVICES": {"lms": {"requests": {"target": 20}}}},
        "cluster: KEDA is not installed, and only it scales for network, requests or queue; "
        "run `helm install keda keda --repo https://kedacore.github.io/charts --namespace keda "
        "--create-namespace`, or remove these targets from AUTOSCALE_SERVICES",
    ),
}


@pytest.mark.parametrize(("lacking", "message"), LACKING.values(), ids=LACKING)
def test_what_the_cluster_lacks_is_refused_before_anything_is_applied(
    lacking: dict[str, Any], message: str, new_root: NewRoot, cluster: LocalCluster
) -> None:
    """Not even the namespace is there afterwards."""
    settings = {**SETTINGS, "K8S_NAMESPACE": "lacking", **lacking}
    root = new_root("autoscale", environment=cluster.environment, **settings)
    root.run("config", "save")
    assert message in refused(root, "k8s", "start")
    assert "namespace/lacking" not in cluster.kubectl("get", "namespaces", "--output=name").split()
