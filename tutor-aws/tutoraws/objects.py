"""Settings → Kubernetes objects, and changes to Tutor's own objects, as plain dicts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tutorplatform.errors import ConfigError
from tutorplatform.manifests import Manifest

from tutoraws.settings import Settings

SERVICE_ACCOUNT = "openedx"
CA_CONFIGMAP = "aws-ca"
CA_FOLDER = "/openedx/aws-ca"

# What runs edx-platform: (apiVersion, kind, name, container).
WORKLOADS = (
    ("apps/v1", "Deployment", "lms", "lms"),
    ("apps/v1", "Deployment", "cms", "cms"),
    ("apps/v1", "Deployment", "lms-worker", "lms-worker"),
    ("apps/v1", "Deployment", "cms-worker", "cms-worker"),
    ("batch/v1", "Job", "lms-job", "lms"),
    ("batch/v1", "Job", "cms-job", "cms"),
)

HOST_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
)


def service_account(settings: Settings) -> Manifest:
    """Who the platform's pods are for AWS.

    With a role, EKS gives them its credentials (IRSA); without one, an EKS Pod Identity
    association for this name does. Either way EKS mounts a token of its own, so the pods need
    none for the Kubernetes API.
    https://docs.aws.amazon.com/eks/latest/userguide/service-accounts.html
    """
    annotations = {"eks.amazonaws.com/role-arn": settings.role_arn} if settings.role_arn else {}
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": SERVICE_ACCOUNT,
            "labels": {"app.kubernetes.io/name": "openedx"},
            **({"annotations": annotations} if annotations else {}),
        },
        "automountServiceAccountToken": False,
    }


def ingress(host: str, class_name: str) -> Manifest:
    """Everything that is asked of `host` goes to Caddy, which knows what serves it.

    The host is the object's name too. ConfigError if Kubernetes would refuse it.
    """
    if not HOST_NAME.fullmatch(host):
        raise ConfigError(
            f"public host {host!r}",
            "is not a host name",
            "correct LMS_HOST, or the …_HOST setting that it comes from",
        )
    backend = {"service": {"name": "caddy", "port": {"name": "http"}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": host, "labels": {"app.kubernetes.io/name": "caddy"}},
        "spec": {
            "ingressClassName": class_name,
            "rules": [{"host": host, "http": {"paths": [path]}}],
        },
    }


def overrides(settings: Settings, ca_files: Iterable[str]) -> list[Manifest]:
    """Strategic merge patches: the service account, region and CA files for all of WORKLOADS."""
    container: dict[str, Any] = {}
    pod: dict[str, Any] = {"serviceAccountName": SERVICE_ACCOUNT}
    if settings.region:
        container["env"] = [{"name": "AWS_DEFAULT_REGION", "value": settings.region}]
    if list(ca_files):
        container["volumeMounts"] = [{"name": CA_CONFIGMAP, "mountPath": CA_FOLDER}]
        pod["volumes"] = [{"name": CA_CONFIGMAP, "configMap": {"name": CA_CONFIGMAP}}]
    return [
        {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {"name": name},
            "spec": {
                "template": {"spec": {**pod, "containers": [{"name": container_name, **container}]}}
            },
        }
        for api_version, kind, name, container_name in WORKLOADS
    ]


def config_map_generators(ca_files: Mapping[str, str]) -> list[dict[str, Any]]:
    """Entries of kustomize's configMapGenerator: one with the CA files, or none.

    A generated ConfigMap is named by its content, so a new CA reaches every pod.
    """
    if not ca_files:
        return []
    return [
        {
            "name": CA_CONFIGMAP,
            "literals": [f"{name}={text}" for name, text in ca_files.items()],
            "options": {"labels": {"app.kubernetes.io/name": "openedx"}},
        }
    ]
