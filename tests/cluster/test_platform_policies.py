"""The real API server, with the chart's policies: nobody gets at what all instances share."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from localcluster.cluster import LocalCluster
from localcluster.processes import wait_for
from tutoraws.bootstrap import objects as bootstrap

from tests.cluster import attempts
from tests.cluster.attempts import (
    HOST,
    OTHERS,
    OWN_ARN,
    SECOND,
    anchor,
    pod,
    route,
    rule,
    service,
    with_metadata,
)
from tests.cluster.installed import Rules, installed, refusal

pytestmark = pytest.mark.cluster

MINE = attempts.NAMESPACE
VALUES = {
    "instances": {
        MINE: {"hosts": [HOST, SECOND], "certificates": [OWN_ARN]},
        "theirs": {"hosts": [OTHERS]},
    },
    "policies": {"allowedAnnotations": ["service.kubernetes.io/topology-mode"]},
}
# Somebody with every right in the namespace, of which a RoleBinding can give no more.
ADMINISTRATOR = ("--as=admin", "--as-group=system:masters")
# Somebody with rights in all namespaces, as the load balancer controller has them.
CONTROLLER = ("--as=controller", "--as-group=system:authenticated")
CHIEF = ("--as=chief", "--as-group=system:authenticated")
ACCEPTED = {
    "route": route(),
    "hosts in one": route(rule(), rule(SECOND)),
    "anchor": anchor(HOST, SECOND),
    "annotations of one's own": route(annotations={"mine.example.org/owner": "learning team"}),
    "annotations of Tutor": route(annotations={"app.kubernetes.io/version": "22.0.3"}),
    "service": service(),
    "headless": service(clusterIP="None"),
    "annotation that is allowed": service({"service.kubernetes.io/topology-mode": "Auto"}),
    "pod": pod(priorityClassName="openedx-serving"),
}


@pytest.fixture(scope="module")
def release(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rules]:
    """The chart, two namespaces of instances, and every kind that a controller might act upon."""
    definitions = [attempts.crd(*each) for each in attempts.KINDS.items()]
    names = [each["metadata"]["name"] for each in definitions]
    with installed(cluster, tmp_path_factory.mktemp("chart"), VALUES) as release:
        for each in definitions:
            cluster.apply(each)
        cluster.kubectl("wait", "--for=condition=established", "crd", *names)
        for namespace in (MINE, "default"):
            cluster.kubectl(
                *("create", "rolebinding", "chief", "--clusterrole=cluster-admin"),
                *("--user=chief", f"--namespace={namespace}"),
            )
        grant_controller(cluster)
        yield release
        cluster.kubectl("delete", "clusterrole,clusterrolebinding", "controller")
        cluster.kubectl("delete", "rolebinding", "chief", "--namespace=default")
        cluster.kubectl("delete", "crd", *names)


def grant_controller(cluster: LocalCluster) -> None:
    """What upstream's chart gives to the load balancer controller, as far as it matters here."""
    resources = "services,services/status,ingresses,ingresses/status,pods/status"
    cluster.kubectl(
        *("create", "clusterrole", "controller", f"--resource={resources}"),
        "--verb=get,patch,update",
    )
    cluster.kubectl(
        *("create", "clusterrolebinding", "controller", "--clusterrole=controller"),
        "--user=controller",
    )


@pytest.fixture(scope="module")
def here(release: Rules, cluster: LocalCluster) -> LocalCluster:
    """The cluster with a route, an anchor, a Service and its pod in the namespace."""
    for each in (route(), anchor(), service(), pod()):
        cluster.apply(each)
    wait_for(lambda: len(cluster.ready_pods(MINE)) == 1, 30, "the pod is ready")
    return cluster


