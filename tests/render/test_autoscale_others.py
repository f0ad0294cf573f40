"""What other plugins and operators patch besides, and what of it stands in the end."""

from __future__ import annotations

from typing import Any

import pytest
from tutorplatform.manifests import Manifest

from tests.conftest import NewRoot
from tests.render.others import PODS, write_plugin
from tests.render.scaling import named, pod

pytestmark = pytest.mark.render

# Entries of kustomize's `patches`, which come after `k8s-override`.
LATER = """
- target: {kind: Deployment, name: lms}
  patch: |-
    - {op: add, path: /spec/template/spec/tolerations/-, value: {key: tenant, operator: Exists}}
    - {op: replace, path: /spec/template/spec/containers/0/resources/limits/memory, value: 9Gi}
- target: {kind: Deployment, name: cms}
  patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: any}
    spec: {template: {spec: {terminationGracePeriodSeconds: 999}}}
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: acme}
    $patch: delete
"""


@pytest.fixture(scope="module")
def rendered(new_root: NewRoot) -> list[Manifest]:
    """An instance whose operator patches Deployments in kustomize's own ways."""
    root = new_root("autoscale", "other")
    write_plugin(root, PODS, kustomization_patches=LATER)
    root.run("config", "save")
    return root.rendered()


def test_what_is_patched_later_is_patched_upon_ours(rendered: list[Manifest]) -> None:
    """With lists that are there to add to, and values to replace."""
    lms, cms = (pod(named(rendered, "Deployment")[name]) for name in ("lms", "cms"))
    assert lms["tolerations"][-1] == {"key": "tenant", "operator": "Exists"}
    assert len(lms["tolerations"]) == 3
    assert lms["containers"][0]["resources"]["limits"]["memory"] == "9Gi"
    assert cms["terminationGracePeriodSeconds"] == 999


def test_a_deployment_may_be_taken_away(rendered: list[Manifest]) -> None:
    """Our patch for it has nothing to change then, which is no error."""
    assert "acme" not in named(rendered, "Deployment")
    assert "acme-own" in named(rendered, "Deployment")


UNUSABLE: dict[str, Any] = {
    "k8s_override": "- {op: add, path: /x, value: y}",
    "k8s_deployments": "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {}",
}


@pytest.mark.parametrize(("patch", "text"), UNUSABLE.items(), ids=UNUSABLE)
def test_what_is_no_object_is_said_at_config_save(patch: str, text: str, new_root: NewRoot) -> None:
    """Kubernetes or kustomize would refuse it, but not before a deployment."""
    root = new_root("autoscale", "other", AUTOSCALE_PROFILE="small", AUTOSCALE_SERVICES={"lms": {}})
    write_plugin(root, {}, **{patch: text})
    refused = root.run("config", "save", check=False)
    assert refused.returncode == 1
    assert "k8s-deployments or k8s-override of a plugin: is no list of" in refused.stdout
    assert "Traceback" not in refused.stdout
