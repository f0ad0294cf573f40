"""The images that objects of a cluster name. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# `--image=quay.io/org/name:v1`, a variable's value: what has a registry's host and a tag or digest.
REFERENCE = re.compile(
    r"(?:^|=)((?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/[a-z0-9._/-]+(?::[\w][\w.-]*|@sha256:[0-9a-f]{64})+)$"
)


def of(objects: Sequence[Mapping[str, Any]]) -> list[str]:
    """The images of all pods and custom objects, and those in arguments and variables; sorted."""
    return sorted({image for each in objects for image in _below(each)})


def _below(node: Any, key: str = "") -> Iterator[str]:
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from _below(value, name)
    elif isinstance(node, list):
        for value in node:
            yield from _below(value, key)
    elif isinstance(node, str):
        if key == "image":
            yield node
        elif key in ("args", "command", "value") and (found := REFERENCE.search(node)):
            yield found[1]
