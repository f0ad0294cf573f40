"""What searches where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutoraws import workloads
from tutoraws.settings import Settings
from tutoraws.workloads import Workload

# Its plugin pastes the value into Python and tests it for truth: no template can be both.
DISCOVERY_SEARCH = "DISCOVERY_RUN_ELASTICSEARCH"


def discovers_outside(config: Mapping[str, Any]) -> bool:
    """Does the discovery plugin, if it is enabled, search outside the cluster?"""
    return not config.get(DISCOVERY_SEARCH, True)


def signing(settings: Settings, config: Mapping[str, Any]) -> tuple[Workload, ...]:
    """What else than the platform asks OpenSearch with the pods' role."""
    if settings.opensearch.by_role and discovers_outside(config):
        return workloads.of_plugin("discovery")
    return ()
