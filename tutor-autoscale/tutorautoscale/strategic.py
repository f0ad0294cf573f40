"""What kustomize makes of Deployments and of what plugins put into `k8s-override`. Pure.

Only as far as a Deployment goes: of its lists, those that are merged, and not replaced, are here.
https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tutorplatform import manifests
from tutorplatform.manifests import Manifest

DIRECTIVE, DELETE, REPLACE = "$patch", "delete", "replace"

# List → by what its items are told apart.
KEYS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    **dict.fromkeys(("containers", "env", "volumes"), lambda item: item.get("name")),
    "ports": lambda item: (item.get("containerPort"), item.get("protocol") or "TCP"),
}


def patched(rendered: Iterable[Manifest], overrides: Iterable[Manifest]) -> Iterator[Manifest]:
    """The Deployments among these manifests, with their overrides."""
    by_name: dict[str, list[Manifest]] = {}
    for override in _deployments(overrides):
        by_name.setdefault(manifests.name(override), []).append(override)
    for manifest in _deployments(rendered):
        changes = by_name.get(manifests.name(manifest), [])
        if not any(change.get(DIRECTIVE) == DELETE for change in changes):
            for change in changes:
                manifest = _mapping(manifest, change)
            yield manifest


def _deployments(documents: Iterable[Manifest]) -> Iterator[Manifest]:
    for each in documents:
        if each["kind"] == "List":
            yield from _deployments(each["items"])
        # Others have kinds of that name, too.
        elif each["kind"] == "Deployment" and each["apiVersion"].startswith("apps/"):
            yield each


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
        if field != DIRECTIVE and not _removes(value)
    }
    return {**{field: value for field, value in kept.items() if field not in new}, **changed}


def _removes(value: Any) -> bool:
    return value is None or (isinstance(value, Mapping) and value.get(DIRECTIVE) == DELETE)


def _items(old: list[Any], new: list[Any], key: Callable[[Mapping[str, Any]], Any]) -> list[Any]:
    # An item that is nothing but the directive is meant for the whole list.
    made = {} if {DIRECTIVE: REPLACE} in new else {key(each): each for each in old}
    for each in new:
        directive = each.get(DIRECTIVE)
        if directive == DELETE:
            made.pop(key(each), None)
        # Of an item, kustomize ignores the other directive, and all that stands beside it.
        elif directive is None:
            made[key(each)] = _mapping(made.get(key(each), {}), each)
    return list(made.values())
