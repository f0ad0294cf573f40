"""Edge: a stand-in for the EBS CSI driver: it gives claims a volume that is bound to one zone."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

import httpx2
from lightkube import ApiError, Client, codecs
from lightkube.resources.core_v1 import Node, PersistentVolume, PersistentVolumeClaim

from localcluster.addons import STORAGE_CLASS
from localcluster.model import FIELD_MANAGER, ZONE_LABEL, Manifest

INTERVAL_S = 0.5
SELECTED_NODE = "volume.kubernetes.io/selected-node"


def volume_for(claim: Manifest, zone: str) -> Manifest:
    """A PersistentVolume for a claim whose first pod was placed in `zone`."""
    metadata, spec = claim["metadata"], claim["spec"]
    in_zone = {"key": ZONE_LABEL, "operator": "In", "values": [zone]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"pvc-{metadata['uid']}"},
        "spec": {
            "capacity": spec["resources"]["requests"],
            "accessModes": spec["accessModes"],
            "storageClassName": STORAGE_CLASS,
            "persistentVolumeReclaimPolicy": "Delete",
            # Nothing is ever written: no container runs.
            "hostPath": {"path": "/dev/null"},
            "claimRef": {key: metadata[key] for key in ("namespace", "name", "uid")},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [in_zone]}]}},
        },
    }


def wanted_volumes(claims: Iterable[Manifest], zones: Mapping[str, str]) -> list[Manifest]:
    """A volume for each claim that waits for one; `zones` maps node names to zones."""
    return [
        volume_for(claim, zones[node])
        for claim in claims
        if claim["spec"].get("storageClassName") == STORAGE_CLASS
        and "volumeName" not in claim["spec"]
        and (node := claim["metadata"].get("annotations", {}).get(SELECTED_NODE)) in zones
    ]


class Provisioner:
    """Serves claims in a thread from `start` to `stop`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="provisioner", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL_S):
            try:
                self._serve()
            except (ApiError, httpx2.HTTPError):
                # The API server is busy or on its way down; the claims are still there next time.
                continue

    def _serve(self) -> None:
        claims = [c.to_dict() for c in self._client.list(PersistentVolumeClaim, namespace="*")]
        if claims:
            nodes = [node.to_dict()["metadata"] for node in self._client.list(Node)]
            zones = {node["name"]: node["labels"].get(ZONE_LABEL, "") for node in nodes}
            for volume in wanted_volumes(claims, zones):
                self._client.apply(codecs.from_dict(volume), field_manager=FIELD_MANAGER)
        for found in self._client.list(PersistentVolume):
            volume = found.to_dict()
            if volume.get("status", {}).get("phase") == "Released":
                self._client.delete(PersistentVolume, volume["metadata"]["name"])
