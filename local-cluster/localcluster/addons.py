"""Objects that a new cluster gets: metrics-server's registration and the storage class."""

from __future__ import annotations

from base64 import b64encode

from localcluster.model import Manifest

NAMESPACE = "kube-system"
METRICS_USER = "metrics-server"
STORAGE_CLASS = "gp3"
PROVISIONER = "local-cluster/stand-in"


def addons(metrics_port: int, authority: bytes) -> list[Manifest]:
    """What to create once the API server is up, in order. `authority` is PEM."""
    return [*_metrics_rbac(), *_metrics_api(metrics_port, authority), _storage_class()]


def _metrics_rbac() -> list[Manifest]:
    reader = "system:metrics-server"
    rules = [
        {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"]},
    ]
    return [
        _rbac("ClusterRole", reader, rules=rules),
        _binding("ClusterRoleBinding", reader, "ClusterRole", reader),
        _binding(
            "ClusterRoleBinding",
            "metrics-server:auth-delegator",
            "ClusterRole",
            "system:auth-delegator",
        ),
        _binding(
            "RoleBinding",
            "metrics-server-auth-reader",
            "Role",
            "extension-apiserver-authentication-reader",
        ),
    ]


def _metrics_api(port: int, authority: bytes) -> list[Manifest]:
    # An ExternalName leads the API server to a process outside the cluster's own network.
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "metrics-server", "namespace": NAMESPACE},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "service": {"name": "metrics-server", "namespace": NAMESPACE, "port": port},
                "caBundle": b64encode(authority).decode(),
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
            },
        },
    ]


def _storage_class() -> Manifest:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": PROVISIONER,
        # As with EBS: the volume is made in the zone where its first pod goes, and stays there.
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def _binding(kind: str, name: str, role_kind: str, role: str) -> Manifest:
    return _rbac(
        kind,
        name,
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role},
        subjects=[{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": METRICS_USER}],
    )


def _rbac(kind: str, name: str, **content: object) -> Manifest:
    metadata = {"name": name}
    if kind == "RoleBinding":
        metadata["namespace"] = NAMESPACE
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": metadata,
        **content,
    }
