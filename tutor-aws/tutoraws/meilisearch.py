"""Meilisearch without a volume that would bind it to a zone, and what fills it when it is empty.

Studio, the content libraries, notes and forum search there, and there only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tutorplatform.errors import ConfigError
from tutorplatform.instance import instance
from tutorplatform.manifests import Manifest

from tutoraws.settings import Settings
from tutoraws.workloads import Workload

NAME = "search-indexer"
SCRIPT = "search_indexer.py"
FOLDER = "/openedx/search-indexer"

# Seconds until it is started elsewhere, where its node is lost. Kubernetes would wait for five
# minutes, which is of use to pods with a volume only.
LOST_NODE_S = 30

# What Tutor's init tasks do, but for Studio: there they queue a task, which leaves out what it
# takes for indexed already, be it that the index is gone since.
STUDIO_COMMAND = """./manage.py cms shell -c '
from openedx.core.djangoapps.content.search import api
from openedx.core.djangoapps.content.search.models import IncrementalIndexCompleted
IncrementalIndexCompleted.objects.all().delete()
api.reconcile_index()
api.rebuild_index(incremental=True)
'"""
COURSES_COMMAND = (
    "./manage.py cms shell -c 'import search.meilisearch as search; search.create_indexes()'\n"
    "./manage.py cms reindex_course --active"
)
# The forum is an application of the LMS only.
FORUM_COMMAND = (
    "SERVICE_VARIANT=lms DJANGO_SETTINGS_MODULE=lms.envs.tutor.production "
    "./manage.py lms rebuild_forum_indices"
)
NOTES_COMMAND = (
    "./manage.py shell -c 'from notesapi.v1.views.meilisearch import reindex; reindex()'"
)

# With the indexes that each fills → primary key, as these applications have them.
STUDIO = {"name": "studio", "indexes": {"studio_content": "id"}, "command": STUDIO_COMMAND}
COURSES = {
    "name": "courses",
    "indexes": {"course_info": "_pk", "courseware_content": "_pk"},
    "command": COURSES_COMMAND,
}
FORUM = {
    "name": "forum",
    "indexes": {"comments": "_pk", "comment_threads": "_pk"},
    "command": FORUM_COMMAND,
}
NOTES = {"name": "notes", "indexes": {"student_notes": "id"}, "command": NOTES_COMMAND}


def check(config: Mapping[str, Any]) -> None:
    """Raise ConfigError for an external Meilisearch with a prefix that is not the instance's.

    The instance's key covers every index that starts like that: `a` is a prefix of `acme_` too.
    """
    own, prefix = instance(config).index_prefix, str(config["MEILISEARCH_INDEX_PREFIX"])
    if not config["RUN_MEILISEARCH"] and not prefix.startswith(own):
        raise ConfigError(
            "MEILISEARCH_INDEX_PREFIX",
            f"{prefix!r} may be what indexes of another instance start with",
            f"run `tutor config save --unset MEILISEARCH_INDEX_PREFIX`, which makes it {own!r}",
        )


def is_ephemeral(settings: Settings, config: Mapping[str, Any]) -> bool:
    """Does Meilisearch run in the cluster, and without a claim?"""
    return bool(config["RUN_MEILISEARCH"]) and settings.meilisearch.ephemeral


def workloads(settings: Settings, config: Mapping[str, Any]) -> tuple[Workload, ...]:
    """The Deployment that fills Meilisearch; it runs with the platform's role and files."""
    if not is_ephemeral(settings, config):
        return ()
    names = [container["name"] for container in _containers(settings, config)]
    return (Workload("Deployment", NAME, tuple(names)),)


def deployments(settings: Settings, config: Mapping[str, Any]) -> list[Manifest]:
    """What fills Meilisearch whenever it is empty, or nothing.

    Not a container of Meilisearch's own pod: that one would be new, and empty, with each
    change of the platform's settings or image.
    """
    if not is_ephemeral(settings, config):
        return []
    labels = {"app.kubernetes.io/name": NAME}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": NAME, "labels": labels},
            "spec": {
                "selector": {"matchLabels": labels},
                # Two would do the same work.
                "strategy": {"type": "Recreate"},
                "template": {"metadata": {"labels": labels}, "spec": _pod(settings, config)},
            },
        }
    ]


