"""Tutor's own commands with all three plugins, on a real control plane: what goes well, what is
refused, and that a refusal leaves everything as it was."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tutorsecrets
from localcluster.cluster import LocalCluster
from localcluster.processes import free_port, wait_for
from localservices.aws import AwsEmulator
from tutorplatform import manifests
from tutorsecrets.rewriting import pods

from demo import audit, instances, scan
from demo.tutor import TutorRoot
from demo.view import View
from tests.conftest import NewRoot

pytestmark = pytest.mark.cluster

NUMBERS = itertools.count(1)
SCALED = {"caddy", "cms", "cms-worker", "lms", "lms-worker", "mfe"}
OFFICIAL = ("credentials", "discovery", "forum", "mfe", "notes", "xqueue")


@pytest.fixture(scope="module")
def environment(cluster: LocalCluster, aws: AwsEmulator) -> dict[str, str]:
    return {**cluster.environment, **aws.environment}


@pytest.fixture(scope="module")
def acme(
    new_root: NewRoot, environment: dict[str, str], authority: Path, cluster: LocalCluster
) -> Iterator[TutorRoot]:
    """A running instance, started by `tutor k8s start`."""
    settings = instances.settings(0, authority)
    root = new_root(*instances.PLUGINS, environment=environment, **settings)
    root.run("config", "save")
    root.run("secrets", "init")
    root.run("k8s", "start")
    wait_for(lambda: len(cluster.ready_pods("acme")) >= 14, 120, "acme's pods")
    yield root
    root.run("k8s", "delete", "--yes")


def objects(cluster: LocalCluster, namespace: str, kind: str) -> dict[str, Any]:
    answer = json.loads(cluster.kubectl("get", kind, f"--namespace={namespace}", "--output=json"))
    return {item["metadata"]["name"]: item for item in answer["items"]}


def namespaces(cluster: LocalCluster) -> set[str]:
    return set(cluster.kubectl("get", "namespaces", "--output=name").split())


def refused(root: TutorRoot, *argv: str) -> str:
    """What a command says that must fail, without a traceback."""
    answer = root.run(*argv, check=False)
    assert answer.returncode == 1
    assert "Traceback" not in answer.stdout
    return " ".join(answer.stdout.split())


def test_every_scaled_workload_has_two_pods_in_two_zones(
    acme: TutorRoot, cluster: LocalCluster
) -> None:
    zones: dict[str, set[str]] = {}
    for pod in cluster.ready_pods("acme"):
        name = pod["metadata"]["labels"]["app.kubernetes.io/name"]
        zones.setdefault(name, set()).add(cluster.nodes.zone_of(pod["spec"]["nodeName"]))
    assert {name for name, found in zones.items() if len(found) >= 2} == SCALED


def test_databases_stay_outside_the_cluster(acme: TutorRoot, cluster: LocalCluster) -> None:
    assert set(objects(cluster, "acme", "deployments")) == SCALED | {
        "meilisearch",
        "search-indexer",
    }


def test_every_public_host_has_its_ingress(acme: TutorRoot, cluster: LocalCluster) -> None:
    hosts = {
        rule["host"]
        for ingress in objects(cluster, "acme", "ingresses").values()
        for rule in ingress["spec"]["rules"]
    }
    lms = "learn.acme.example.org"
    assert hosts >= {lms, "studio.acme.example.org", f"apps.{lms}", f"meilisearch.{lms}"}


def test_pods_have_no_token_and_no_way_to_the_node(acme: TutorRoot, cluster: LocalCluster) -> None:
    """Who gets into a pod can ask neither the Kubernetes API nor the machine for more."""
    pods = objects(cluster, "acme", "pods").values()
    assert pods
    assert not [
        volume["name"]
        for pod in pods
        for volume in pod["spec"].get("volumes", [])
        if volume["name"].startswith("kube-api-access")
    ]
    answer = subprocess.run(
        [
            *("kubectl", "run", "intruder", "--namespace=acme", "--image=example.org/x"),
            *("--dry-run=server", '--overrides={"spec": {"hostNetwork": true}}'),
        ],
        env=acme.variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert 'violates PodSecurity "baseline' in answer.stderr


def test_secret_values_are_in_secrets_and_nowhere_else(
    acme: TutorRoot, cluster: LocalCluster, environment: dict[str, str]
) -> None:
    """Objects of every kind, and every file of the Tutor root; numbers of the RSA key too."""
    values = scan.with_derived(audit.stored_values(environment, "acme"))
    found = View(cluster).objects("acme")
    assert scan.leaks(scan.object_texts(found), values) == {}
    assert scan.leaks(dict(scan.files_below(acme.path)), values) == {}
    held = scan.leaks(scan.secret_texts(found), values)
    assert {name for names in held.values() for name in names} >= audit.IN_USE


def test_no_secret_is_kept_in_an_annotation(acme: TutorRoot, cluster: LocalCluster) -> None:
    """A client-side apply would have put the whole Secret there."""
    for secret in objects(cluster, "acme", "secrets").values():
        assert "kubectl.kubernetes.io/last-applied-configuration" not in (
            secret["metadata"].get("annotations") or {}
        )


def test_a_job_runs_to_its_end(acme: TutorRoot, cluster: LocalCluster) -> None:
    acme.run("k8s", "do", "settheme", "indigo")
    jobs = objects(cluster, "acme", "jobs").values()
    assert [job["status"].get("succeeded") for job in jobs] == [1]


def test_starting_again_rolls_nothing(acme: TutorRoot, cluster: LocalCluster) -> None:
    before = generations(cluster)
    acme.run("k8s", "start")
    assert generations(cluster) == before


def generations(cluster: LocalCluster) -> dict[str, int]:
    deployments = objects(cluster, "acme", "deployments")
    return {name: item["metadata"]["generation"] for name, item in deployments.items()}


def test_another_root_with_the_same_name_is_refused(
    acme: TutorRoot,
    new_root: NewRoot,
    environment: dict[str, str],
    authority: Path,
    cluster: LocalCluster,
) -> None:
    settings = instances.settings(0, authority)
    twin = new_root(*instances.PLUGINS, environment=environment, **settings)
    twin.run("config", "save")
    before = generations(cluster)
    said = refused(twin, "k8s", "start")
    assert "namespace acme: belongs to another Open edX instance" in said
    assert "tutor config save --set K8S_NAMESPACE=" in said
    assert generations(cluster) == before


@pytest.fixture
def beta(new_root: NewRoot, environment: dict[str, str], authority: Path) -> TutorRoot:
    """A configured instance whose secrets are not in the store."""
    settings = instances.settings(1, authority)
    root = new_root(*instances.PLUGINS, environment=environment, **settings)
    root.run("config", "save")
    return root


@pytest.mark.parametrize("command", ["start", "launch"])
def test_without_its_secret_in_the_store_nothing_is_applied(
    command: str, beta: TutorRoot, cluster: LocalCluster
) -> None:
    said = refused(beta, "k8s", command, *(["-I"] if command == "launch" else []))
    assert "openedx/beta" in said
    assert "tutor secrets init" in said
    assert "namespace/beta" not in namespaces(cluster)


def test_when_the_store_does_not_answer_nothing_is_applied(
    beta: TutorRoot, environment: dict[str, str], cluster: LocalCluster
) -> None:
    nobody = {**environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    said = refused(TutorRoot(beta.path, {**nobody, "AWS_MAX_ATTEMPTS": "1"}), "k8s", "start")
    assert "secretsmanager" in said.lower().replace(" ", "")
    assert "namespace/beta" not in namespaces(cluster)


def test_when_the_cluster_does_not_answer_the_message_says_what_to_check(
    beta: TutorRoot, environment: dict[str, str], cluster: LocalCluster, tmp_path: Path
) -> None:
    config = Path(environment["KUBECONFIG"]).read_text()
    elsewhere = tmp_path / "config"
    port = config.split("https://127.0.0.1:")[1].split()[0]
    elsewhere.write_text(config.replace(f":{port}", f":{free_port()}"))
    root = TutorRoot(beta.path, {**environment, "KUBECONFIG": str(elsewhere)})
    said = refused(root, "k8s", "start")
    assert "cluster: kubectl gets no answer from it" in said
    assert "kubectl config current-context" in said


HOW = [(), ("--server-side", "--force-conflicts")]


@pytest.mark.parametrize("how", HOW, ids=["client", "server"])
def test_what_is_applied_around_the_plugin_changes_no_workload(
    how: tuple[str, ...], acme: TutorRoot, cluster: LocalCluster
) -> None:
    """New pods would start with tokens for passwords; those that run go on."""
    before = generations(cluster)
    with pytest.raises(subprocess.CalledProcessError) as raised:
        cluster.kubectl("apply", f"--kustomize={acme.path / 'env'}", *how)
    assert "deploy with tutor k8s start, not with kubectl apply" in raised.value.stderr
    assert generations(cluster) == before
    acme.run("k8s", "start")
    assert generations(cluster) == before


@pytest.mark.parametrize("kind", pods.GATED_KINDS)
def test_no_kind_of_workload_can_be_made_around_the_plugin(
    kind: str, cluster: LocalCluster, tmp_path: Path
) -> None:
    """With the plugin's own patch, as kustomize applies it."""
    patches = Path(tutorsecrets.__path__[0], "patches", "kustomization-patches").read_text()
    (tmp_path / "workload.yml").write_text(json.dumps(workload(kind)))
    kustomization = tmp_path / "kustomization.yml"
    kustomization.write_text("resources: [workload.yml]")
    cluster.kubectl("apply", "--dry-run=server", f"--kustomize={tmp_path}")
    kustomization.write_text(f"resources: [workload.yml]\npatches:\n{patches}")
    with pytest.raises(subprocess.CalledProcessError) as raised:
        cluster.kubectl("apply", f"--kustomize={tmp_path}")
    assert "deploy with tutor k8s start, not with kubectl apply" in raised.value.stderr
    gated = cluster.kubectl("kustomize", str(tmp_path))
    pods.require_gates(manifests.load(gated))


