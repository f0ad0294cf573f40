"""Tutor's own commands with all three plugins, by somebody who is an instance-deployer only."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from localcluster.cluster import LocalCluster
from localservices.aws import AwsEmulator
from localservices.external_secrets import ExternalSecrets

from demo import instances
from demo.tutor import TutorRoot
from tests.cluster import attempts
from tests.cluster.accounts import as_account
from tests.cluster.installed import Rules, installed
from tests.conftest import NewRoot

pytestmark = pytest.mark.cluster

NAMESPACE, OUTSIDE = "deployed", "outside"
ARN = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d-0000-4000-8000-000000000003"
LMS = "learn.acme.example.org"
HOSTS = [LMS, "studio.acme.example.org", f"apps.{LMS}", f"meilisearch.{LMS}"]
OUTSIDE_LMS = "learn.beta.example.org"
DEPLOYER = {"kind": "ServiceAccount", "name": "deployer", "namespace": "default"}
VALUES = {
    "instances": {
        NAMESPACE: {"hosts": HOSTS, "certificates": [ARN], "deployers": [DEPLOYER]},
        OUTSIDE: {
            "hosts": [OUTSIDE_LMS, "studio.beta.example.org", f"meilisearch.{OUTSIDE_LMS}"],
            "deployers": [DEPLOYER],
        },
        "strange": {},
    }
}
# What the autoscale plugin makes when it may: the kinds are there, nobody acts upon them.
KINDS = {
    "ScaledObject": "keda.sh/v1alpha1",
    "TriggerAuthentication": "keda.sh/v1alpha1",
    "VerticalPodAutoscaler": "autoscaling.k8s.io/v1",
}
SETTINGS = {
    "AWS_INGRESS": {"certificates": {ARN: ["*.acme.example.org", f"*.{LMS}"]}},
    "AUTOSCALE_CLUSTER": {"priority_classes": True, "recommendations": True},
    "AUTOSCALE_SERVICES": {
        "lms": {"requests": {"target": 20}},
        "lms-worker": {"queue": {"target": 20}},
    },
}


@pytest.fixture(scope="module")
def release(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rules]:
    with installed(cluster, tmp_path_factory.mktemp("chart"), VALUES) as release:
        yield release


@pytest.fixture(scope="module")
def kinds(cluster: LocalCluster) -> Iterator[None]:
    """Definitions for KINDS, those that are not there yet."""
    listed = cluster.kubectl("get", "crd", "--output=name").split()
    wanted = [attempts.crd(*each) for each in KINDS.items()]
    missing = [
        each
        for each in wanted
        if f"customresourcedefinition.apiextensions.k8s.io/{each['metadata']['name']}" not in listed
    ]
    names = [each["metadata"]["name"] for each in missing]
    for each in missing:
        cluster.apply(each)
    for name in names:
        cluster.kubectl("wait", "--for=condition=established", f"crd/{name}")
    yield
    for name in names:
        cluster.kubectl("delete", "crd", name)


@pytest.fixture(scope="module")
def deployer(
    release: Rules,
    cluster: LocalCluster,
    aws: AwsEmulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """The environment of somebody with a RoleBinding in each of two namespaces."""
    cluster.kubectl("create", "serviceaccount", "deployer", "--namespace=default")
    environment = {**cluster.environment, **aws.environment}
    yield as_account(cluster, "deployer", environment, tmp_path_factory.mktemp("deployer"))
    cluster.kubectl("delete", "serviceaccount", "deployer", "--namespace=default")


@pytest.fixture(scope="module")
def root(new_root: NewRoot, deployer: dict[str, str], authority: Path, kinds: None) -> TutorRoot:
    """An instance whose secrets are in the store."""
    settings = {**instances.settings(0, authority), **SETTINGS, "K8S_NAMESPACE": NAMESPACE}
    made = new_root(*instances.PLUGINS, environment=deployer, **settings)
    made.run("config", "save")
    made.run("secrets", "init")
    return made


@pytest.fixture(scope="module")
def launched(root: TutorRoot) -> TutorRoot:
    done = root.run("k8s", "launch", "-I", check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    return root


def objects(cluster: LocalCluster, kind: str, namespace: str = NAMESPACE) -> dict[str, Any]:
    answer = json.loads(cluster.kubectl("get", kind, f"--namespace={namespace}", "--output=json"))
    return {item["metadata"]["name"]: item for item in answer["items"]}


# verb, resource, and the subresource or name.
NEVER = [
    *(f"{verb} namespace/{NAMESPACE}" for verb in ("patch", "update", "delete")),
    *(f"{verb} resourcequotas" for verb in ("create", "patch", "delete")),
    *(f"{verb} limitranges" for verb in ("create", "patch", "delete")),
    *(f"{verb} roles" for verb in ("create", "patch", "bind", "escalate")),
    *(f"{verb} rolebindings" for verb in ("create", "patch", "delete")),
    *("create endpoints", "patch endpoints", "create endpointslices", "patch endpointslices"),
    *("patch services --subresource=status", "patch ingresses --subresource=status"),
    *("patch pods --subresource=status", "patch pods --subresource=ephemeralcontainers"),
    *("create pods", "create pods --subresource=portforward", "create statefulsets.apps"),
    *("create daemonsets.apps", "create cronjobs.batch"),
    *("create serviceaccounts --subresource=token", "impersonate serviceaccounts"),
    *("create targetgroupbindings.elbv2.k8s.aws", "create ingressroutes.traefik.io"),
    *("create gateways.gateway.networking.k8s.io", "create dnsendpoints.externaldns.k8s.io"),
]
NEVER_CLUSTER_WIDE = [
    *("create namespaces", "list namespaces", "list nodes", "list secrets --all-namespaces"),
    *("create ingressclasses.networking.k8s.io", "create clusterrolebindings"),
    *("patch validatingadmissionpolicies", "delete validatingadmissionpolicybindings"),
    *("patch configmap/hosts --namespace=platform", "get configmap/hosts --namespace=platform"),
    *("create ingresses --namespace=platform", "get pods --namespace=strange"),
]


def may(environment: dict[str, str], question: str) -> bool:
    asked = subprocess.run(
        ["kubectl", "auth", "can-i", *question.split()],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.stdout.strip() in ("yes", "no"), asked.stderr
    return asked.stdout.strip() == "yes"


def test_deployers_have_no_rights_over_what_bounds_them(deployer: dict[str, str]) -> None:
    """In their own namespace; what they can do there: the tests below."""
    assert may(deployer, f"create deployments.apps --namespace={NAMESPACE}")
    place = f" --namespace={NAMESPACE}"
    assert [each for each in NEVER if may(deployer, each + place)] == []


def test_and_none_elsewhere(deployer: dict[str, str]) -> None:
    """The namespaces of the platform and of others included."""
    assert [each for each in NEVER_CLUSTER_WIDE if may(deployer, each)] == []


@pytest.mark.proof
def test_a_host_that_is_not_the_instances_is_refused(
    root: TutorRoot, deployer: dict[str, str]
) -> None:
    """Tutor prints what the API server says: where, and whom to ask."""
    root.run("config", "save", "--set", "CMS_HOST=authors.acme.example.org")
    try:
        done = root.run("k8s", "start", "caddy", check=False)
        said = " ".join(done.stdout.split())
        assert done.returncode != 0
        assert "authors.acme.example.org is not a host of namespace deployed" in said
        assert "ask the operators of the platform to add it to the ConfigMap hosts" in said
    finally:
        root.run("config", "save", "--set", "CMS_HOST=studio.acme.example.org")


@pytest.mark.proof
def test_launch(launched: TutorRoot, cluster: LocalCluster) -> None:
    """Everything is there: jobs have run to their end, the certificate is anchored."""
    jobs = objects(cluster, "jobs").values()
    assert len(jobs) >= 3
    assert {job["status"].get("succeeded") for job in jobs} == {1}
    assert set(objects(cluster, "ingresses")) == {"certificates", *HOSTS}
    for kind in ("scaledobjects.keda.sh", "verticalpodautoscalers.autoscaling.k8s.io"):
        assert objects(cluster, kind)
    ready = {
        pod["metadata"]["labels"]["app.kubernetes.io/name"] for pod in cluster.ready_pods(NAMESPACE)
    }
    assert ready >= set(objects(cluster, "deployments.apps"))


@pytest.mark.proof
def test_jobs_ask_for_something(launched: TutorRoot, cluster: LocalCluster) -> None:
    """Tutor's say nothing, which a quota would refuse; the LimitRange speaks for them."""
    jobs = [
        pod
        for pod in objects(cluster, "pods").values()
        if pod["metadata"].get("labels", {}).get("batch.kubernetes.io/job-name")
    ]
    assert jobs
    for pod in jobs:
        for container in pod["spec"]["containers"]:
            assert {"cpu", "memory"} <= set(container["resources"]["requests"])
    used = objects(cluster, "resourcequotas")["instance"]["status"]["used"]
    assert int(used["pods"]) >= len(objects(cluster, "deployments.apps"))


