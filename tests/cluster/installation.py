"""The whole chart as a release on the local cluster, and what there is of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import yaml
from localcluster.cluster import LocalCluster
from localcluster.model import Manifest
from localcluster.processes import wait_for

from platformchart import local
from platformchart.release import NAME, NAMESPACE, Release
from platformchart.upstream import CHART
from tests.cluster.installed import ATTEMPT, gone, refusal

TENANT = "tenant"
INGRESS = "edge-main"
# Groups of the kinds that the charts of others bring, whose CRDs no uninstall takes away.
GROUPS = ("aga.k8s.aws", "elbv2.k8s.aws", "externaldns.k8s.io", "traefik.io")

VALUES: Mapping[str, Any] = local.adapted(
    {
        **yaml.safe_load((CHART / "ci" / "minimal-values.yaml").read_text()),
        "instances": {TENANT: {"hosts": ["learn.tenant.test"]}},
    }
)
EDGE_OFF = {"edge": {"enabled": False, "deletionProtection": False}}

# What is named so in a manifest changes by itself.
STATUS = ("managedFields", "resourceVersion", "generation")


@contextmanager
def namespaces(cluster: LocalCluster, release: Release) -> Iterator[None]:
    """The release's own namespace, labelled; at the end nothing of the chart is left but CRDs."""
    gone(cluster, NAMESPACE, TENANT)
    cluster.apply(dict(local.NAMESPACE))
    try:
        yield
    finally:
        unheld(cluster)
        release.uninstall("--no-hooks")
        gone(cluster, NAMESPACE, TENANT)
        wait_for(lambda: refusal(cluster, ATTEMPT) == "", 30, "no policy is in force any more")


def guarded(cluster: LocalCluster) -> None:
    """Wait until the API server has heard of the policy that guards an uninstallation."""
    attempt = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "platform-uninstall"}}
    where = f"--namespace={NAMESPACE}"
    wait_for(lambda: refusal(cluster, attempt, where) != "", 30, "the policy is in force")


def without_crds(cluster: LocalCluster) -> None:
    """Delete the CRDs that the charts of others have brought."""
    names = [crd["metadata"]["name"] for crd in kubectl_items(cluster, "crds")]
    ours = [name for name in names if name.endswith(GROUPS)]
    cluster.kubectl("delete", "crds", "--ignore-not-found", "--timeout=60s", *ours)


def kubectl_items(cluster: LocalCluster, *argv: str) -> list[Manifest]:
    found: list[Manifest] = json.loads(cluster.kubectl("get", *argv, "--output=json"))["items"]
    return found


def live(cluster: LocalCluster, release: Release) -> dict[tuple[str, str], Manifest]:
    """The release's objects as they are in the cluster, without what changes by itself."""
    found = {}
    for each in release.manifest():
        kind, name = each["kind"], each["metadata"]["name"]
        where = f"--namespace={each['metadata'].get('namespace', NAMESPACE)}"
        answer = json.loads(cluster.kubectl("get", kind, name, where, "--output=json"))
        metadata = {k: v for k, v in answer["metadata"].items() if k not in STATUS}
        settled = {key: value for key, value in answer.items() if key != "status"}
        found[kind, name] = {**settled, "metadata": metadata}
    return found


def leftovers(cluster: LocalCluster) -> set[tuple[str, str]]:
    """Kind and name of every object that says of itself that it is the chart's."""
    listed = cluster.kubectl("api-resources", "--verbs=list", "--output=name").split()
    kinds = ",".join(kind for kind in listed if not kind.endswith(".metrics.k8s.io"))
    ours = "--selector=app.kubernetes.io/part-of=platform,app.kubernetes.io/managed-by=Helm"
    found = kubectl_items(cluster, kinds, "--all-namespaces", ours, "--ignore-not-found")
    # Endpoints of a Service, and pods, go after it.
    return {(o["kind"], o["metadata"]["name"]) for o in found}


def held(cluster: LocalCluster, name: str = INGRESS) -> None:
    """Give the Ingress the finalizer that the controller gives it as long as AWS has something."""
    finalizers = {"metadata": {"finalizers": ["group.ingress.k8s.aws/openedx-main"]}}
    where = ("ingress", name, f"--namespace={NAMESPACE}")
    cluster.kubectl("patch", *where, "--type=merge", f"--patch={json.dumps(finalizers)}")


def unheld(cluster: LocalCluster) -> None:
    """Take it away again, as the controller does when nothing is left in AWS."""
    for each in kubectl_items(cluster, "ingress", f"--namespace={NAMESPACE}"):
        where = ("ingress", each["metadata"]["name"], f"--namespace={NAMESPACE}")
        cluster.kubectl("patch", *where, "--type=merge", '--patch={"metadata":{"finalizers":null}}')


def interrupted(
    cluster: LocalCluster, release: Release, values: Mapping[str, Any], with_signal: int
) -> None:
    """Upgrade, and send helm a signal as soon as it has written down that it is at it."""
    where = (NAME, str(release.chart), f"--namespace={NAMESPACE}", "--wait", "--values=-")
    with subprocess.Popen(
        [release.helm, "upgrade", "--install", *where],
        env=cluster.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin
        process.stdin.write(yaml.safe_dump(dict(values)))
        process.stdin.close()
        pending = "--selector=owner=helm,status in (pending-install,pending-upgrade)"
        secrets = ("secrets", f"--namespace={NAMESPACE}", pending)
        wait_for(lambda: bool(kubectl_items(cluster, *secrets)), 60, "helm is at it", poll_s=0.05)
        process.send_signal(with_signal)
    assert process.returncode != 0
