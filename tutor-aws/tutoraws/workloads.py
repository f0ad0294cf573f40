"""Which pods of Tutor and its official plugins run what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tutorplatform.manifests import Manifest

# The plugins with a database of their own on MySQL, and their applications there.
WITH_DATABASE = ("credentials", "discovery", "notes", "xqueue")

# The plugins whose Service, of the plugin's name, is of type NodePort.
ON_NODE_PORTS = ("credentials", "discovery", "mfe", "xqueue")


@dataclass(frozen=True)
class Workload:
    """A Deployment or Job of Tutor's, and those of its containers that we change."""

    kind: str
    name: str
    containers: tuple[str, ...]

    @property
    def api_version(self) -> str:
        return {"Deployment": "apps/v1", "Job": "batch/v1"}[self.kind]

    def patch(self, pod: Mapping[str, Any], container: Mapping[str, Any]) -> Manifest:
        """A strategic merge patch for its pods, and for each of its containers."""
        containers = [{"name": name, **container} for name in self.containers]
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "metadata": {"name": self.name},
            "spec": {"template": {"spec": {**pod, "containers": containers}}},
        }


# What runs edx-platform.
PLATFORM = (
    Workload("Deployment", "lms", ("lms",)),
    Workload("Deployment", "cms", ("cms",)),
    Workload("Deployment", "lms-worker", ("lms-worker",)),
    Workload("Deployment", "cms-worker", ("cms-worker",)),
    Workload("Job", "lms-job", ("lms",)),
    Workload("Job", "cms-job", ("cms",)),
)

# Tutor's scripts run MySQL's client in it.
MYSQL_CLIENT = Workload("Job", "mysql-job", ("mysql",))

CONTAINERS = {"xqueue": ("xqueue", "xqueue-consumer")}


def plugins_with_database(config: Mapping[str, Any]) -> list[str]:
    """Those of WITH_DATABASE that are enabled: only then does Tutor know their settings."""
    return [name for name in WITH_DATABASE if f"{name.upper()}_MYSQL_DATABASE" in config]


def of_plugin(name: str) -> tuple[Workload, Workload]:
    """What runs one of WITH_DATABASE."""
    return (
        Workload("Deployment", name, CONTAINERS.get(name, (name,))),
        Workload("Job", f"{name}-job", (name,)),
    )
