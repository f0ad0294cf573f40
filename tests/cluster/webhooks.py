"""Webhooks of the load balancer controller, as its chart 3.5.0 registers them; nobody answers them.

helm/aws-load-balancer-controller/templates/webhook.yaml of
https://github.com/kubernetes-sigs/aws-load-balancer-controller at v3.5.0. Those for pods are left
out: they are for labelled pods and namespaces only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from localcluster.cluster import LocalCluster
from localcluster.model import Manifest

NAME = "aws-load-balancer-controller"
VERSION = "admissionregistration.k8s.io/v1"
# Objects that say that they are the controller's own are not shown to it.
NOT_ITS_OWN = {
    "matchExpressions": [{"key": "app.kubernetes.io/name", "operator": "NotIn", "values": [NAME]}]
}


@contextmanager
def registered(cluster: LocalCluster, values: Mapping[str, Any]) -> Iterator[None]:
    """Have them as they are with these values of the controller's chart."""
    objects = [
        _configuration("MutatingWebhookConfiguration", mutating(values)),
        _configuration("ValidatingWebhookConfiguration", validating(values)),
    ]
    for each in objects:
        cluster.apply(each)
    try:
        yield
    finally:
        for each in objects:
            cluster.kubectl("delete", each["kind"], each["metadata"]["name"])


def mutating(values: Mapping[str, Any]) -> list[Manifest]:
    """Those that change objects."""
    bindings = _webhook("mtargetgroupbinding", "elbv2.k8s.aws/v1beta1", "targetgroupbindings")
    if not values["enableServiceMutatorWebhook"]:
        return [bindings]
    policy = values["serviceMutatorWebhookConfig"]["failurePolicy"]
    services = _webhook("mservice", "/v1", "services", policy, NOT_ITS_OWN)
    return [bindings, services]


def validating(values: Mapping[str, Any]) -> list[Manifest]:
    """Those that refuse objects."""
    group = "elbv2.k8s.aws/v1beta1"
    policy = values["webhookConfig"]["ingressValdationFailurePolicy"]
    return [
        _webhook("vingressclassparams", group, "ingressclassparams", "Fail", NOT_ITS_OWN),
        _webhook("vtargetgroupbinding", group, "targetgroupbindings"),
        _webhook("vingress", "networking.k8s.io/v1", "ingresses", policy),
    ]


def _webhook(
    name: str,
    version: str,
    resource: str,
    policy: str = "Fail",
    selector: Mapping[str, Any] | None = None,
) -> Manifest:
    group, _, number = version.partition("/")
    service = {"name": f"{NAME}-webhook-service", "namespace": "platform", "path": f"/{name}"}
    rule = {
        "apiGroups": [group],
        "apiVersions": [number],
        "operations": ["CREATE", "UPDATE"],
        "resources": [resource],
    }
    return {
        "name": f"{name}.elbv2.k8s.aws",
        "clientConfig": {"service": service},
        "failurePolicy": policy,
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "objectSelector": selector or {},
        "rules": [rule],
    }


def _configuration(kind: str, webhooks: list[Manifest]) -> Manifest:
    metadata = {"name": f"{NAME}-webhook"}
    return {"apiVersion": VERSION, "kind": kind, "metadata": metadata, "webhooks": webhooks}
