"""Which pods a label selector is for. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector is for something with these labels; an empty one is, `None` not.

    https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
    """
    if selector is None:
        return False
    equal = (selector.get("matchLabels") or {}).items() <= labels.items()
    return equal and all(
        _fulfils(each["operator"], each.get("values") or (), labels.get(each["key"]))
        for each in selector.get("matchExpressions") or ()
    )


def _fulfils(operator: str, values: Collection[str], label: str | None) -> bool:
    return {
        "In": label in values,
        "NotIn": label not in values,
        "Exists": label is not None,
        "DoesNotExist": label is None,
    }[operator]
