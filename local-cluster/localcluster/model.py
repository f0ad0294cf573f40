"""What a local cluster is made of: its zones, its nodes, and how long simulated pods take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Manifest = dict[str, Any]

ZONE_LABEL = "topology.kubernetes.io/zone"
REGION_LABEL = "topology.kubernetes.io/region"

# The kwok process of a zone plays the kubelet of the nodes whose label names the zone.
# Without the label nobody does: that is how one node is lost.
KUBELET_LABEL = "local-cluster/kubelet"

# Who owns the fields of the objects that the cluster itself applies.
FIELD_MANAGER = "local-cluster"

LOOPBACK = "127.0.0.1"

MIB = 2**20


@dataclass(frozen=True)
class NodeShape:
    """An EC2 instance type as a node of a managed EKS node group.

    What pods can have of it follows EKS' own reservations:
    https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html and
    https://github.com/awslabs/amazon-eks-ami (kube-reserved in bootstrap).
    """

    instance_type: str = "m6i.xlarge"
    cpu: int = 4
    memory_gib: int = 16
    max_pods: int = 58

    # Hypervisor and kernel keep part of the advertised memory; Karpenter's default estimate.
    vm_overhead: float = 0.075
    eviction_threshold_mib: int = 100

    @property
    def capacity(self) -> dict[str, str]:
        """`status.capacity` of the node."""
        memory_mib = int(self.memory_gib * 1024 * (1 - self.vm_overhead))
        return self._resources(self.cpu * 1000, memory_mib)

    @property
    def allocatable(self) -> dict[str, str]:
        """`status.allocatable`: the capacity less kube-reserved and the eviction threshold."""
        memory_mib = int(self.memory_gib * 1024 * (1 - self.vm_overhead))
        reserved_mib = 255 + 11 * self.max_pods + self.eviction_threshold_mib
        return self._resources(
            self.cpu * 1000 - self._reserved_millicores(), memory_mib - reserved_mib
        )

    def _reserved_millicores(self) -> int:
        # 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 % of the rest.
        shares = [60.0, 10.0, 5.0, 5.0] + [2.5] * max(0, self.cpu - 4)
        return round(sum(shares[: self.cpu]))

    def _resources(self, millicores: int, memory_mib: int) -> dict[str, str]:
        return {"cpu": f"{millicores}m", "memory": f"{memory_mib}Mi", "pods": str(self.max_pods)}


@dataclass(frozen=True)
class PodTimes:
    """Seconds that simulated pods take; the same for everybody who is compared.

    `openedx_s` is for pods with a container whose image is an Open edX platform image.
    """

    openedx_s: float = 45
    other_s: float = 10
    job_s: float = 5
    stop_s: float = 2
    openedx_image: str = "/openedx:"


@dataclass(frozen=True)
class ClusterShape:
    """Region, zones, and nodes of the simulated node group."""

    region: str = "eu-west-1"
    zone_letters: str = "abc"
    nodes_per_zone: int = 2
    node: NodeShape = field(default_factory=NodeShape)
    pods: PodTimes = field(default_factory=PodTimes)
    # Of kube-controller-manager, where a cluster is to differ from Kubernetes' own defaults.
    controller_flags: tuple[str, ...] = ()

    @property
    def zones(self) -> list[str]:
        """Zone names, such as `eu-west-1a`."""
        return [self.region + letter for letter in self.zone_letters]

    def node_names(self, zone: str) -> list[str]:
        """The names of a zone's first nodes, shaped like EC2 private host names."""
        return [self.node_name(zone, number) for number in range(self.nodes_per_zone)]

    def node_name(self, zone: str, number: int) -> str:
        """The name of a zone's node; numbers from `nodes_per_zone` on are those that come later."""
        # As many addresses as a subnet of a /20.
        third, last = divmod(10 + number, 250)
        third += self.zones.index(zone) * 16
        return f"ip-10-0-{third}-{last}.{self.region}.compute.internal"

    def all_nodes(self) -> list[str]:
        """The names of all first nodes, zone by zone."""
        return [name for zone in self.zones for name in self.node_names(zone)]
