"""Edge: what Tutor renders for an instance on shared services, and the platform chart's values."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import yaml
from localcluster import binaries
from localcluster.certificates import Authority
from tutorplatform.manifests import Manifest

from demo import instances
from demo.tutor import TutorRoot
from platformchart.upstream import CHART

PLUGINS = ("autoscale", "aws", "mfe")


def rendered(**settings: Any) -> list[Manifest]:
    """The objects of an instance on shared services, with these settings beside the defaults."""
    kubectl = binaries.ensure(["kubectl"], print)["kubectl"]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        authority = Path(folder) / "databases.pem"
        authority.write_bytes(Authority.new("platform databases").pem)
        environment = {"PATH": os.pathsep.join([str(kubectl.parent), os.environ["PATH"]])}
        root = TutorRoot(Path(folder) / "root", environment)
        root.write_config({**instances.settings(0, authority), **settings}, PLUGINS)
        root.run("config", "save")
        return root.rendered()


def chart_values() -> dict[str, Any]:
    """The defaults of charts/platform."""
    values: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    return values
