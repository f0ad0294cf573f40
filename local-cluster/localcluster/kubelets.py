"""Edge: the simulated nodes: one kwok process per zone, and what it takes to lose and mend them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path

from lightkube import ApiError, Client, codecs
from lightkube.resources.coordination_v1 import Lease
from lightkube.resources.core_v1 import Node, NodeStatus
from lightkube.types import PatchType

from localcluster import components, simulation
from localcluster.errors import LocalClusterError
from localcluster.model import KUBELET_LABEL, ClusterShape
from localcluster.pki import Files
from localcluster.processes import Process, free_port, wait_for

LEASE_NAMESPACE = "kube-node-lease"
POD_NETWORK = ipaddress.ip_network("10.128.0.0/9")
READY_TIMEOUT_S = 60

# Arguments after the program's name → running process.
StartKwok = Callable[[str, list[str]], Process]


class Kubelets:
    """The nodes of a cluster, by zone."""

    def __init__(
        self, shape: ClusterShape, client: Client, files: Files, config: Path, start: StartKwok
    ) -> None:
        """`config` is kwok's; `start` starts it under a name."""
        self._shape = shape
        self._client = client
        self._files = files
        self._config = config
        self._start_kwok = start
        self._lost_nodes: set[str] = set()
        self._zones = {name: zone for zone in shape.zones for name in shape.node_names(zone)}
        self._ports: dict[str, int] = {}
        self.processes: dict[str, Process] = {}

    def start_zone(self, zone: str) -> None:
        """Start playing the kubelets of a zone."""
        networks = list(POD_NETWORK.subnets(new_prefix=16))
        network = str(networks[self._shape.zones.index(zone)])
        port = self._ports[zone] = free_port()
        arguments = components.kwok(zone, port, self._files, self._config, network)
        self.processes[zone] = self._start_kwok(f"kwok-{zone}", arguments)
        for name in self._names(zone):
            self._announce(name, port)

    def add(self, name: str, zone: str) -> None:
        """Let one more node join a zone; it is ready a moment later."""
        manifest = simulation.node(self._shape, zone, name)
        self._client.create(codecs.from_dict(manifest))
        self._zones = {**self._zones, name: zone}
        self._announce(name, self._ports[zone])

    def remove(self, name: str) -> None:
        """End a node, and take it off the control plane's list."""
        self.zone_of(name)
        self._client.delete(Node, name)
        self._zones = {node: zone for node, zone in self._zones.items() if node != name}

    def stop(self) -> None:
        for process in self.processes.values():
            process.kill()
        self.processes.clear()

    def kill_zone(self, zone: str) -> None:
        """Lose every node of a zone at once, without a word to the control plane."""
        if zone not in self.processes:
            raise LocalClusterError(
                zone,
                "is no living zone of this cluster",
                f"name one of {', '.join(self.processes) or 'none: all are lost'}",
            )
        self.processes.pop(zone).kill()

    def heal_zone(self, zone: str) -> None:
        """Bring a killed zone's nodes back, and wait until they are ready."""
        for name in self._names(zone):
            # The lost process still holds the lease, and its successor is another holder.
            self._drop_lease(name)
        self.start_zone(zone)
        self.wait_until_ready(self._names(zone))

    def kill_node(self, name: str) -> None:
        """Lose one node."""
        self._play(name, None)
        self._lost_nodes.add(name)

    def heal_node(self, name: str) -> None:
        """Bring one killed node back, and wait until it is ready."""
        self._play(name, self.zone_of(name))
        self._lost_nodes.discard(name)
        self.wait_until_ready([name])

    def zone_of(self, node: str) -> str:
        """The zone that a node is in; LocalClusterError if there is no such node."""
        if node not in self._zones:
            raise LocalClusterError(node, "is no node of this cluster", "see `kubectl get nodes`")
        return self._zones[node]

    def living_nodes(self) -> set[str]:
        """Names of the nodes whose kubelet somebody plays."""
        names = {name for zone in list(self.processes) for name in self._names(zone)}
        return names - self._lost_nodes

    def wait_until_ready(self, names: list[str]) -> None:
        """Wait until the control plane, too, finds these nodes ready and schedules onto them."""

        def all_ready() -> bool:
            nodes = {
                node.metadata.name: node
                for node in self._client.list(Node)
                if node.metadata is not None
            }
            return all(name in nodes and _is_ready(nodes[name]) for name in names)

        wait_for(all_ready, READY_TIMEOUT_S, f"nodes {', '.join(names)} are ready")

    def _names(self, zone: str) -> list[str]:
        return [name for name, place in self._zones.items() if place == zone]

    def _play(self, node: str, zone: str | None) -> None:
        self.zone_of(node)
        labels = {"metadata": {"labels": {KUBELET_LABEL: zone}}}
        self._client.patch(Node, node, labels, patch_type=PatchType.MERGE)

    def _announce(self, node: str, port: int) -> None:
        # As a kubelet does when it starts. kwok would write it only while the node is not ready;
        # one that is healed within its grace was ready all along, and metrics-server would go
        # on asking at the lost process' port.
        status = {"status": {"daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}}
        self._client.patch(NodeStatus, node, status, patch_type=PatchType.MERGE)

    def _drop_lease(self, node: str) -> None:
        try:
            self._client.delete(Lease, node, namespace=LEASE_NAMESPACE)
        except ApiError as error:
            if error.status.code != 404:
                raise


def _is_ready(node: Node) -> bool:
    conditions = (node.status.conditions or []) if node.status else []
    taints = (node.spec.taints or []) if node.spec else []
    ready = any(c.type == "Ready" and c.status == "True" for c in conditions)
    return ready and not any(t.key.startswith("node.kubernetes.io/") for t in taints)
