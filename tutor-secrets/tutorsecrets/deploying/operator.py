"""Edge: the External Secrets Operator in the cluster."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass

from tutor import fmt
from tutorplatform import manifests as kubernetes
from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest

from tutorsecrets.deploying.kubectl import Cluster
from tutorsecrets.rewriting import external

TIMEOUT_S = 60
POLL_S = 1
# Between two lines of progress.
QUIET_S = 10


@dataclass(frozen=True)
class Status:
    """What the operator says of an object: which version it has dealt with, and how that went."""

    version: str
    ready: bool
    message: str


def is_known(cluster: Cluster) -> bool:
    """Whether the cluster knows its kinds."""
    return external.API_VERSION in cluster.ask("api-versions").split()


def require_operator(cluster: Cluster) -> None:
    """Raise DeployError if the cluster does not know its kinds."""
    if not is_known(cluster):
        raise DeployError(
            "SECRETS_MODE",
            f"is external-secrets, but the cluster does not know {external.API_VERSION}",
            "install the External Secrets Operator, or use `SECRETS_MODE: direct`",
        )


def statuses(cluster: Cluster, namespace: str) -> dict[str, Status]:
    """Name → status of each ExternalSecret in the namespace."""
    answer = cluster.ask("get", external.RESOURCE, f"--namespace={namespace}", "--output=json")
    return {kubernetes.name(item): _status(item) for item in json.loads(answer)["items"]}


def _status(item: Manifest) -> Status:
    status = item.get("status") or {}
    ready = [each for each in status.get("conditions") or [] if each["type"] == "Ready"]
    return Status(
        status.get("syncedResourceVersion", ""),
        any(each["status"] == "True" for each in ready),
        "; ".join(each.get("message", "") for each in ready) or "the operator has not looked yet",
    )


def wait(
    cluster: Cluster, namespace: str, objects: Iterable[Manifest], before: dict[str, Status]
) -> None:
    """Wait until the operator has made the Secrets of these objects, as they were just applied.

    `before` are the statuses before that. DeployError, with the operator's reasons, if it has not.
    """
    names = {kubernetes.name(each) for each in kubernetes.of_kind(objects, external.KIND)}
    fmt.echo_info(f"Waiting for external-secrets to make {len(names)} Secrets...")
    start = said = time.monotonic()
    while left := _left(names, before, statuses(cluster, namespace)):
        now = time.monotonic()
        reasons = " | ".join(f"{name}: {status.message}" for name, status in left.items())
        if now - start > TIMEOUT_S:
            raise DeployError(
                "external-secrets",
                f"did not make all Secrets within {TIMEOUT_S} s: {reasons}",
                "see `tutor secrets check` and `kubectl describe externalsecrets`, mend it, and "
                "run the command again; what runs is as it was",
            )
        if now - said > QUIET_S:
            said = now
            fmt.echo_info(f"  {now - start:.0f} s: {reasons}")
        time.sleep(POLL_S)


def _left(names: set[str], before: dict[str, Status], now: dict[str, Status]) -> dict[str, Status]:
    unknown = Status("", False, "is not there yet")
    return {
        name: found
        for name in sorted(names)
        if not (found := now.get(name, unknown)).ready
        or found.version == before.get(name, unknown).version
    }
