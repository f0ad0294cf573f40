"""Deployments and what plugins put into `k8s-override`: the same as kustomize makes of them."""

from __future__ import annotations

import json
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from tutorautoscale.strategic import patched
from tutorplatform import manifests
from tutorplatform.manifests import Manifest

pytestmark = [pytest.mark.render, pytest.mark.usefixtures("pinned_kubectl")]

RENDERED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      tolerations: [{key: old}]
      volumes: [{name: data, emptyDir: {}}]
      containers:
      - name: web
        image: acme/web
        command: [serve]
        env: [{name: A, value: "1"}, {name: B, value: "2"}]
        ports: [{containerPort: 80, protocol: TCP}]
        readinessProbe: {httpGet: {path: /up, port: 80}, periodSeconds: 3}
      - {name: agent, image: acme/agent}
"""

# Of the pod's spec.
CHANGES: dict[str, str] = {
    "nothing": "{}",
    "a list without names": "{tolerations: [{key: new}]}",
    "a value more": "{terminationGracePeriodSeconds: 5, affinity: {podAntiAffinity: {a: []}}}",
    "a value less": "{tolerations: null}",
    "a container more": "{containers: [{name: other, image: x}]}",
    "a container less": "{containers: [{name: agent, $patch: delete}]}",
    "other containers": "{containers: [{name: other, image: x}, {$patch: replace}]}",
    "a variable": "{containers: [{name: web, env: [{name: B, value: x}, {name: C, value: y}]}]}",
    "a port more": "{containers: [{name: web, ports: [{containerPort: 81, protocol: TCP}]}]}",
    "a command": "{containers: [{name: web, command: [other], args: [x]}]}",
    "a claim": "{volumes: [{name: data, emptyDir: null, persistentVolumeClaim: {claimName: x}}]}",
    "half a probe": "{containers: [{name: web, readinessProbe: {timeoutSeconds: 9}}]}",
    "another probe": (
        "{containers: [{name: web, "
        "readinessProbe: {$patch: replace, exec: {command: [x]}}, livenessProbe: {a: b}}]}"
    ),
    "a probe deleted": (
        "{containers: [{name: web, readinessProbe: {$patch: delete}, lifecycle: {$patch: delete}}]}"
    ),
    "a port of another protocol": (
        "{containers: [{name: web, ports: [{containerPort: 80, protocol: UDP}]}]}"
    ),
    "an item replaced": "{containers: [{name: web, $patch: replace, image: y}]}",
    "no affinity": "{affinity: {$patch: delete}}",
    "no probe": "{containers: [{name: web, readinessProbe: null}]}",
}


def override(spec: Any, **values: Any) -> Manifest:
    """A change of the pod's spec, or of the Deployment itself."""
    named = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    return {**named, "spec": {"template": {"spec": spec}}, **values}


def by_kustomize(folder: Path, overrides: list[Manifest]) -> list[Manifest]:
    """The same as Tutor has it done."""
    (folder / "rendered.yml").write_text(RENDERED)
    (folder / "override.yml").write_text(manifests.dump(overrides))
    lists = {"resources": ["rendered.yml"], "patches": [{"path": "override.yml"}]}
    (folder / "kustomization.yml").write_text(yaml.safe_dump(lists))
    made = subprocess.run(["kubectl", "kustomize", folder], check=True, capture_output=True)
    return manifests.load(made.stdout.decode())


in_order = partial(json.dumps, sort_keys=True)


def plain(value: Any, field: str = "") -> Any:
    """Without an order of what has none."""
    if isinstance(value, dict):
        return {key: plain(each, key) for key, each in value.items()}
    if isinstance(value, list):
        items = [plain(each) for each in value]
        return items if field in ("command", "args") else sorted(items, key=in_order)
    return value


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_it_is_merged_as_kustomize_does(change: str, tmp_path: Path) -> None:
    """Item by item where items have names, and whole where they have none."""
    overrides = [override(yaml.safe_load(change))]
    ours = list(patched(manifests.load(RENDERED), overrides))
    assert plain(ours) == plain(by_kustomize(tmp_path, overrides))


def test_overrides_come_one_after_the_other(tmp_path: Path) -> None:
    """The last one wins, and what it does not mention stays."""
    overrides = [
        override({"tolerations": [{"key": "first"}], "hostname": "first"}),
        override({"tolerations": [{"key": "second"}]}),
    ]
    (ours,) = patched(manifests.load(RENDERED), overrides)
    assert plain([ours]) == plain(by_kustomize(tmp_path, overrides))
    assert ours["spec"]["template"]["spec"]["tolerations"] == [{"key": "second"}]


def test_what_is_taken_away_is_gone(tmp_path: Path) -> None:
    """With all that was said of it."""
    overrides = [{**override({}), "$patch": "delete"}]
    assert list(patched(manifests.load(RENDERED), overrides)) == []
    assert by_kustomize(tmp_path, overrides) == []


def test_a_list_is_what_is_in_it(tmp_path: Path) -> None:
    """kustomize takes it for as many objects."""
    items = {"apiVersion": "v1", "kind": "List", "items": [override({"hostname": "x"})]}
    ours = list(patched(manifests.load(RENDERED), [items]))
    assert plain(ours) == plain(by_kustomize(tmp_path, [items]))


def test_only_deployments_are_of_interest() -> None:
    """Nothing of others changes, and what is for none here is left out."""
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "web"}, "spec": {}}
    other = {"apiVersion": "acme.org/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    (web,) = manifests.load(RENDERED)
    assert list(
        patched([job, other, web], [job, other, override({}, metadata={"name": "other"})])
    ) == [web]
