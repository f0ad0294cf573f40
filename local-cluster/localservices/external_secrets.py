"""Edge: the External Secrets Operator, real, beside a local cluster."""

from __future__ import annotations

import os
from collections.abc import Mapping

from localcluster import binaries
from localcluster.binaries import Progress
from localcluster.cluster import LocalCluster
from localcluster.model import LOOPBACK
from localcluster.processes import free_ports, listens

from localservices.service import Service

START_TIMEOUT_S = 60

# The operator has variables of its own for what AWS_ENDPOINT_URL is to others.
# https://external-secrets.io/latest/guides/v1beta1/#aws
ENDPOINTS = ("AWS_SECRETSMANAGER_ENDPOINT", "AWS_SSM_ENDPOINT", "AWS_STS_ENDPOINT")


class ExternalSecrets(Service):
    """The operator, which knows the cluster as its administrator, and AWS by `environment`."""

    name = "external-secrets"

    def __init__(
        self, cluster: LocalCluster, environment: Mapping[str, str], progress: Progress = print
    ) -> None:
        super().__init__()
        self._cluster = cluster
        self._environment = environment
        self._progress = progress

    def start(self) -> None:
        """Create its kinds, start it, and wait until it answers. LocalClusterError if it cannot."""
        program = binaries.ensure([self.name], self._progress)[self.name]
        self._cluster.kubectl(
            "apply", "--server-side", f"--filename={program.parent / 'bundle.yaml'}"
        )
        live, metrics = free_ports(2)
        endpoint = self._environment["AWS_ENDPOINT_URL"]
        process = self._run(
            [
                program,
                f"--live-addr={LOOPBACK}:{live}",
                f"--metrics-addr={LOOPBACK}:{metrics}",
                # An instance may read with its own role only.
                "--enable-cluster-store-reconciler=false",
                "--enable-cluster-external-secret-reconciler=false",
                "--enable-cluster-push-secret-reconciler=false",
                "--enable-push-secret-reconciler=false",
            ],
            {
                **self._cluster.environment,
                "PATH": os.environ["PATH"],
                **self._environment,
                **dict.fromkeys(ENDPOINTS, endpoint),
            },
        )
        process.wait_until(lambda: listens(live), START_TIMEOUT_S)
