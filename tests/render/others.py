"""A plugin of somebody who knows nothing of autoscalers."""

from __future__ import annotations

from collections.abc import Mapping

from demo.tutor import TutorRoot

# Deployment → its pod.
PODS = {
    "acme": (
        "{containers: [{name: acme, image: acme/acme, ports: [{containerPort: 9000}], "
        "resources: {limits: {cpu: 50m}}}, {name: agent, image: acme/agent}]}"
    ),
    "acme-worker": (
        "{containers: [{name: acme-worker, image: acme/acme, env: [{name: A, value: b}], "
        "command: [celery, -A, acme, worker, -Q, acme]}]}"
    ),
    "acme-clock": (
        "{containers: [{name: acme-clock, image: acme/acme, command: [celery, -A, acme, beat]}]}"
    ),
    "acme-old": "{containers: [{name: acme-old, image: acme/acme}]}",
    "acme-own": (
        "{terminationGracePeriodSeconds: 300, tolerations: [{key: acme, operator: Exists}], "
        "containers: [{name: acme-own, image: acme/acme, ports: [{containerPort: 80, name: web}], "
        "lifecycle: {preStop: {exec: {command: [finish]}}}, "
        "livenessProbe: {httpGet: {path: /up, port: web, scheme: HTTPS}}, "
        "readinessProbe: {exec: {command: [ready]}}}]}"
    ),
}
# What an operator has to say of Tutor's and of others' Deployments.
OVERRIDES = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: acme-old}
$patch: delete
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: lms}
spec:
  template:
    spec:
      tolerations: [{key: tenant, operator: Equal, value: acme}]
      containers:
        - name: lms
          readinessProbe: {exec: {command: [ready]}}
          lifecycle: {preStop: {sleep: {seconds: 3}}}
"""
_DEPLOYMENT = """
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: NAME
  labels: {app.kubernetes.io/name: NAME}
spec:
  replicas: 1
  selector: {matchLabels: {app.kubernetes.io/name: NAME}}
  template:
    metadata: {labels: {app.kubernetes.io/name: NAME}}
    spec: POD
"""


def write_plugin(root: TutorRoot, pods: Mapping[str, str], **patches: str) -> None:
    """Somebody's plugin `other`, with these patches and a Deployment of each of these pods.

    A pod's spec is YAML on one line; in the names of patches `_` stands for `-`.
    """
    contents = [(name.replace("_", "-"), content) for name, content in patches.items()]
    contents += [
        ("k8s-deployments", _DEPLOYMENT.replace("NAME", name).replace("POD", pod))
        for name, pod in pods.items()
    ]
    folder = root.path / "plugins"
    folder.mkdir(exist_ok=True)
    (folder / "other.py").write_text(
        f"from tutor import hooks\n\nhooks.Filters.ENV_PATCHES.add_items({contents!r})\n"
    )
