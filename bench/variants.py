"""What is compared: Tutor as it is, the plugins that people use today, and ours. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from demo.observe import Service

WORKLOADS = ("CADDY", "CMS", "CMS_WORKER", "LMS", "LMS_WORKER", "MFE")

# At their defaults these objects are of a kind that the cluster may lack; then nothing is applied.
WITHOUT_VPA = {f"K8S_{workload}_VPA_ENABLE": False for workload in WORKLOADS}


@dataclass(frozen=True)
class Variant:
    """One way to run an instance; `name` is its namespace too, `pods` what its LMS should have.

    `ours`: whether its plugins are of this repository, and its targets ours to keep.
    """

    name: str
    title: str
    pods: int
    plugins: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    ours: bool = False

    @property
    def lms(self) -> Service:
        """The one workload that is compared."""
        return Service(self.name, "lms")

    @property
    def instance(self) -> str:
        """The value of the label that Tutor gives to everything of this instance."""
        return f"openedx-{self.name}"

    @property
    def configuration(self) -> dict[str, Any]:
        """The settings of its config.yml, plugins aside."""
        return {
            "ID": self.name,
            "K8S_NAMESPACE": self.name,
            "LMS_HOST": f"learn.{self.name}.example.org",
            "CMS_HOST": f"studio.{self.name}.example.org",
            **self.settings,
        }


# Caddy scales only without a volume for its certificates; the load balancer has them instead.
OURS = Variant("ours", "ours", 2, ("autoscale",), {"ENABLE_WEB_PROXY": False}, ours=True)

VARIANTS = (
    Variant("vanilla", "Tutor alone", 1),
    Variant("pod-autoscaling", "tutor-contrib-pod-autoscaling", 1, ("pod-autoscaling",)),
    Variant("k8s", "tutor-contrib-k8s", 1, ("k8s",), WITHOUT_VPA),
    Variant(
        "k8s-2",
        "tutor-contrib-k8s, 2 replicas",
        2,
        ("k8s",),
        {**WITHOUT_VPA, **{f"K8S_{workload}_REPLICAS": 2 for workload in WORKLOADS}},
    ),
    OURS,
)

# Of PyPI, beside Tutor and its plugin mfe at the versions that are installed here.
COMPARED = ("tutor-contrib-pod-autoscaling==22.1.0", "tutor-contrib-k8s==22.0.0")
