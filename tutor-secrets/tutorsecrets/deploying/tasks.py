"""What Tutor runs in jobs."""

from __future__ import annotations

import copy

from tutorplatform import manifests as kubernetes
from tutorplatform.manifests import Manifest

from tutorsecrets.rewriting.pods import with_pod_spec

# (service, the script that Tutor runs there)
Task = tuple[str, str]


def with_script(job: Manifest, script: str) -> Manifest:
    """The job with a script to run, as Tutor's K8sTaskRunner makes it."""
    pod = copy.deepcopy(kubernetes.pod_spec(job) or {})
    container = pod["containers"][0]
    shell = ["sh", "-e", "-c"]
    # `command: []` in a template means "without the image's entry point".
    if container.get("command") == []:
        container |= {"command": shell, "args": [script]}
    else:
        container["args"] = [*shell, script]
    return with_pod_spec(job, pod)