def patched(cluster: LocalCluster, what: str, patch: Any, *options: str) -> str:
    """What the API server says to the chief's patch; empty if it would take it."""
    done = subprocess.run(
        [
            *("kubectl", "patch", what, f"--namespace={MINE}", "--dry-run=server"),
            *("--type=merge", f"--patch={json.dumps(patch)}", *(options or CHIEF)),
        ],
        env=cluster.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stderr.strip()


@pytest.mark.parametrize("attempt", attempts.REFUSED)
def test_each_way_to_hurt_others_is_refused(
    attempt: str, release: Rules, cluster: LocalCluster
) -> None:
    """Whoever tries it: here somebody with every right in the namespace."""
    manifest, said = attempts.REFUSED[attempt]
    assert said in refusal(cluster, manifest, *CHIEF)


def test_administrators_are_refused_too(release: Rules, cluster: LocalCluster) -> None:
    """A slip in an instance's namespace is one with or without rights."""
    assert "opens a door past the WAF" in refusal(cluster, service(type="LoadBalancer"))


@pytest.mark.parametrize("manifest", ACCEPTED.values(), ids=ACCEPTED)
def test_what_instances_need_is_accepted(
    manifest: dict[str, Any], release: Rules, cluster: LocalCluster
) -> None:
    assert refusal(cluster, manifest, *CHIEF) == ""


CHANGES = {
    "host": ({"spec": {"rules": [rule(OTHERS)]}}, f"{OTHERS} is not a host of namespace mine"),
    "second rule": ({"spec": {"rules": [rule(), rule(OTHERS)]}}, f"{OTHERS} is not a host"),
    "class": (
        {
            "metadata": {"annotations": {f"{attempts.ALB}/certificate-arn": OWN_ARN}},
            "spec": {"ingressClassName": "alb"},
        },
        "may name hosts for its certificates",
    ),
    "annotation": (
        {"metadata": {"annotations": {f"{attempts.ALB}/wafv2-acl-name": "none"}}},
        "wafv2-acl-name would",
    ),
    "finalizer": ({"metadata": {"finalizers": ["group.ingress.k8s.aws/x"]}}, "metadata.finalizers"),
}


@pytest.mark.parametrize(("patch", "said"), CHANGES.values(), ids=CHANGES)
def test_a_harmless_ingress_does_not_become_another(
    patch: dict[str, Any], said: str, here: LocalCluster
) -> None:
    assert said in patched(here, "ingress/route", patch)


def test_not_even_while_it_is_being_deleted(here: LocalCluster) -> None:
    """A finalizer keeps it, and Traefik does not look at whether it is to go."""
    place = f"--namespace={MINE}"
    here.apply(with_metadata(route(), name="going", finalizers=["mine.example.org/stay"]))
    here.kubectl("delete", "ingress/going", place, "--wait=false")
    try:
        said = patched(here, "ingress/going", {"spec": {"rules": [rule(OTHERS)]}})
        assert f"{OTHERS} is not a host of namespace mine" in said
    finally:
        here.kubectl(
            *("patch", "ingress/going", place, "--type=merge"),
            '--patch={"metadata": {"finalizers": null}}',
        )


BY_CONTROLLERS = "its addresses are written by controllers"
STATUSES = {
    # Kubernetes knows no other Services with one.
    "service/door": (
        {"loadBalancer": {"ingress": [{"ip": "10.1.2.3"}]}},
        "may only be used when `spec.type` is 'LoadBalancer'",
    ),
    "ingress/route": (
        {"loadBalancer": {"ingress": [{"hostname": "door.example.org"}]}},
        BY_CONTROLLERS,
    ),
    "pod/door": ({"podIP": "10.1.2.3", "podIPs": [{"ip": "10.1.2.3"}]}, BY_CONTROLLERS),
}


@pytest.mark.parametrize("what", STATUSES)
def test_an_address_is_what_controllers_say(what: str, here: LocalCluster) -> None:
    """Who may do so in every namespace is one."""
    status, said = STATUSES[what]
    of_status = "--subresource=status"
    assert said in patched(here, what, {"status": status}, of_status, *CHIEF)
    if said == BY_CONTROLLERS:
        assert patched(here, what, {"status": status}, of_status, *CONTROLLER) == ""


def test_a_controller_marks_what_belongs_to_its_load_balancer(here: LocalCluster) -> None:
    """With a finalizer, which would be another's trick to stop it for everybody."""
    for what in ("ingress/certificates", "service/door"):
        patch = {"metadata": {"finalizers": ["group.ingress.k8s.aws/openedx-main"]}}
        assert "metadata.finalizers: those of load balancers" in patched(here, what, patch)
        assert patched(here, what, patch, *CONTROLLER) == ""


def test_a_kubelet_says_where_its_pods_are(here: LocalCluster) -> None:
    """By the rights that the API server gives to nodes, and to no namespace."""
    manifest = json.loads(here.kubectl("get", "pod/door", f"--namespace={MINE}", "--output=json"))
    manifest["status"] |= STATUSES["pod/door"][0]
    path = f"/api/v1/namespaces/{MINE}/pods/door/status?dryRun=All"
    node = ("--as-group=system:nodes", f"--as=system:node:{manifest['spec']['nodeName']}")
    # Kubelets patch, which takes no more rights; kubectl would first ask for the status alone.
    assert replaced(here, path, manifest, *CHIEF) != ""
    assert replaced(here, path, manifest, *node) == ""


def replaced(cluster: LocalCluster, path: str, manifest: Mapping[str, Any], *options: str) -> str:
    """What the API server says to a PUT; empty if it would take it."""
    done = subprocess.run(
        ["kubectl", "replace", f"--raw={path}", "--filename=-", *options],
        input=json.dumps(manifest),
        env=cluster.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stderr.strip()


def test_the_controllers_of_kubernetes_do_their_work(here: LocalCluster) -> None:
    """The pod has its address, and the Service leads to it."""
    [ready] = here.ready_pods(MINE)

    def addresses() -> list[str]:
        query = "--output=jsonpath={.items[*].endpoints[*].addresses[*]}"
        chosen = "--selector=kubernetes.io/service-name=door"
        place = f"--namespace={MINE}"
        return here.kubectl("get", "endpointslices", place, chosen, query).split()

    wait_for(lambda: addresses() == [ready["status"]["podIP"]], 15, "the Service leads to the pod")


@pytest.mark.parametrize("label", ["openedx-platform/edge", "pod-security.kubernetes.io/enforce"])
def test_nobody_loosens_their_own_namespace(label: str, here: LocalCluster) -> None:
    patch = {"metadata": {"labels": {label: None}}}
    assert f"metadata.labels: {label} says" in patched(here, f"namespace/{MINE}", patch)
    assert patched(here, f"namespace/{MINE}", patch, *ADMINISTRATOR) == ""


def test_a_namespace_is_covered_from_its_first_moment(
    release: Rules, cluster: LocalCluster
) -> None:
    cluster.kubectl("create", "namespace", "newcomer")
    door = service(type="NodePort")
    try:
        assert "opens a door" in refusal(cluster, with_metadata(door, namespace="newcomer"))
    finally:
        cluster.kubectl("delete", "namespace", "newcomer", "--wait=false")


def test_the_platforms_own_namespace_is_exempt(release: Rules, cluster: LocalCluster) -> None:
    """The edge's Ingress is there, and the Job that makes an instance's databases."""
    edge = anchor(
        annotations={f"{attempts.ALB}/wafv2-acl-arn": "arn"}, defaultBackend=attempts.CADDY
    )
    assert refusal(cluster, with_metadata(edge, namespace="platform")) == ""
    pods = with_metadata(pod("platform"), labels=bootstrap.LABELS)
    assert refusal(cluster, pods) == ""


def test_a_host_moves_when_the_list_says_so(here: LocalCluster, release: Rules) -> None:
    """What the former owner has stays until it is deleted, but he cannot make it again."""
    moved = json.dumps({"data": {HOST: "theirs"}})
    here.kubectl("patch", "configmap/hosts", "--namespace=platform", f"--patch={moved}")
    again = with_metadata(route(), name="again")
    to = with_metadata(route(), namespace="theirs")
    try:
        wait_for(lambda: refusal(here, to) == "", 10, "the new owner may")
        assert f"{HOST} is not a host of namespace mine" in refusal(here, again)
        assert patched(here, "ingress/route", {"metadata": {"labels": {"seen": "yes"}}}) == ""
    finally:
        back = json.dumps({"data": {HOST: MINE}})
        here.kubectl("patch", "configmap/hosts", "--namespace=platform", f"--patch={back}")
        wait_for(lambda: refusal(here, again) == "", 10, "the old owner is back")


def test_without_the_list_no_host_is_anybodys(release: Rules, cluster: LocalCluster) -> None:
    saved = cluster.kubectl("get", "configmap/hosts", "--namespace=platform", "--output=json")
    cluster.kubectl("delete", "configmap/hosts", "--namespace=platform")
    try:
        wait_for(lambda: "no params found" in refusal(cluster, route()), 10, "it is refused")
    finally:
        manifest = json.loads(saved)
        for key in ("resourceVersion", "uid", "creationTimestamp"):
            manifest["metadata"].pop(key)
        cluster.apply(manifest)
