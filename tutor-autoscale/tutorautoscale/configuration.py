"""The plugin's settings beside AUTOSCALE_SERVICES, and what they must not lack."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tutorplatform.errors import ConfigError

from tutorautoscale.effective import SETTING, Workload
from tutorautoscale.settings import choice, flag, form, optional, overlaid, text
from tutorautoscale.workloads import SIZES

PREFIX = "AUTOSCALE_"
PROFILE = "AUTOSCALE_PROFILE"
CLUSTER = "AUTOSCALE_CLUSTER"

DEFAULTS: Mapping[str, Any] = {SETTING: {}, PROFILE: "standard", CLUSTER: {}}


class Cluster(NamedTuple):
    """What the cluster has. `prometheus_url`: of the one that knows the network's traffic.

    `keda_namespace`: where KEDA lives. `priority_classes`: whether `openedx-serving` and
    `openedx-background` are there. `recommendations`: whether the Vertical Pod Autoscaler is.
    """

    prometheus_url: str | None = None
    keda_namespace: str = "keda"
    priority_classes: bool = False
    recommendations: bool = False


def _url(value: Any, where: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", text(value, where)) or not _has_a_port(value):
        raise ConfigError(
            where,
            "is not the URL of a Prometheus, or has a password in it",
            "write http://prometheus.platform:9090",
        )
    return str(value)


def _has_a_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


CLUSTER_READERS: Mapping[str, Any] = {
    "prometheus_url": optional(_url),
    "keda_namespace": form(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "the name of a namespace", "keda"),
    "priority_classes": flag,
    "recommendations": flag,
}


def cluster(config: Mapping[str, Any]) -> Cluster:
    """AUTOSCALE_CLUSTER."""
    return overlaid(Cluster(), config[CLUSTER], CLUSTER, CLUSTER_READERS)


def size(config: Mapping[str, Any]) -> str:
    """AUTOSCALE_PROFILE: which defaults workloads have."""
    return str(choice(*SIZES)(config[PROFILE], PROFILE))


def refuse_unknown(config: Mapping[str, Any]) -> None:
    """Raise ConfigError for a setting with our prefix that does not exist."""
    for key in config:
        if key.startswith(PREFIX) and key not in DEFAULTS:
            raise ConfigError(key, "there is no such setting", f"use one of {', '.join(DEFAULTS)}")


def require_sources(workloads: Iterable[Workload], cluster: Cluster) -> None:
    """Raise ConfigError for a signal that nothing on this cluster is said to measure."""
    for each in workloads:
        if each.profile.network.target is not None and cluster.prometheus_url is None:
            raise ConfigError(
                f"{SETTING}.{each.found.name}.network.target",
                "nothing says which Prometheus knows the traffic",
                f"set {CLUSTER}.prometheus_url; the chart `platform` has a small one "
                "(prometheus.enabled)",
            )
