"""Edge: starts, breaks, mends and stops a local cluster."""

from __future__ import annotations

import os
import secrets
import shutil
import ssl
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import httpx2
import psutil
import yaml
from lightkube import Client, KubeConfig, codecs
from lightkube.resources.core_v1 import Pod, ServiceAccount
from lightkube.types import PatchType

from localcluster import addons, binaries, components, pki, pods, simulation
from localcluster.components import Ports
from localcluster.errors import LocalClusterError
from localcluster.kubelets import Kubelets
from localcluster.model import FIELD_MANAGER, LOOPBACK, MIB, ClusterShape, Manifest
from localcluster.processes import Process, free_ports, require_free, wait_for
from localcluster.volumes import Provisioner

NEEDED_MEMORY_MIB = 1536
START_TIMEOUT_S = 60


class LocalCluster:
    """A Kubernetes cluster on this machine: a real control plane, and nodes played by kwok.

    Use it as a context manager, or call `start` and `stop` from the main thread. It touches
    nothing outside its own temporary folder, which is also HOME for whoever uses `environment`.
    `client` talks to it as its administrator; `nodes` loses and mends zones and nodes.
    """

    client: Client
    nodes: Kubelets

    def __init__(
        self,
        shape: ClusterShape | None = None,
        api_port: int = 0,
        progress: binaries.Progress = print,
    ) -> None:
        """`api_port` 0 means any free one."""
        self.shape = shape or ClusterShape()
        self._progress = progress
        self._api_port = api_port
        self._programs: dict[str, Path] = {}
        self._processes: list[Process] = []
        self._provisioner: Provisioner | None = None
        self._home: Path | None = None

    def __enter__(self) -> LocalCluster:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and wait until every node is ready. LocalClusterError if it cannot."""
        require_memory(psutil.virtual_memory().available // MIB)
        if self._api_port:
            require_free(self._api_port, "API server")
        # May take minutes, the first time.
        self._programs = binaries.ensure(binaries.CLUSTER, self._progress)
        ports = Ports(**dict(zip(components.PORTS, free_ports(len(components.PORTS)), strict=True)))
        self._home = Path(tempfile.mkdtemp(prefix="local-cluster-"))
        try:
            self._start(replace(ports, api=self._api_port or ports.api))
        except BaseException:
            self.stop()
            raise

    @property
    def home(self) -> Path:
        """The folder of everything that belongs to the cluster, there from start to stop."""
        if self._home is None:
            raise LocalClusterError("cluster", "does not run", "use it in a `with` statement")
        return self._home

    def stop(self) -> None:
        """End every process that was started here and remove the folder.

        Safe to repeat, and before any start.
        """
        if self._provisioner:
            self._provisioner.stop()
            self._provisioner = None
        for process in reversed(self._processes):
            process.kill()
        self._processes.clear()
        if self._home:
            shutil.rmtree(self._home, ignore_errors=True)
            self._home = None

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which kubectl, helm and Tutor reach this cluster and no other."""
        folders = {str(path.parent) for path in self._programs.values()}
        return {
            "HOME": str(self.home),
            "KUBECONFIG": str(self.home / ".kube" / "config"),
            "PATH": os.pathsep.join([*sorted(folders), os.environ["PATH"]]),
        }

    def kubectl(self, *argv: str) -> str:
        """What `kubectl ARGV…` prints; CalledProcessError unless it exits with 0."""
        return subprocess.run(
            [self._programs["kubectl"], *argv],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def apply(self, manifest: Manifest) -> None:
        """Server-side apply of one object."""
        self.client.apply(codecs.from_dict(manifest), field_manager=FIELD_MANAGER, force=True)

    def ready_pods(self, namespace: str, labels: Mapping[str, str] | None = None) -> list[Manifest]:
        """The pods that can serve: ready, and on a living node. Namespace `*` is every one."""
        found = self.client.list(Pod, namespace=namespace, labels=dict(labels or {}))
        manifests = [pod.to_dict() for pod in found]
        return pods.ready(manifests, self.nodes.living_nodes())

    def set_load(self, namespace: str, pod: str, cpu: str, memory: str) -> None:
        """Make each container of a pod use this much, as Kubernetes quantities, from now on."""
        annotations = {simulation.CPU_ANNOTATION: cpu, simulation.MEMORY_ANNOTATION: memory}
        self.client.patch(
            Pod,
            pod,
            {"metadata": {"annotations": annotations}},
            namespace=namespace,
            patch_type=PatchType.MERGE,
        )

    def memory_mib(self) -> float:
        """Memory of all the cluster's processes, pages that they share counted once (PSS)."""
        living = [process for process in self._processes if process.alive]
        full = [psutil.Process(process.popen.pid).memory_full_info() for process in living]
        return float(sum(info.pss for info in full)) / MIB

    def _start(self, ports: Ports) -> None:
        files = self._write_files(ports.api)
        self._run("etcd", components.etcd(ports, files, self.home / "etcd"))
        server = self._run("kube-apiserver", components.api_server(ports, files))
        config = KubeConfig.from_file(files.kubeconfig("admin"))
        self.client = Client(config=config, trust_env=False)
        authority = files.certificate("ca")
        server.wait_until(lambda: api_is_ready(ports.api, authority), START_TIMEOUT_S)
        flags = self.shape.controller_flags
        controllers = [*components.controller_manager(ports, files), *flags]
        self._run("kube-controller-manager", controllers)
        self._run("kube-scheduler", components.scheduler(ports, files))
        for manifest in self._first_objects(ports.metrics, files):
            self.apply(manifest)
        self._run("metrics-server", components.metrics_server(ports, files))
        self.nodes = Kubelets(self.shape, self.client, files, self.home / "kwok.yml", self._kwok)
        for zone in self.shape.zones:
            self.nodes.start_zone(zone)
        self._provisioner = Provisioner(self.client)
        self._provisioner.start()
        self.nodes.wait_until_ready(self.shape.all_nodes())
        for process in self._processes:
            process.require_alive()
        # Until the controller manager has made service accounts no pod can be created.
        wait_for(self._has_service_account, START_TIMEOUT_S, "service accounts are made")

    def _write_files(self, api_port: int) -> pki.Files:
        folder = self.home / "pki"
        folder.mkdir(mode=0o700)
        encryption_key = b64encode(secrets.token_bytes(32)).decode()
        for name, content in pki.files(api_port, encryption_key).items():
            (folder / name).write_bytes(content)
        (self.home / ".kube").mkdir(mode=0o700)
        shutil.copy(folder / "admin.kubeconfig", self.home / ".kube" / "config")
        documents = simulation.kwok_configuration(self.shape.pods)
        (self.home / "kwok.yml").write_text(yaml.safe_dump_all(documents))
        return pki.Files(folder)

    def _first_objects(self, metrics_port: int, files: pki.Files) -> list[Manifest]:
        authority = files.certificate("ca").read_bytes()
        nodes = [
            simulation.node(self.shape, zone, name)
            for zone in self.shape.zones
            for name in self.shape.node_names(zone)
        ]
        return [*addons.addons(metrics_port, authority), *nodes]

    def _run(self, program: str, arguments: list[str], name: str = "") -> Process:
        argv: list[str | Path] = [self._programs[program], *arguments]
        process = Process.start(name or program, argv, self.home)
        self._processes.append(process)
        return process

    def _kwok(self, name: str, arguments: list[str]) -> Process:
        return self._run("kwok", arguments, name)

    def _has_service_account(self) -> bool:
        return bool(list(self.client.list(ServiceAccount, namespace="default")))


def api_is_ready(port: int, authority: Path) -> bool:
    """Whether the API server says so itself, which is after it has made the default roles."""
    try:
        verify = ssl.create_default_context(cafile=authority)
        url = f"https://{LOOPBACK}:{port}/readyz"
        return httpx2.get(url, verify=verify, trust_env=False).is_success
    except httpx2.HTTPError:
        return False


def require_memory(available_mib: int) -> None:
    """Raise LocalClusterError where a cluster would push the machine into swapping."""
    if available_mib < NEEDED_MEMORY_MIB:
        raise LocalClusterError(
            "memory",
            f"{available_mib} MiB are free, a local cluster needs {NEEDED_MEMORY_MIB} MiB",
            "close other programs and start again",
        )
