"""The stand-in provisioner gives a volume to claims that wait for one, in the pod's zone."""

from __future__ import annotations

from typing import Any

import pytest
from localcluster import volumes
from localcluster.addons import STORAGE_CLASS

ZONES = {"n1": "eu-west-1a", "n2": "eu-west-1b"}


def claim(node: str | None = "n2", storage_class: str = STORAGE_CLASS, **spec: Any) -> Any:
    annotations = {volumes.SELECTED_NODE: node} if node else {}
    return {
        "metadata": {"name": "c", "namespace": "x", "uid": "1-2", "annotations": annotations},
        "spec": {
            "storageClassName": storage_class,
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "5Gi"}},
            **spec,
        },
    }


def test_a_waiting_claim_gets_a_volume_of_its_size_in_its_pods_zone() -> None:
    [volume] = volumes.wanted_volumes([claim()], ZONES)
    assert volume["spec"]["capacity"] == {"storage": "5Gi"}
    assert volume["spec"]["claimRef"] == {"namespace": "x", "name": "c", "uid": "1-2"}
    [term] = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"][0]["values"] == ["eu-west-1b"]


@pytest.mark.parametrize(
    "other",
    [claim(node=None), claim(node="gone"), claim(storage_class="efs"), claim(volumeName="v")],
    ids=["pod not placed", "node unknown", "another class", "has its volume"],
)
def test_other_claims_get_none(other: Any) -> None:
    assert volumes.wanted_volumes([other], ZONES) == []


def test_no_claims_no_volumes() -> None:
    assert volumes.wanted_volumes([], ZONES) == []
