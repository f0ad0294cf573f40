"""Ports on nodes, which a platform refuses: what docs/reference/policies.md does about them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import NewRoot

pytestmark = pytest.mark.render

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "policies.md"
JUPYTER = """
name: jupyter
version: 1.0.0
patches:
  k8s-services: |
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: jupyterhub}
    spec: {type: NodePort, ports: [{port: 9045}]}
"""


def test_the_plugin_of_the_page_closes_them(new_root: NewRoot) -> None:
    """Those of plugins that ours do not know; with it, nothing is left that a platform refuses."""
    [inside] = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    root = new_root("inside", "jupyter", "mfe", ENABLE_WEB_PROXY=False)
    (root.path / "plugins").mkdir()
    (root.path / "plugins" / "inside.yml").write_text(inside)
    (root.path / "plugins" / "jupyter.yml").write_text(JUPYTER)
    root.run("config", "save")
    types = {
        each["metadata"]["name"]: each["spec"]["type"]
        for each in root.rendered()
        if each["kind"] == "Service"
    }
    assert types["jupyterhub"] == "ClusterIP"
    # Of an official plugin, which is the aws plugin's business.
    assert types["mfe"] == "NodePort"
