"""The files by which the programs of a cluster know each other. Pure: names and contents."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import yaml

from localcluster.certificates import Authority, KeyPair, new_signing_key
from localcluster.model import LOOPBACK

SERVICE_ADDRESS = "10.96.0.1"
METRICS_SERVICE = "metrics-server.kube-system.svc"


@dataclass(frozen=True)
class Files:
    """Where a cluster keeps what its programs read: one folder, filled with `files`."""

    folder: Path

    def certificate(self, name: str) -> Path:
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    def kubeconfig(self, user: str) -> Path:
        return self.folder / f"{user}.kubeconfig"

    @property
    def encryption(self) -> Path:
        return self.folder / "encryption.yml"


CLIENTS = {
    # file name → (user, groups)
    "admin": ("admin", ["system:masters"]),
    "controllers": ("system:kube-controller-manager", []),
    "scheduler": ("system:kube-scheduler", []),
    # One kwok process is many kubelets at once, which the node authorizer does not foresee.
    "kwok": ("kwok", ["system:masters"]),
    "metrics": ("metrics-server", []),
}


def files(api_port: int, encryption_key: str) -> dict[str, bytes]:
    """File name → content: authorities, key pairs, kubeconfigs, and encryption at rest.

    `encryption_key` is 32 random bytes in base64: like EKS, the cluster encrypts Secrets
    before it stores them.
    """
    authority = Authority.new("local-cluster")
    front_proxy = Authority.new("local-cluster-front-proxy")
    servers = [LOOPBACK, "localhost", "kubernetes.default.svc", METRICS_SERVICE, SERVICE_ADDRESS]
    pairs = {
        "server": authority.issue("kube-apiserver", hosts=servers),
        "service-account": new_signing_key(),
        "front-proxy": front_proxy.issue("front-proxy-client"),
        **{name: authority.issue(user, groups) for name, (user, groups) in CLIENTS.items()},
    }
    contents = {
        "ca.crt": authority.pem,
        "front-proxy-ca.crt": front_proxy.pem,
        "encryption.yml": yaml.safe_dump(_encryption(encryption_key)).encode(),
    }
    for name, pair in pairs.items():
        contents[f"{name}.crt"] = pair.certificate
        contents[f"{name}.key"] = pair.key
    for name in CLIENTS:
        contents[f"{name}.kubeconfig"] = kubeconfig(api_port, authority.pem, pairs[name])
    return contents


def kubeconfig(port: int, authority: bytes, client: KeyPair) -> bytes:
    """A self-contained kubeconfig for one client."""
    name = "local-cluster"
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "clusters": [
                {
                    "name": name,
                    "cluster": {
                        "server": f"https://{LOOPBACK}:{port}",
                        "certificate-authority-data": _base64(authority),
                    },
                }
            ],
            "users": [
                {
                    "name": name,
                    "user": {
                        "client-certificate-data": _base64(client.certificate),
                        "client-key-data": _base64(client.key),
                    },
                }
            ],
        }
    ).encode()


def _encryption(key: str) -> dict[str, object]:
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [
            {
                "resources": ["secrets"],
                "providers": [{"secretbox": {"keys": [{"name": "key", "secret": key}]}}],
            }
        ],
    }


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
