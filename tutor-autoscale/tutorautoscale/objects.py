"""Workloads → all objects that they need beside their Deployments."""

from __future__ import annotations

from collections.abc import Iterable

from tutorplatform.manifests import Manifest

from tutorautoscale.configuration import Cluster
from tutorautoscale.effective import Workload
from tutorautoscale.scalers import autoscaler, disruption_budget, recommender


def objects(workloads: Iterable[Workload], cluster: Cluster) -> list[Manifest]:
    """One autoscaler and one budget for each workload, and recommendations if they are wanted."""
    return [manifest for each in workloads for manifest in _of(each, cluster)]


def _of(workload: Workload, cluster: Cluster) -> list[Manifest]:
    made = [autoscaler(workload), disruption_budget(workload)]
    return [*made, recommender(workload)] if cluster.recommendations else made
