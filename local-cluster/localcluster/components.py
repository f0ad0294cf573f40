"""The command line of each program of the control plane. Pure: data in, arguments out.

Controllers keep Kubernetes' own defaults; what is set here is addresses, certificates, and
what makes a cluster on one machine cheap to throw away.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from localcluster.model import KUBELET_LABEL, LOOPBACK
from localcluster.pki import Files

SERVICE_RANGE = "10.96.0.0/16"


@dataclass(frozen=True)
class Ports:
    """Loopback ports of the control plane."""

    etcd: int
    etcd_peer: int
    api: int
    controllers: int
    scheduler: int
    metrics: int


PORTS = tuple(field.name for field in fields(Ports))


def etcd(ports: Ports, files: Files, data: Path) -> list[str]:
    url = f"https://{LOOPBACK}:{ports.etcd}"
    peer = f"http://{LOOPBACK}:{ports.etcd_peer}"
    return [
        f"--data-dir={data}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        f"--cert-file={files.certificate('server')}",
        f"--key-file={files.key('server')}",
        f"--trusted-ca-file={files.certificate('ca')}",
        "--client-cert-auth",
        # A cluster that lives for minutes does not need to survive a power cut.
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def api_server(ports: Ports, files: Files) -> list[str]:
    return [
        f"--etcd-servers=https://{LOOPBACK}:{ports.etcd}",
        f"--etcd-cafile={files.certificate('ca')}",
        f"--etcd-certfile={files.certificate('admin')}",
        f"--etcd-keyfile={files.key('admin')}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={ports.api}",
        # A loopback address cannot be an endpoint of the `kubernetes` Service.
        "--endpoint-reconciler-type=none",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        f"--tls-cert-file={files.certificate('server')}",
        f"--tls-private-key-file={files.key('server')}",
        f"--client-ca-file={files.certificate('ca')}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={files.certificate('service-account')}",
        f"--service-account-signing-key-file={files.key('service-account')}",
        f"--requestheader-client-ca-file={files.certificate('front-proxy-ca')}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={files.certificate('front-proxy')}",
        f"--proxy-client-key-file={files.key('front-proxy')}",
        f"--encryption-provider-config={files.encryption}",
        "--allow-privileged=true",
        "--profiling=false",
    ]


def controller_manager(ports: Ports, files: Files) -> list[str]:
    return [
        *_controller(ports.controllers, files, "controllers"),
        f"--root-ca-file={files.certificate('ca')}",
        f"--service-account-private-key-file={files.key('service-account')}",
        "--use-service-account-credentials=true",
    ]


def scheduler(ports: Ports, files: Files) -> list[str]:
    return _controller(ports.scheduler, files, "scheduler")


def kwok(zone: str, node_port: int, files: Files, config: Path, network: str) -> list[str]:
    """One zone's kubelets. `network` is the range of its pods' addresses."""
    return [
        f"--kubeconfig={files.kubeconfig('kwok')}",
        f"--config={config}",
        f"--manage-nodes-with-label-selector={KUBELET_LABEL}={zone}",
        f"--cidr={network}",
        f"--node-ip={LOOPBACK}",
        f"--node-port={node_port}",
        f"--server-address={LOOPBACK}:{node_port}",
        f"--tls-cert-file={files.certificate('server')}",
        f"--tls-private-key-file={files.key('server')}",
        # As a kubelet: a lease of 40 s, renewed every 10 s.
        "--node-lease-duration-seconds=40",
    ]


def metrics_server(ports: Ports, files: Files) -> list[str]:
    return [
        *_kubeconfigs(files, "metrics"),
        f"--bind-address={LOOPBACK}",
        f"--secure-port={ports.metrics}",
        f"--tls-cert-file={files.certificate('server')}",
        f"--tls-private-key-file={files.key('server')}",
        # kwok's certificate names this machine, not the node.
        "--kubelet-insecure-tls",
        "--kubelet-preferred-address-types=InternalIP",
        "--kubelet-use-node-status-port",
        "--metric-resolution=15s",
    ]


def _controller(port: int, files: Files, user: str) -> list[str]:
    return [
        *_kubeconfigs(files, user),
        f"--bind-address={LOOPBACK}",
        f"--secure-port={port}",
        f"--tls-cert-file={files.certificate('server')}",
        f"--tls-private-key-file={files.key('server')}",
        "--leader-elect=false",
        "--profiling=false",
    ]


def _kubeconfigs(files: Files, user: str) -> list[str]:
    path = files.kubeconfig(user)
    return [
        f"--kubeconfig={path}",
        f"--authentication-kubeconfig={path}",
        f"--authorization-kubeconfig={path}",
    ]
