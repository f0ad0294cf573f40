"""What an installation says should be looked at next."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from tutorautoscale import configuration
from tutoraws import settings as aws

from platformchart.local import merged
from tests.chart.conftest import REQUIRED, Chart, Helm

Notes = Callable[..., str]

pytestmark = pytest.mark.chart

# `helm template` prints no notes, `helm install --dry-run` is for the newest Kubernetes alone.
PRINTED = 'kind: Notes\ntext: {{ tpl (.Files.Get "NOTES.txt") . | toJson }}\n'


@pytest.fixture(scope="module")
def notes(helm: Helm, chart: Chart, tmp_path_factory: pytest.TempPathFactory) -> Notes:
    """The notes of an installation with changes to REQUIRED."""
    copy = tmp_path_factory.mktemp("notes") / "platform"
    shutil.copytree(chart.path, copy)
    (copy / "templates" / "NOTES.txt").rename(copy / "NOTES.txt")
    (copy / "templates" / "notes.yaml").write_text(PRINTED)
    where = ("--namespace=platform", "--kube-version=1.36.0", "--show-only=templates/notes.yaml")

    def render(**changes: Any) -> str:
        values = merged(REQUIRED, changes)
        text: str = yaml.safe_load(helm("template", "platform", str(copy), *where, **values))[
            "text"
        ]
        return text

    return render


def settings(text: str) -> dict[str, Any]:
    """The settings for config.yml that are printed."""
    lines = [line for line in text.splitlines() if line.startswith(("AUTOSCALE_", "AWS_"))]
    found: dict[str, Any] = yaml.safe_load("\n".join(lines)) or {}
    return found


def test_the_way_in_is_looked_at(notes: Notes) -> None:
    """Address, web ACL by its name, healthy targets."""
    text = notes()
    assert "kubectl get ingress --namespace platform\n" in text
    assert "get-web-acl-for-resource --region eu-west-1" in text
    assert text.count("# edge\n") == 1
    assert "describe-target-health" in text


def test_the_autoscaler_is_looked_at(notes: Notes) -> None:
    assert "cluster-autoscaler-status" in notes()
    assert "cluster-autoscaler" not in notes(components={"clusterAutoscaler": False})


def test_without_an_edge_what_is_left_of_it_is_waited_for(notes: Notes) -> None:
    text = notes(edge={"enabled": False})
    assert "kubectl wait --for=delete ingress,targetgroupbindings" in text
    assert "wafv2" not in text


def test_settings_are_those_that_the_plugins_take(notes: Notes) -> None:
    """As YAML that can be pasted; the plugins refuse keys that they do not know."""
    everything = {"components": {"keda": True}, "prometheus": {"enabled": True}}
    found = settings(notes(**everything))
    cluster = configuration.cluster(found)
    assert cluster.keda_namespace == "platform"
    assert cluster.prometheus_url == "http://prometheus.platform:9090"
    assert cluster.priority_classes
    assert aws.read(found).ingress == aws.Settings().ingress


def test_settings_are_named_for_what_is_there_alone(notes: Notes) -> None:
    assert "AUTOSCALE_CLUSTER" not in notes(priorityClasses={"enabled": False})
    assert set(settings(notes())["AUTOSCALE_CLUSTER"]) == {"priority_classes"}


def test_no_lines_of_templates_are_left(notes: Notes) -> None:
    assert "{{" not in notes()
    assert "<no value>" not in notes()