@pytest.mark.proof
@pytest.mark.parametrize(
    "command",
    [
        "k8s status",
        "k8s scale mfe 3",
        "k8s wait lms",
        "k8s do settheme indigo",
        "secrets check",
        "k8s stop mfe",
        "k8s start mfe",
        "k8s reboot",
    ],
)
def test_further_commands(command: str, launched: TutorRoot) -> None:
    done = launched.run(*command.split(), check=False)
    assert "Forbidden" not in done.stdout
    assert "forbidden" not in done.stdout
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.proof
@pytest.mark.parametrize("command", ["k8s logs lms", "k8s exec lms -- true"])
def test_logs_and_shells_are_not_forbidden(command: str, launched: TutorRoot) -> None:
    """Simulated pods have neither, but the API server has passed it on to their node."""
    done = launched.run(*command.split(), check=False)
    assert "orbidden" not in done.stdout
    assert "cannot" not in done.stdout


@pytest.mark.proof
def test_the_operators_secrets(
    deployer: dict[str, str],
    authority: Path,
    new_root: NewRoot,
    cluster: LocalCluster,
    aws: AwsEmulator,
) -> None:
    """Mode external-secrets: its kinds are applied, waited for, and deleted again."""
    settings = {
        **instances.settings(1, authority),
        "K8S_NAMESPACE": OUTSIDE,
        "SECRETS_MODE": "external-secrets",
        "SECRETS_EXTERNAL": {"role_arn": "arn:aws:iam::000000000000:role/outside-secrets"},
    }
    root = new_root("aws", "autoscale", "secrets", environment=deployer, **settings)
    root.run("config", "save")
    root.run("secrets", "init")
    with ExternalSecrets(cluster, {**cluster.environment, **aws.environment}):
        started = root.run("k8s", "start", check=False)
        assert started.returncode == 0, started.stdout[-2000:]
        assert objects(cluster, "externalsecrets.external-secrets.io", OUTSIDE)
        stopped = root.run("k8s", "stop", check=False)
        assert stopped.returncode == 0, stopped.stdout[-2000:]
        assert not objects(cluster, "externalsecrets.external-secrets.io", OUTSIDE)


@pytest.mark.proof
def test_an_instance_goes_and_its_namespace_stays(
    launched: TutorRoot, cluster: LocalCluster
) -> None:
    """`delete` alone would want the namespace, too."""
    whole = launched.run("k8s", "delete", "--yes", "--exclude-namespace", check=False)
    assert whole.returncode == 0, whole.stdout[-2000:]
    assert not objects(cluster, "deployments.apps")
    assert objects(cluster, "resourcequotas")
