"""Types of nodes and what they cost. Pure."""

from __future__ import annotations

from localcluster.model import NodeShape
from localcluster.nodegroups import Size

# US dollars an hour: on demand, Linux, eu-west-1, from
# https://aws.amazon.com/ec2/pricing/on-demand/, as of January 2026, without taxes. Nothing here
# asks AWS: look there before a price is relied on.
HOURLY_USD = {
    "m6i.large": 0.107,
    "m6i.xlarge": 0.214,
    "m6i.2xlarge": 0.428,
    "m6i.4xlarge": 0.856,
    "r6i.large": 0.141,
    "r6i.xlarge": 0.282,
    "r6i.2xlarge": 0.564,
    "r6i.4xlarge": 1.128,
}
HOURS_A_MONTH = 730

# Pods by type: what its network interfaces have addresses for, as EKS sets it.
# https://github.com/awslabs/amazon-eks-ami/blob/main/templates/shared/runtime/eni-max-pods.txt
_SIZES = {"large": (2, 29), "xlarge": (4, 58), "2xlarge": (8, 58), "4xlarge": (16, 234)}
_GIB_PER_CPU = {"m6i": 4, "r6i": 8}

# What EKS' add-ons request on every node: aws-node 2 x 25m, kube-proxy 100m, ebs-csi-node 3 x 10m
# and 3 x 40 MiB.
# https://github.com/aws/amazon-vpc-cni-k8s/blob/master/config/master/aws-k8s-cni.yaml
# https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/charts/aws-ebs-csi-driver/values.yaml
ON_EVERY_NODE = Size(millicores=180, memory_bytes=120 * 2**20, pods=3)


def shape(instance_type: str) -> NodeShape:
    """A node of this type."""
    family, _, size = instance_type.partition(".")
    cpu, pods = _SIZES[size]
    return NodeShape(instance_type, cpu, cpu * _GIB_PER_CPU[family], pods)


def month_usd(instance_type: str, nodes: float) -> float:
    """What so many nodes cost in a month."""
    return nodes * HOURLY_USD[instance_type] * HOURS_A_MONTH
