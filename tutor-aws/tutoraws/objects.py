"""Settings → Kubernetes objects, and changes to Tutor's own objects, as plain dicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tutorplatform.manifests import Manifest

from tutoraws import workloads
from tutoraws.settings import Settings
from tutoraws.workloads import Workload

SERVICE_ACCOUNT = "openedx"
# Of credentials and discovery: who gets into one of these has pictures, and no learner's files.
PLUGINS_SERVICE_ACCOUNT = "openedx-plugins"
# On the pods with one of these, which alone may ask EKS for credentials.
IDENTITY_LABEL = {"tutoraws/identity": "openedx"}
CA_CONFIGMAP = "aws-ca"
CA_FOLDER = "/openedx/aws-ca"
MYSQL_CA = "mysql.pem"
MONGODB_CA = "mongodb.pem"

# In the ConfigMap, and where MySQL's client looks for it: Tutor's scripts give it no option.
CLIENT_OPTIONS = "mysql-client.cnf"
CLIENT_OPTIONS_MOUNT = {
    "name": CA_CONFIGMAP,
    "mountPath": "/etc/mysql/conf.d/aws.cnf",
    "subPath": CLIENT_OPTIONS,
}
# https://dev.mysql.com/doc/refman/8.4/en/connection-options.html#encrypted-connection-options
MYSQL_OPTIONS = f"""[client]
ssl-ca={CA_FOLDER}/{MYSQL_CA}
ssl-mode=VERIFY_IDENTITY
"""


def service_account(name: str, role_arn: str = "") -> Manifest:
    """Who pods are for AWS.

    With a role, EKS gives them its credentials (IRSA); without one, an EKS Pod Identity
    association for this name does. Either way EKS mounts a token of its own, so the pods need
    none for the Kubernetes API.
    https://docs.aws.amazon.com/eks/latest/userguide/service-accounts.html
    """
    annotations = {"eks.amazonaws.com/role-arn": role_arn} if role_arn else {}
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/name": "openedx"},
            **({"annotations": annotations} if annotations else {}),
        },
        "automountServiceAccountToken": False,
    }


def default_service_account() -> Manifest:
    """The one of all other pods. None of Tutor's asks the Kubernetes API anything.

    A pod that does has an account of its own, or says that it wants a token.
    """
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default"},
        "automountServiceAccountToken": False,
    }


def overrides(
    settings: Settings,
    ca_files: Iterable[str],
    plugins: Iterable[str],
    accounts: Mapping[Workload, str] | None = None,
) -> list[Manifest]:
    """Strategic merge patches for Tutor's workloads.

    Service account and region for what runs edx-platform, and for what else has one in
    `accounts`; CA files for those, for `plugins` (of `workloads.WITH_DATABASE`) and for MySQL's
    client, each as far as it has a use for them.
    """
    files = list(ca_files)
    environment = (
        {"env": [{"name": "AWS_DEFAULT_REGION", "value": settings.region}]}
        if settings.region
        else {}
    )
    known = {**dict.fromkeys(workloads.PLATFORM, SERVICE_ACCOUNT), **(accounts or {})}
    with_role = [
        _with_identity(_patch(workload, {}, environment, files), account)
        for workload, account in known.items()
    ]
    if MYSQL_CA not in files:
        return with_role
    others = [each for name in plugins for each in workloads.of_plugin(name)]
    return [
        *with_role,
        *(_patch(each, {}, {}, files) for each in others if each not in known),
        _patch(workloads.MYSQL_CLIENT, {}, {}, files, CLIENT_OPTIONS_MOUNT),
    ]


def caddies(config: Mapping[str, Any], plugins: Iterable[str]) -> list[Manifest]:
    """A strategic merge patch for a second Caddy: all requests go through it.

    None where the autoscale plugin decides how many there are, and where Tutor ties it to a volume.
    """
    if "autoscale" in plugins or config["ENABLE_WEB_PROXY"]:
        return []
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "caddy"},
            "spec": {"replicas": 2},
        }
    ]


def unexposed_services(plugins: Iterable[str]) -> list[Manifest]:
    """Strategic merge patches for Services of `plugins` that Tutor gives a port on every node.

    Only Caddy asks them; a node's port is open to whoever reaches the node.
    """
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"type": "ClusterIP"},
        }
        for name in workloads.ON_NODE_PORTS
        if name in plugins
    ]


def _with_identity(patch: Manifest, account: str) -> Manifest:
    template = patch["spec"]["template"]
    pod = {"serviceAccountName": account, **template["spec"]}
    labelled = {"metadata": {"labels": IDENTITY_LABEL}, "spec": pod}
    return {**patch, "spec": {"template": labelled}}


def _patch(
    workload: Workload,
    pod: Mapping[str, Any],
    container: Mapping[str, Any],
    ca_files: list[str],
    *mounts: dict[str, Any],
) -> Manifest:
    if ca_files:
        container = {
            **container,
            "volumeMounts": [{"name": CA_CONFIGMAP, "mountPath": CA_FOLDER}, *mounts],
        }
        pod = {**pod, "volumes": [{"name": CA_CONFIGMAP, "configMap": {"name": CA_CONFIGMAP}}]}
    return workload.patch(pod, container)


def config_map_generators(ca_files: Mapping[str, str]) -> list[dict[str, Any]]:
    """Entries of kustomize's configMapGenerator: one with the CA files, or none.

    A generated ConfigMap is named by its content, so a new CA reaches every pod.
    """
    if not ca_files:
        return []
    files = {**ca_files, **({CLIENT_OPTIONS: MYSQL_OPTIONS} if MYSQL_CA in ca_files else {})}
    return [
        {
            "name": CA_CONFIGMAP,
            "literals": [f"{name}={text}" for name, text in files.items()],
            "options": {"labels": {"app.kubernetes.io/name": "openedx"}},
        }
    ]
