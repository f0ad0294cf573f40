"""What a Job and its pods, as the cluster has them, say about how far it is. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from tutorplatform.manifests import Manifest

COMPLETE, FAILED = "Complete", "Failed"


def end(job: Manifest) -> tuple[str, str] | None:
    """(COMPLETE or FAILED, why) of a Job that has come to its end; None while it has not.

    https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions
    """
    for condition in (job.get("status") or {}).get("conditions") or []:
        if condition["type"] in (COMPLETE, FAILED) and condition["status"] == "True":
            return condition["type"], condition.get("reason", "")
    return None


def state(pods: Iterable[Manifest]) -> str:
    """What the Job does, or what it waits for, in words."""
    for pod in pods:
        status = pod.get("status") or {}
        for condition in status.get("conditions") or []:
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                return f"waits for a node: {condition.get('message', condition.get('reason', ''))}"
        for container in status.get("containerStatuses") or []:
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("reason"):
                return f"waits: {waiting['reason']}"
        return str(status.get("phase", "Pending")).lower()
    return "waits for its pod"
