"""The Job of a bootstrap and what goes with it, as plain dicts.

It stands in the platform's namespace, with the platform's image and service account: it has the
administrators' passwords, and nothing of an instance may run beside them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from tutorplatform.manifests import Manifest

from tutoraws import images
from tutoraws.bootstrap.needs import CA_FOLDER
from tutoraws.settings import Settings

PROGRAM = "tutoraws.bootstrap.program"
FOLDER = "/bootstrap"
PASSWORDS_FOLDER = "/bootstrap-passwords"

PLAN_FILE = "plan.json"
PASSWORDS_FILE = "passwords.json"

# Of the platform's pods; a NetworkPolicy selects them by it.
LABELS = {"app.kubernetes.io/name": "openedx-bootstrap"}
INSTANCE_LABEL = "tutoraws/instance"

# In its official image; `app` there.
USER_ID = 1000
# Enough for a user group of ElastiCache that is being changed, and an image of 3 GB.
DEADLINE_S = 900
# Whatever becomes of the command, the Secret goes with the Job then.
TTL_S = 600


def image(settings: Settings, tutor_version: str) -> str:
    """What the Job runs in: Python with clients of the services, not of the instance's making."""
    chosen = settings.bootstrap.image or f"docker.io/overhangio/openedx:{tutor_version}"
    return images.cached(chosen, settings.ecr.registry, settings.ecr.pull_through)


def job(
    settings: Settings, instance: str, name: str, image: str, files: Mapping[str, str]
) -> Manifest:
    """The Job. Its pod waits until the ConfigMap and the Secret of the same name are there.

    `files` has what the ConfigMap holds: path below FOLDER → text.
    """
    metadata = _metadata(settings, instance, name)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            # It says what is wrong, and does not get better by itself.
            "backoffLimit": 0,
            "activeDeadlineSeconds": DEADLINE_S,
            "ttlSecondsAfterFinished": TTL_S,
            "template": {
                "metadata": {"labels": metadata["labels"]},
                "spec": _pod(settings, name, image, files),
            },
        },
    }


def _pod(settings: Settings, name: str, image: str, files: Mapping[str, str]) -> dict[str, Any]:
    return {
        "serviceAccountName": settings.bootstrap.service_account,
        "automountServiceAccountToken": False,
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER_ID,
            "runAsGroup": USER_ID,
            # May read the passwords, which are root's.
            "fsGroup": USER_ID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(settings, image)],
        "volumes": [_files_volume(name, files), _passwords_volume(name)],
    }


def _container(settings: Settings, image: str) -> dict[str, Any]:
    return {
        "name": "bootstrap",
        "image": image,
        "command": ["python", "-B", "-m", f"{PROGRAM}.job", FOLDER, PASSWORDS_FOLDER],
        "workingDir": FOLDER,
        "env": [{"name": "AWS_DEFAULT_REGION", "value": settings.region}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"memory": "256Mi"},
        },
        "volumeMounts": [
            {"name": "files", "mountPath": FOLDER, "readOnly": True},
            {"name": "passwords", "mountPath": PASSWORDS_FOLDER, "readOnly": True},
        ],
    }


def _files_volume(name: str, files: Mapping[str, str]) -> dict[str, Any]:
    items = [{"key": _key(path), "path": path} for path in files]
    return {"name": "files", "configMap": {"name": name, "items": items}}


def _passwords_volume(name: str) -> dict[str, Any]:
    return {"name": "passwords", "secret": {"secretName": name, "defaultMode": 0o440}}


def _key(path: str) -> str:
    # A key has no slashes.
    return path.replace("/", ".")


def config_map(job: Manifest, files: Mapping[str, str]) -> Manifest:
    """What the Job reads that is no secret."""
    data = {_key(path): text for path, text in files.items()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": job["metadata"], "data": data}


def secret(job: Manifest, passwords: Mapping[str, str]) -> Manifest:
    """The instance's passwords, as far as the Job gives them to users."""
    text = json.dumps(dict(passwords), ensure_ascii=False)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": job["metadata"],
        "type": "Opaque",
        "stringData": {PASSWORDS_FILE: text},
    }


def owned(manifest: Manifest, job: Manifest) -> Manifest:
    """The same object, to be deleted together with the Job, which is as the cluster has it."""
    owner = {
        "apiVersion": job["apiVersion"],
        "kind": job["kind"],
        "name": job["metadata"]["name"],
        "uid": job["metadata"]["uid"],
    }
    return {**manifest, "metadata": {**manifest["metadata"], "ownerReferences": [owner]}}


def files(
    plan: Mapping[str, Any], authorities: Mapping[str, str], program: Mapping[str, str]
) -> dict[str, str]:
    """Path below FOLDER → text: the plan, the authorities by file, the program by module."""
    package = PROGRAM.replace(".", "/")
    folder = CA_FOLDER.removeprefix(f"{FOLDER}/")
    parents = [str(parent) for parent in PurePosixPath(package).parents][:-1]
    return {
        PLAN_FILE: json.dumps(plan, indent=1),
        **{f"{folder}/{name}": text for name, text in authorities.items()},
        **{f"{parent}/__init__.py": "" for parent in parents},
        **{f"{package}/{module}": text for module, text in program.items()},
    }


def _metadata(settings: Settings, instance: str, name: str) -> dict[str, Any]:
    labels = {**LABELS, INSTANCE_LABEL: instance}
    return {"name": name, "namespace": settings.bootstrap.namespace, "labels": labels}