def workload(kind: str) -> dict[str, Any]:
    """The least that the API server takes."""
    groups = {"Job": "batch/v1", "CronJob": "batch/v1", "Pod": "v1", "ReplicationController": "v1"}
    pod: dict[str, Any] = {"containers": [{"name": "x", "image": "x"}]}
    if kind in {"Job", "CronJob"}:
        pod = {**pod, "restartPolicy": "Never"}
    labels = {"app": "around"}
    spec: dict[str, Any] = {"template": {"metadata": {"labels": labels}, "spec": pod}}
    if groups.get(kind, "apps/v1") == "apps/v1":
        spec["selector"] = {"matchLabels": labels}
    if kind == "CronJob":
        spec = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": spec}}
    return {
        "apiVersion": groups.get(kind, "apps/v1"),
        "kind": kind,
        "metadata": {"name": "around", "namespace": "default"},
        "spec": pod if kind == "Pod" else spec,
    }


@pytest.mark.parametrize(
    "plugins",
    [("aws",), ("autoscale",), ("secrets",), ("aws", "autoscale", "secrets", *OFFICIAL)],
    ids=lambda plugins: "+".join(plugins[:3]),
)
def test_the_api_server_accepts_what_each_plugin_renders(
    plugins: tuple[str, ...],
    new_root: NewRoot,
    environment: dict[str, str],
    authority: Path,
    cluster: LocalCluster,
) -> None:
    settings = instances.settings(0, authority) if "aws" in plugins else {}
    namespace = f"dry{next(NUMBERS)}"
    root = new_root(*plugins, environment=environment, **{**settings, "K8S_NAMESPACE": namespace})
    root.run("config", "save")
    cluster.kubectl("create", "namespace", namespace)
    try:
        file = root.path / "rendered.yml"
        file.write_text(manifests.dump(map(ungated, root.rendered())))
        cluster.kubectl("apply", "--server-side", "--dry-run=server", f"--filename={file}")
    finally:
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def ungated(manifest: dict[str, Any]) -> dict[str, Any]:
    """The object without what keeps it from being applied around the secrets plugin."""
    pod = manifests.pod_spec(manifest)
    return manifest if pod is None else pods.with_pod_spec(manifest, pods.ungated(pod))


@pytest.mark.proof
def test_launch_with_every_official_plugin(
    new_root: NewRoot,
    environment: dict[str, str],
    authority: Path,
    cluster: LocalCluster,
) -> None:
    """All jobs of all plugins run to their end."""
    settings = {**instances.settings(0, authority), "K8S_NAMESPACE": "gamma"}
    plugins = {*instances.PLUGINS, *OFFICIAL}
    root = new_root(*plugins, environment=environment, **settings)
    root.run("config", "save")
    root.run("secrets", "init")
    try:
        root.run("k8s", "launch", "-I")
        jobs = objects(cluster, "gamma", "jobs").values()
        assert len(jobs) >= 15
        assert {job["status"].get("succeeded") for job in jobs} == {1}
    except subprocess.CalledProcessError as error:
        pytest.fail(error.stdout[-3000:])
    finally:
        root.run("k8s", "delete", "--yes")
