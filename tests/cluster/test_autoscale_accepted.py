"""What the autoscale plugin renders, beside other plugins, and what a real API server says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from localcluster.cluster import LocalCluster
from tutorplatform import manifests

from tests.conftest import NewRoot
from tests.render.aws_services import CERTIFICATE, external_services
from tests.render.others import OVERRIDES, PODS, write_plugin

pytestmark = pytest.mark.cluster


@pytest.fixture
def dry(cluster: LocalCluster) -> Iterator[str]:
    """A namespace, beside the priority classes that the chart makes."""
    names = ("openedx-serving", "openedx-background")
    for name in names:
        cluster.kubectl("create", "priorityclass", name, "--value=1")
    cluster.kubectl("create", "namespace", "dryscaling")
    yield "dryscaling"
    cluster.kubectl("delete", "namespace", "dryscaling")
    cluster.kubectl("delete", "priorityclass", *names)


OFFICIAL = ("credentials", "discovery", "forum", "mfe", "notes", "xqueue")
COMBINATIONS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "official, small": (OFFICIAL, {"AUTOSCALE_PROFILE": "small"}),
    "aws": (("aws", "mfe", "notes"), {"AUTOSCALE_CLUSTER": {"priority_classes": True}}),
    "what others bring": (("other",), {}),
    "differences": (
        ("xqueue",),
        {
            "ENABLE_WEB_PROXY": True,
            "AUTOSCALE_SERVICES": {
                "caddy": {"min": 1, "max": 1, "priority": None, "zones": "preferred"},
                "lms": {"disruption": "25%", "drain": "time", "probes": {"readiness": None}},
                "cms": {"drain_s": 0, "cpu": {"limit": 2}, "memory": {"limit": None}},
                "xqueue": {"containers": {"xqueue-consumer": {"cpu": {"limit": "1"}}}},
            },
        },
    ),
}


@pytest.mark.parametrize(("plugins", "settings"), COMBINATIONS.values(), ids=COMBINATIONS)
def test_the_api_server_accepts_each_combination(
    plugins: tuple[str, ...],
    settings: dict[str, Any],
    new_root: NewRoot,
    cluster: LocalCluster,
    dry: str,
    tmp_path: Path,
) -> None:
    """As an apply would be, with all that admission checks."""
    (tmp_path / "ca.pem").write_text(CERTIFICATE)
    services = external_services(tmp_path / "ca.pem") if "aws" in plugins else {}
    defaults = {"ENABLE_WEB_PROXY": False, "K8S_NAMESPACE": dry}
    root = new_root("autoscale", *plugins, **{**defaults, **services, **settings})
    write_plugin(root, PODS, k8s_override=OVERRIDES)
    root.run("config", "save")
    file = tmp_path / "rendered.yml"
    file.write_text(manifests.dump(root.rendered()))
    cluster.kubectl("apply", "--server-side", "--dry-run=server", f"--filename={file}")
