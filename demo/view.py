"""Edge: what can be seen of the instances on the local cluster."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from localcluster.cluster import LocalCluster
from localcluster.model import Manifest

from demo import observe
from demo.observe import Service

# It has one pod, on a volume that is bound to one zone, and so no autoscaler.
UNSCALED = "meilisearch"


@dataclass(frozen=True)
class View:
    """The cluster as its user sees it."""

    cluster: LocalCluster

    def get(self, *argv: str) -> list[Manifest]:
        """The objects that `kubectl get ARGV…` finds."""
        answer: dict[str, Any] = json.loads(self.cluster.kubectl("get", *argv, "--output=json"))
        return answer["items"] if answer["kind"] == "List" else [answer]

    def objects(self, namespace: str) -> list[Manifest]:
        """Every object in a namespace, of every kind that can be listed."""
        listed = self.cluster.kubectl("api-resources", "--verbs=list", "--namespaced", "-o=name")
        kinds = [kind for kind in listed.split() if not kind.endswith(".metrics.k8s.io")]
        return self.get(",".join(kinds), f"--namespace={namespace}")

    def ready_pods(self) -> list[Manifest]:
        """The pods that can serve users, of all namespaces."""
        return self.cluster.ready_pods("*")

    def ready(self) -> Counter[Service]:
        """How many pods of each service can serve users."""
        return observe.count_by_service(self.ready_pods())

    def autoscalers(self) -> dict[Service, Manifest]:
        """The HorizontalPodAutoscaler of each service of an instance that has one."""
        # Traefik has one, too; it is in charts/platform, if that is installed.
        others = "--field-selector=metadata.namespace!=platform"
        found = self.get("horizontalpodautoscalers", "--all-namespaces", others)
        return {
            Service(item["metadata"]["namespace"], item["spec"]["scaleTargetRef"]["name"]): item
            for item in found
        }

    def wanted(self) -> dict[Service, int]:
        """How many pods each service should have: what its autoscaler keeps at least, else one."""
        scalers = self.autoscalers()
        single = {Service(service.namespace, UNSCALED): 1 for service in scalers}
        least = {service: item["spec"]["minReplicas"] for service, item in scalers.items()}
        return dict(sorted({**single, **least}.items()))

    def zone_of_nodes(self) -> dict[str, str]:
        """Node name → zone."""
        nodes = self.cluster.nodes
        return {node: nodes.zone_of(node) for node in self.cluster.shape.all_nodes()}

    def busiest_zone(self, workload: str) -> str:
        """The zone with the most ready pods of a workload, over all instances."""
        zones = self.zone_of_nodes()
        pods = [pod for pod in self.ready_pods() if observe.service_of(pod).workload == workload]
        return Counter(zones[pod["spec"]["nodeName"]] for pod in pods).most_common(1)[0][0]
