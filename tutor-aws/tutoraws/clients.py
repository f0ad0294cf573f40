"""What AWS' clients in the pods need, as changes to Tutor's workloads.

https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tutorplatform.manifests import Manifest

from tutoraws import search, workloads
from tutoraws.settings import Settings
from tutoraws.workloads import Workload

# Plugins that keep files of their own on S3: pictures of programs, courses and signatories.
WITH_FILES = ("credentials", "discovery")

CONFIGMAP = "aws-client"
FOLDER = "/openedx/aws-client"
FILE = "config"
# Parts of the platform sign links with a client that takes no Django setting. boto3 would then
# use Signature Version 2, which buckets made since 2020 refuse, and a global host name, which
# regions made since 2019 refuse.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
CONFIG = """[default]
s3 =
    addressing_style = virtual
    signature_version = s3v4
"""


def config_map_generators(settings: Settings) -> list[dict[str, Any]]:
    """Entries of kustomize's configMapGenerator: one with the clients' file, or none."""
    if not settings.s3.enabled:
        return []
    labels = {"app.kubernetes.io/name": "openedx"}
    file = f"{FILE}={CONFIG}"
    return [{"name": CONFIGMAP, "literals": [file], "options": {"labels": labels}}]


def signing(settings: Settings, plugins: Iterable[str]) -> tuple[Workload, ...]:
    """What else than the platform asks S3 with a role of its pods.

    `plugins` are those of `workloads.WITH_DATABASE` that are enabled.
    """
    names = [name for name in plugins if settings.s3.enabled and name in WITH_FILES]
    return tuple(each for name in names for each in workloads.of_plugin(name))


def of_plugins(settings: Settings, config: Mapping[str, Any]) -> tuple[Workload, ...]:
    """The plugins' workloads that have a role: for files, or to search."""
    files = signing(settings, workloads.plugins_with_database(config))
    return tuple(dict.fromkeys([*files, *search.signing(settings, config)]))


def overrides(settings: Settings, plugins: Iterable[str]) -> list[Manifest]:
    """Strategic merge patches: the clients' file for all that asks S3."""
    if not settings.s3.enabled:
        return []
    return [_patch(each) for each in (*workloads.PLATFORM, *signing(settings, plugins))]


def _patch(workload: Workload) -> Manifest:
    container = {
        "env": [{"name": "AWS_CONFIG_FILE", "value": f"{FOLDER}/{FILE}"}],
        "volumeMounts": [{"name": CONFIGMAP, "mountPath": FOLDER}],
    }
    volumes = [{"name": CONFIGMAP, "configMap": {"name": CONFIGMAP}}]
    return workload.patch({"volumes": volumes}, container)
