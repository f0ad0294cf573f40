"""Workloads → all objects that they need beside their Deployments."""

from __future__ import annotations

from collections.abc import Iterable

from tutorplatform.manifests import Manifest

from tutorautoscale import keda
from tutorautoscale.effective import Workload
from tutorautoscale.keda import Sources
from tutorautoscale.scalers import autoscaler, disruption_budget, recommender


def objects(workloads: Iterable[Workload], sources: Sources) -> list[Manifest]:
    """One autoscaler and one budget for each workload, and recommendations if they are wanted."""
    found = list(workloads)
    return [
        *(manifest for each in found for manifest in _of(each, sources)),
        *keda.shared(found, sources),
    ]


def _of(workload: Workload, sources: Sources) -> list[Manifest]:
    scaler = (
        keda.scaled_object(workload, sources)
        if workload.profile.needs_keda
        else autoscaler(workload)
    )
    made = [scaler, disruption_budget(workload)]
    return [*made, recommender(workload)] if sources.cluster.recommendations else made
