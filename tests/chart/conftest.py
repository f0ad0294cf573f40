"""The real helm, as the tests of charts call it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from localcluster import binaries
from tutorplatform import manifests
from tutorplatform.manifests import Manifest

from platformchart import upstream
from platformchart.local import merged
from platformchart.upstream import Source

Helm = Callable[..., str]
RenderChart = Callable[..., list[Manifest]]

# What every installation has to say.
REQUIRED: dict[str, Any] = {
    "global": {
        "clusterName": "openedx",
        "region": "eu-west-1",
        "vpcId": "vpc-0123456789abcdef0",
    },
    "edge": {
        "waf": {
            "arn": (
                "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/edge/"
                "0a1b2c3d-0000-4000-8000-000000000000"
            ),
            "name": "edge",
        },
        "cloudFrontPrefixList": "pl-4fa04526",
        "loadBalancers": [
            {
                "name": "main",
                "ingressClass": "alb",
                "certificateArns": [
                    "arn:aws:acm:eu-west-1:123456789012:certificate/"
                    "0a1b2c3d-0000-4000-8000-000000000001"
                ],
            }
        ],
    },
    "traefik": {
        "ports": {
            "web": {
                "forwardedHeaders": {"trustedIPs": ["10.0.0.0/20", "10.0.16.0/20", "10.0.32.0/20"]}
            }
        }
    },
}


class Chart(NamedTuple):
    """The chart with what it depends on."""

    path: Path
    source: Source


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Runs `helm ARGV…` with `values`; what it prints, or CalledProcessError."""
    program = binaries.ensure(["helm"], print)["helm"]
    home = str(tmp_path_factory.mktemp("helm"))

    def run(*argv: str, **values: Any) -> str:
        return subprocess.run(
            [program, *argv, "--values=-"],
            input=yaml.safe_dump(values),
            env={"HOME": home},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    return run


@pytest.fixture(scope="session")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Chart:
    """The chart, ready to be installed."""
    program = binaries.ensure(["helm"], print)["helm"]
    return Chart(*upstream.prepare(tmp_path_factory.mktemp("chart"), program, print))


@pytest.fixture(scope="session")
def render_chart(helm: Helm, chart: Chart) -> RenderChart:
    """The objects of the chart with changes to REQUIRED, as release `platform` in `platform`."""

    def render(kubernetes: str = "1.36.3", **changes: Any) -> list[Manifest]:
        where = ("--namespace=platform", f"--kube-version={kubernetes}")
        values = merged(REQUIRED, changes)
        return manifests.load(helm("template", "platform", str(chart.path), *where, **values))

    return render
