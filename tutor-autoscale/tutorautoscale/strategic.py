"""What kustomize makes of Deployments and of what plugins put into `k8s-override`. Pure.

Only as far as a Deployment goes: of its lists, those that are merged, and not replaced, are here.
https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tutorplatform import manifests
from tutorplatform.manifests import Manifest

DIRECTIVE, DELETE, REPLACE = "$patch", "delete", "replace"

# List → by which of an item's values its items are told apart.
KEYS = {
    "containers": "name",
    "env": "name",
    "ports": "containerPort",
    "volumes": "name",
}


def patched(rendered: Iterable[Manifest], overrides: Iterable[Manifest]) -> Iterator[Manifest]:
    """The Deployments among these manifests, with their overrides."""
    by_name: dict[str, list[Manifest]] = {}
    for override in manifests.of_kind(overrides, "Deployment"):
        by_name.setdefault(manifests.name(override), []).append(override)
    for manifest in manifests.of_kind(rendered, "Deployment"):
        changes = by_name.get(manifests.name(manifest), [])
        if not any(change.get(DIRECTIVE) == DELETE for change in changes):
            for change in changes:
                manifest = _mapping(manifest, change)
            yield manifest


def _merged(old: Any, new: Any, field: str) -> Any:
    if isinstance(new, Mapping):
        return _mapping(old or {}, new)
    if isinstance(new, list) and field in KEYS:
        return _items(old or [], new, KEYS[field])
    return new


def _mapping(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    kept = {} if new.get(DIRECTIVE) == REPLACE else old
    changed = {
        field: _merged(kept.get(field), value, field)
        for field, value in new.items()
        if value is not None and field != DIRECTIVE
    }
    return {**{field: value for field, value in kept.items() if field not in new}, **changed}


def _items(old: list[Any], new: list[Any], key: str) -> list[Any]:
    # An item that is nothing but the directive is meant for the whole list.
    made = {} if {DIRECTIVE: REPLACE} in new else {each.get(key): each for each in old}
    for each in new:
        name = each.get(key)
        if each.get(DIRECTIVE) == DELETE:
            made.pop(name, None)
        elif name is not None:
            made[name] = _mapping(made.get(name, {}), each)
    return list(made.values())