def overrides(settings: Settings, config: Mapping[str, Any]) -> list[Manifest]:
    """The change to Tutor's Meilisearch: its data on the node, and gone with the pod."""
    if not is_ephemeral(settings, config):
        return []
    volume = {
        "name": "data",
        "persistentVolumeClaim": None,
        "emptyDir": {"sizeLimit": settings.meilisearch.size},
    }
    pod = {"volumes": [volume], "tolerations": _tolerations()}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "meilisearch"},
            "spec": {"template": {"spec": pod}},
        }
    ]


def config_map_generators(
    settings: Settings, config: Mapping[str, Any], script: str
) -> list[dict[str, Any]]:
    """Entries of kustomize's configMapGenerator: one with the program, or none."""
    if not is_ephemeral(settings, config):
        return []
    labels = {"app.kubernetes.io/name": NAME}
    return [{"name": NAME, "literals": [f"{SCRIPT}={script}"], "options": {"labels": labels}}]


def _pod(settings: Settings, config: Mapping[str, Any]) -> dict[str, Any]:
    config_maps = {
        NAME: NAME,
        "settings-lms": "openedx-settings-lms",
        "settings-cms": "openedx-settings-cms",
        "config": "openedx-config",
        **({"settings-notes": "notes-settings"} if _has_notes(config) else {}),
    }
    return {
        "securityContext": {"runAsUser": 1000, "runAsGroup": 1000},
        "containers": _containers(settings, config),
        "volumes": [
            {"name": volume, "configMap": {"name": name}} for volume, name in config_maps.items()
        ],
        "tolerations": _tolerations(),
    }


def _containers(settings: Settings, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    tasks = [
        STUDIO,
        *([] if settings.opensearch.host else [COURSES]),
        *([FORUM] if "FORUM_VERSION" in config else []),
    ]
    return [_platform(config, tasks), *([_notes(config)] if _has_notes(config) else [])]


def _platform(config: Mapping[str, Any], tasks: list[dict[str, Any]]) -> dict[str, Any]:
    return _container(
        "platform",
        config["DOCKER_IMAGE_OPENEDX"],
        config,
        tasks,
        environment={
            "SERVICE_VARIANT": "cms",
            "DJANGO_SETTINGS_MODULE": "cms.envs.tutor.production",
            "MEILISEARCH_MASTER_KEY": config["MEILISEARCH_MASTER_KEY"],
        },
        mounts=[
            {"name": "settings-lms", "mountPath": "/openedx/edx-platform/lms/envs/tutor/"},
            {"name": "settings-cms", "mountPath": "/openedx/edx-platform/cms/envs/tutor/"},
            {"name": "config", "mountPath": "/openedx/config"},
        ],
        requests={"cpu": "50m", "memory": "128Mi"},
    )


def _notes(config: Mapping[str, Any]) -> dict[str, Any]:
    settings = "/app/edx-notes-api/notesserver/settings/tutor.py"
    return _container(
        "notes",
        config["NOTES_DOCKER_IMAGE"],
        config,
        [NOTES],
        environment={"DJANGO_SETTINGS_MODULE": "notesserver.settings.tutor"},
        mounts=[{"name": "settings-notes", "mountPath": settings, "subPath": "tutor.py"}],
        requests={"cpu": "10m", "memory": "64Mi"},
    )


def _container(
    name: str,
    image: str,
    config: Mapping[str, Any],
    tasks: list[dict[str, Any]],
    *,
    environment: Mapping[str, str],
    mounts: list[dict[str, Any]],
    requests: Mapping[str, str],
) -> dict[str, Any]:
    """No probe: it serves nobody. Little is requested, as it sleeps almost all the time.

    Under pressure it is the first to go, and does again what it had not marked as done.
    """
    known = ("URL", "API_KEY", "API_KEY_UID")
    variables = {**environment, **{f"MEILISEARCH_{k}": config[f"MEILISEARCH_{k}"] for k in known}}
    return {
        "name": name,
        "image": image,
        "args": [
            *("python", f"{FOLDER}/{SCRIPT}"),
            *(config["MEILISEARCH_INDEX_PREFIX"], json.dumps(tasks)),
        ],
        "env": [{"name": key, "value": value} for key, value in variables.items()],
        "resources": {"requests": dict(requests)},
        "securityContext": {"allowPrivilegeEscalation": False},
        "volumeMounts": [{"name": NAME, "mountPath": FOLDER}, *mounts],
    }


def _has_notes(config: Mapping[str, Any]) -> bool:
    return "NOTES_DOCKER_IMAGE" in config


def _tolerations() -> list[dict[str, Any]]:
    return [
        {
            "key": f"node.kubernetes.io/{state}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": LOST_NODE_S,
        }
        for state in ("not-ready", "unreachable")
    ]
