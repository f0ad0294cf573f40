"""What a deployment would change; never a value."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tutorplatform import manifests as kubernetes
from tutorplatform.manifests import Manifest

from tutorsecrets.rewriting.plain import LEAST_LENGTH
from tutorsecrets.rewriting.rewrite import title
from tutorsecrets.tokens import parse

# What the API server keeps, and nobody applies.
KEPT = frozenset(
    {"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"}
)
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

# What kustomize adds to the name of a ConfigMap, and what we add to that.
HASHES = re.compile(r"(-[a-z0-9]{10})?-[0-9a-f]{10}$")


@dataclass(frozen=True)
class Change:
    """A Secret that pods will use, the one that they use now (or none), and what differs."""

    new: str
    old: str
    entries: list[str]


def changes(wanted: Iterable[Manifest], used: Iterable[Manifest]) -> list[Change]:
    """The Secrets among `wanted` that are not in `used`, each beside the one it takes over from."""
    used = list(used)
    present = {kubernetes.name(secret) for secret in used}
    before = {_base(secret): secret for secret in used}
    return [
        Change(
            kubernetes.name(secret),
            kubernetes.name(old) if (old := before.get(_base(secret))) else "",
            _different(secret.get("data") or {}, (old or {}).get("data") or {}),
        )
        for secret in wanted
        if kubernetes.name(secret) not in present
    ]


def lines(live: Iterable[Manifest], planned: Iterable[Manifest]) -> Iterator[str]:
    """A unified diff of each planned object and the live one, if they differ."""
    before = {title(each): each for each in live}
    for manifest in planned:
        name = title(manifest)
        old, new = _written(before.get(name)), _written(manifest)
        yield from difflib.unified_diff(old, new, f"live: {name}", f"new: {name}", n=2, lineterm="")


def _written(manifest: Manifest | None) -> list[str]:
    if manifest is None:
        return []
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in KEPT}
    annotations = dict(metadata.pop("annotations", None) or {})
    annotations.pop(LAST_APPLIED, None)
    shown: dict[str, Any] = {key: value for key, value in manifest.items() if key != "status"}
    shown["metadata"] = {**metadata, **({"annotations": annotations} if annotations else {})}
    return kubernetes.dump([shown]).splitlines()


def masked(text: str, values: Mapping[str, str]) -> str:
    """The text with names of settings in place of their values, longest first."""
    for token in sorted(values, key=lambda token: -len(values[token])):
        if len(values[token]) >= LEAST_LENGTH:
            text = text.replace(values[token], f"<{parse(token).key}>")
    return text


def _base(secret: Manifest) -> str:
    return HASHES.sub("", kubernetes.name(secret))


def _different(new: Mapping[str, str], old: Mapping[str, str]) -> list[str]:
    return sorted(key for key in {*new, *old} if new.get(key) != old.get(key))
