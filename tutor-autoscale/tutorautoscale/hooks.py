"""Extension points of the autoscale plugin."""

from __future__ import annotations

from typing import Any

from tutor.core.hooks import Filter

# What a plugin says of workloads, its own or others': the name of a Deployment, and what differs
# from the defaults, as in AUTOSCALE_SERVICES. Names that an instance does not have are ignored.
AUTOSCALE_WORKLOADS: Filter[list[tuple[str, dict[str, Any]]], []] = Filter()
