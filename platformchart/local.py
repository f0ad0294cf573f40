"""What the chart's values are on the local cluster. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What that cluster has already, or has no kinds for.
CHANGES: Mapping[str, Any] = {
    "components": {"metricsServer": False},
    "storageClass": {"enabled": False},
    "observability": {"serviceMonitors": False, "alerts": False},
}

# Its labels are what docs/how-to/install-platform.md puts on it.
NAMESPACE: Mapping[str, Any] = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {
        "name": "platform",
        "labels": {
            "pod-security.kubernetes.io/enforce": "restricted",
            "openedx-platform/edge": "allowed",
        },
    },
}


def adapted(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a cluster on AWS, so that the local cluster takes them."""
    return merged(values, CHANGES)


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Values with changes, as helm merges them: mapping by mapping, all else as a whole."""
    both = {
        key: merged(base[key], value)
        if isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
        else value
        for key, value in changes.items()
    }
    return {**base, **both}
