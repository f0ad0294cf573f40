"""Edge: KEDA, real, beside a local cluster: its operator and its metrics adapter."""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path

from localcluster import binaries
from localcluster.binaries import Progress
from localcluster.certificates import Authority
from localcluster.cluster import LocalCluster
from localcluster.model import LOOPBACK, Manifest
from localcluster.processes import Process, free_ports, listens, wait_for

from localservices.service import Service

START_TIMEOUT_S = 60
NAMESPACE, API = "keda", "v1beta1.external.metrics.k8s.io"
OPERATOR, ADAPTER = "keda-operator", "keda-adapter"
# The name by which the API server knows the adapter.
ADAPTER_HOST = f"{ADAPTER}.{NAMESPACE}.svc"


class Keda(Service):
    """Both parts know the cluster as its administrator.

    `authorities` is a folder with PEM files of whoever else signs certificates of sources.
    """

    name = OPERATOR

    def __init__(
        self, cluster: LocalCluster, authorities: Path, progress: Progress = print
    ) -> None:
        super().__init__()
        self._cluster = cluster
        self._authorities = authorities
        self._progress = progress
        self._adapter: Process | None = None

    def start(self) -> None:
        """Create its kinds, start it, and wait until its metrics are served.

        LocalClusterError if it cannot.
        """
        programs = binaries.ensure([OPERATOR, ADAPTER], self._progress)
        kinds = sorted(programs[OPERATOR].parent.glob("*.yaml"))
        self._cluster.kubectl("apply", "--server-side", *(f"--filename={file}" for file in kinds))
        authority = self._write_certificates()
        grpc, secure = free_ports(2)
        self._start_operator(programs[OPERATOR], grpc)
        self._start_adapter(programs[ADAPTER], grpc, secure)
        for manifest in api(secure, authority):
            self._cluster.apply(manifest)
        wait_for(self._is_available, START_TIMEOUT_S, f"{API} is available")

    def stop(self) -> None:
        """End both and take the API away, without which no namespace could be deleted."""
        if self._adapter:
            self._cluster.kubectl("delete", "apiservice", API, "--ignore-not-found")
            self._adapter.kill()
            self._adapter = None
        super().stop()

    @property
    def _variables(self) -> dict[str, str]:
        return {
            **self._cluster.environment,
            "PATH": os.environ["PATH"],
            "KEDA_CLUSTER_OBJECT_NAMESPACE": NAMESPACE,
            # All namespaces.
            "WATCH_NAMESPACE": "",
        }

    def _start_operator(self, program: Path, port: int) -> None:
        metrics, probes = free_ports(2)
        process = self._run(
            [
                program,
                f"--cert-dir={self.directory}",
                f"--ca-dir={self._authorities}",
                f"--metrics-service-bind-address={LOOPBACK}:{port}",
                f"--metrics-bind-address={LOOPBACK}:{metrics}",
                f"--health-probe-bind-address={LOOPBACK}:{probes}",
            ],
            self._variables,
        )
        process.wait_until(lambda: listens(port), START_TIMEOUT_S)

    def _start_adapter(self, program: Path, operator: int, port: int) -> None:
        kubeconfig = self._cluster.environment["KUBECONFIG"]
        self._adapter = Process.start(
            ADAPTER,
            [
                program,
                f"--bind-address={LOOPBACK}",
                f"--secure-port={port}",
                f"--port={free_ports(1)[0]}",
                # The pair for the operator, and for the API server.
                f"--cert-dir={self.directory}",
                f"--tls-cert-file={self.directory / 'tls.crt'}",
                f"--tls-private-key-file={self.directory / 'tls.key'}",
                f"--metrics-service-address={LOOPBACK}:{operator}",
                f"--lister-kubeconfig={kubeconfig}",
                f"--authentication-kubeconfig={kubeconfig}",
                f"--authorization-kubeconfig={kubeconfig}",
            ],
            self.directory,
            self._variables,
        )
        self._adapter.wait_until(lambda: listens(port), START_TIMEOUT_S)

    def _write_certificates(self) -> bytes:
        """One pair for both, as each shows the other what its own authority has signed."""
        authority = Authority.new("keda")
        pair = authority.issue("keda", hosts=[LOOPBACK, "localhost", ADAPTER_HOST])
        files = {"ca.crt": authority.pem, "tls.crt": pair.certificate, "tls.key": pair.key}
        for name, content in files.items():
            (self.directory / name).write_bytes(content)
        return authority.pem

    def _is_available(self) -> bool:
        path = '{.status.conditions[?(@.type=="Available")].status}'
        return self._cluster.kubectl("get", "apiservice", API, f"-ojsonpath={path}") == "True"


def api(port: int, authority: bytes) -> list[Manifest]:
    """What leads the API server to the adapter, at a port of this machine; `authority` is PEM."""
    metadata = {"name": ADAPTER, "namespace": NAMESPACE}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            # To a process outside of the cluster's own network.
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": API},
            "spec": {
                "group": "external.metrics.k8s.io",
                "version": "v1beta1",
                "service": {**metadata, "port": port},
                "caBundle": b64encode(authority).decode(),
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
            },
        },
    ]
