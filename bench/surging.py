"""Edge: instances on nodes that come and go, and a load on one of them that jumps and falls."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Pod
from localcluster import binaries
from localcluster.certificates import Authority
from localcluster.errors import LocalClusterError
from localcluster.model import Manifest
from localcluster.nodescaler import NodeScaler
from rich.console import Console

from bench.reaction import Moment, moment_line
from bench.rendering import PLUGINS
from demo import instances
from demo.observe import Service, service_of
from demo.tutor import TutorRoot
from demo.view import View
from demo.waiting import QUIET_S, until
from platformchart import upstream

PLATFORM = "platform"
ROOM = Service(PLATFORM, "overprovisioning")
# Whatever the load. At more than two thirds of the target, which is 80 % of 2Gi, an autoscaler that
# looks at memory too would not come back to two pods: of three it wants three again.
POD_MEMORY = "800Mi"
SETTLE_TIMEOUT_S = 600
PASSWORDS = {f"{service}_PASSWORD": "x" for service in ("MONGODB", "OPENSEARCH", "REDIS")}


@dataclass
class Surge:
    """Instances by the names of their namespaces; the load is on the LMS of the first."""

    view: View
    scaler: NodeScaler
    console: Console
    names: tuple[str, ...]
    millicores: int = 0
    _shares: dict[str, str] = field(default_factory=dict)

    @property
    def lms(self) -> Service:
        return Service(self.names[0], "lms")

    def install_room(self, folder: Path) -> None:
        """Install of the platform chart the pods that hold room, and the priority classes."""
        helm = binaries.ensure(["helm"], self.console.print)["helm"]
        chart, _ = upstream.prepare(folder, helm, self.console.print)
        values = chart / "ci" / "room-values.yaml"
        where = ("--create-namespace", f"--namespace={PLATFORM}", f"--values={values}")
        environment = self.view.cluster.environment
        subprocess.run([helm, "install", PLATFORM, chart, *where], env=environment, check=True)

    def deploy(self, folder: Path) -> None:
        """Render and start all instances, and wait until everything runs and no node is coming."""
        authority = folder / "databases.pem"
        authority.write_bytes(Authority.new("platform databases").pem)
        for name in self.names:
            root = TutorRoot(folder / name, self.view.cluster.environment)
            hosts = {"LMS_HOST": f"learn.{name}.example.org", "CMS_HOST": f"studio.{name}.test"}
            own = {"K8S_NAMESPACE": name, **hosts, **PASSWORDS}
            root.write_config({**instances.settings(0, authority), **own}, PLUGINS)
            root.run("config", "save")
            root.run("k8s", "start")
            self.console.print(f"{name}: started")
        self.settle()

    def settle(self) -> None:
        """Wait until every pod is ready and no node is coming; LocalClusterError if that fails."""
        self._wait(self._settled, self._unsettled)

    def bear(self, millicores: int) -> None:
        """From now on the pods of the LMS share this load; nobody else has any."""
        self.millicores = millicores
        self._spread(self._pods())

    def wait_for_metrics(self) -> None:
        """Wait until the autoscaler has seen the load; LocalClusterError if that fails."""

        def seen() -> bool:
            self._spread(self._pods())
            status = self.view.autoscalers()[self.lms].get("status", {})
            return bool(status.get("currentMetrics"))

        self._wait(seen, lambda: "the autoscaler waits for metrics")
        # Two more rounds of metrics-server: then what it sees is this load and no older one.
        time.sleep(30)

    def watch(self, over: Callable[[Moment], bool], timeout_s: float) -> list[Moment]:
        """A moment a second from now until one of them is the last, or the time is up."""
        start, said = time.monotonic(), 0.0
        moments: list[Moment] = []
        while True:
            moment = self._moment(time.monotonic() - start)
            moments.append(moment)
            if moment.second - said > QUIET_S:
                said = moment.second
                self.console.print(f"  {moment_line(moment)}", highlight=False)
            if over(moment) or moment.second > timeout_s:
                return moments
            time.sleep(max(0, start + moment.second + 1 - time.monotonic()))

    def _wait(self, done: Callable[[], bool], progress: Callable[[], str]) -> None:
        if not until(self.console, done, progress, SETTLE_TIMEOUT_S, interval_s=2):
            problem = f"nothing to measure after {SETTLE_TIMEOUT_S} s ({progress()})"
            raise LocalClusterError("bench-surge", problem, "run it again, on an idle machine")

    def _moment(self, second: float) -> Moment:
        pods = self._pods()
        self._spread(pods)
        mine = [pod for pod in pods if service_of(pod) == self.lms]
        asked = self.view.cluster.client.get(
            Deployment, self.lms.workload, namespace=self.lms.namespace
        )
        nodes = self.scaler.nodes
        return Moment(
            second,
            asked.to_dict()["spec"]["replicas"],
            len(_placed(mine)),
            self.view.ready()[self.lms],
            len(_placed([pod for pod in pods if service_of(pod) == ROOM])),
            nodes,
            nodes - self.scaler.coming,
        )

    def _pods(self) -> list[Manifest]:
        found = self.view.cluster.client.list(Pod, namespace="*")
        pods = [pod.to_dict() for pod in found]
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def _spread(self, pods: list[Manifest]) -> None:
        # What is not ready gets no requests; it starts up without any load, which flatters it.
        ready = {pod["metadata"]["name"] for pod in self.view.cluster.ready_pods(self.names[0])}
        mine = [pod["metadata"]["name"] for pod in pods if service_of(pod) == self.lms]
        bearing = [name for name in mine if name in ready]
        share = f"{self.millicores // max(1, len(bearing))}m"
        for name in bearing:
            if self._shares.get(name) != share:
                self.view.cluster.set_load(self.names[0], name, share, POD_MEMORY)
                self._shares[name] = share

    def _settled(self) -> bool:
        return not self._waiting() and not self.scaler.coming

    def _waiting(self) -> list[str]:
        ready = {pod["metadata"]["uid"] for pod in self.view.ready_pods()}
        return [
            f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            for pod in self._pods()
            if pod["metadata"]["uid"] not in ready
        ]

    def _unsettled(self) -> str:
        return f"{len(self._waiting())} pods not ready, {self.scaler.coming} nodes coming"


def _placed(pods: list[Manifest]) -> list[Manifest]:
    return [pod for pod in pods if pod["spec"].get("nodeName")]
