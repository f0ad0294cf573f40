"""Kubernetes as somebody sees it who is no administrator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from localcluster.cluster import LocalCluster


def as_account(
    cluster: LocalCluster, account: str, environment: dict[str, str], folder: Path
) -> dict[str, str]:
    """The environment of a service account of `default`; its kubeconfig is put into `folder`."""
    token = cluster.kubectl("create", "token", account, "--namespace=default")
    config: Any = yaml.safe_load(Path(environment["KUBECONFIG"]).read_text())
    config["users"][0]["user"] = {"token": token}
    (folder / "config").write_text(yaml.safe_dump(config))
    # The administrator's kubeconfig is in the cluster's home.
    return {**environment, "HOME": str(folder), "KUBECONFIG": str(folder / "config")}
