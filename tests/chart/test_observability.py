"""Monitors, alerts and dashboards: what they ask for exists, and says what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from tutorplatform.manifests import Manifest

from platformchart import upstream
from tests.chart import promql
from tests.chart.conftest import Chart, RenderChart, merged
from tests.chart.test_engine import OPTIONAL, deployments, labels

pytestmark = pytest.mark.chart

RUNBOOKS = upstream.ROOT / "docs" / "runbooks"
ALL = {"serviceMonitors": True, "dashboards": True, "alerts": True}
MONITORING = "monitoring.coreos.com/v1"

# Alerts and dashboards as they are on disk, for one test each.
ALERTS = {
    alert["alert"]: alert
    for path in sorted((upstream.CHART / "alerts").glob("*.yaml"))
    for alert in yaml.safe_load(path.read_text())
}
DASHBOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text())
    for path in sorted((upstream.CHART / "dashboards").glob("*.json"))
}
each_alert = pytest.mark.parametrize("name", ALERTS)
each_dashboard = pytest.mark.parametrize("name", DASHBOARDS)


def expressions(panels: list[dict[str, Any]]) -> list[str]:
    return [t["expr"] for panel in panels for t in panel.get("targets", []) if "expr" in t]


def in_instance_row(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """The panels of the row that is there once for each instance; it is the last."""
    panels = dashboard["panels"]
    [row] = [index for index, panel in enumerate(panels) if panel.get("repeat") == "namespace"]
    found: list[dict[str, Any]] = panels[row + 1 :]
    return found


@pytest.fixture(scope="module")
def everything(render_chart: RenderChart) -> list[Manifest]:
    """The chart with all that is optional, observed."""
    return render_chart(**OPTIONAL, observability=ALL)


def test_nothing_is_observed_unless_asked_for(render_chart: RenderChart) -> None:
    """Without Prometheus Operator's kinds, an install with them fails."""
    objects = render_chart()
    assert [o for o in objects if o["apiVersion"] == MONITORING] == []
    assert [o for o in objects if "dashboard" in o["metadata"]["name"]] == []


@each_alert
def test_alerts_say_what_to_do(name: str) -> None:
    """How bad it is, what it is, what it means, and a runbook with steps."""
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert alert["annotations"].keys() == {"summary", "description"}
    assert alert["for"]
    text = (RUNBOOKS / f"{name}.md").read_text()
    assert text.startswith(f"# {name}\n")
    for part in ("## What it means", "## What to do"):
        assert part in text


def test_every_runbook_is_of_an_alert() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == ALERTS.keys()


@each_alert
def test_alerts_ask_for_what_exists(name: str) -> None:
    expression = ALERTS[name]["expr"].replace("@NAMESPACE@", "platform")
    assert list(promql.mistakes(expression, promql.known_metrics())) == []


@each_dashboard
def test_dashboards_ask_for_what_exists(name: str) -> None:
    known = promql.known_metrics()
    for expression in expressions(DASHBOARDS[name]["panels"]):
        assert list(promql.mistakes(expression, known)) == []


@each_dashboard
def test_dashboards_ask_cloudwatch_for_what_exists(name: str) -> None:
    """With all dimensions of the metric: for fewer, CloudWatch has no figures."""
    programs = yaml.safe_load(promql.LISTED.read_text())
    for panel in DASHBOARDS[name]["panels"]:
        for target in panel.get("targets", []):
            if "metricName" in target:
                listed = programs[target["namespace"]]["metrics"][target["metricName"]]
                assert target["dimensions"].keys() == set(listed)


@each_dashboard
def test_variables_are_filled_from_what_exists(name: str) -> None:
    known = promql.known_metrics()
    for variable in DASHBOARDS[name]["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = promql.of_query(variable["definition"])
            assert list(promql.mistakes(f"count by ({label}) ({metric})", known)) == []


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("up_and_away", ["up_and_away: no such metric"]),
        ('kube_pod_status_phase{fase="x"}', ["kube_pod_status_phase: no label fase"]),
        ("sum by (nose) (kube_pod_status_phase)", ["by (nose): no such label"]),
    ],
)
def test_what_does_not_exist_is_found(expression: str, said: list[str]) -> None:
    """The tests above can fail."""
    assert list(promql.mistakes(expression, promql.known_metrics())) == said


def test_what_is_no_expression_is_found() -> None:
    with pytest.raises(ValueError, match="unclosed"):
        list(promql.mistakes("sum(", promql.known_metrics()))


@each_dashboard
def test_panels_are_of_one_kind_and_place(name: str) -> None:
    """Each has an id, a title, a text, and a data source that somebody chooses."""
    panels = DASHBOARDS[name]["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(panels)
    for panel in panels:
        if panel["type"] != "row":
            assert panel["title"]
            assert panel["description"]
            assert panel["datasource"]["uid"] in ("${datasource}", "${cloudwatch}")
            assert panel["targets"]


@each_dashboard
def test_variables_are_defined_and_used(name: str) -> None:
    dashboard = DASHBOARDS[name]
    text = json.dumps(dashboard["panels"])
    for variable in dashboard["templating"]["list"]:
        used = f"${variable['name']}" in text or f"${{{variable['name']}}}" in text
        assert used, variable["name"]


@each_dashboard
def test_each_instance_has_a_row(name: str) -> None:
    """What is in it is of that instance alone: `acme` is not `acme-2`."""
    found = expressions(in_instance_row(DASHBOARDS[name]))
    assert found
    for expression in found:
        for labels_asked in promql.chosen(expression):
            service = labels_asked.get("service", "").partition("-caddy-")[0]
            assert "acme" in (labels_asked.get("namespace"), service)


def test_dashboards_are_loaded(everything: list[Manifest]) -> None:
    """By the label of Grafana's sidecar, with this cluster's region and web ACL filled in."""
    found = [o for o in everything if "dashboard" in o["metadata"]["name"]]
    assert len(found) == len(DASHBOARDS)
    for each in found:
        assert each["metadata"]["labels"]["grafana_dashboard"] == "1"
        [text] = each["data"].values()
        assert "@" not in "".join(
            v.get("query", "")
            for v in json.loads(text)["templating"]["list"]
            if v["type"] == "textbox"
        )


def test_alerts_are_loaded(everything: list[Manifest]) -> None:
    """With the namespace of the release and the address of the runbook."""
    rules = [
        rule
        for each in everything
        if each["kind"] == "PrometheusRule"
        for group in each["spec"]["groups"]
        for rule in group["rules"]
    ]
    assert {rule["alert"] for rule in rules} == ALERTS.keys()
    for rule in rules:
        assert "@" not in rule["expr"]
        assert rule["annotations"]["runbook_url"].endswith(f"/docs/runbooks/{rule['alert']}.md")


def test_monitors_are_found_and_read_what_is_there(
    chart: Chart, everything: list[Manifest]
) -> None:
    """Labels of the one select pods of the other; labels of Traefik's own are kept."""
    monitors = [o for o in everything if o["kind"] in ("ServiceMonitor", "PodMonitor")]
    assert len(monitors) == 6
    pods = {labels(each)["app.kubernetes.io/name"] for each in deployments(everything).values()}
    for each in monitors:
        assert each["metadata"]["labels"]["release"] == "kube-prometheus-stack"
        spec = each["spec"]
        assert all(e["honorLabels"] for e in spec.get("endpoints", spec.get("podMetricsEndpoints")))
        if chart.source.is_real:
            assert set(spec["selector"]["matchLabels"].values()) <= pods


@pytest.mark.parametrize("kind", ["helm", "metrics-server"])
def test_prometheus_checks_whom_it_shows_its_token(render_chart: RenderChart, kind: str) -> None:
    """If Helm has made the certificate; one that metrics-server makes up itself is unknown."""
    insecure = kind != "helm"
    values = {"tls": {"type": kind}, "apiService": {"insecureSkipTLSVerify": insecure}}
    objects = render_chart(**merged({"observability": ALL}, {"metrics-server": values}))
    [monitor] = [
        o
        for o in objects
        if (o["kind"], o["metadata"]["name"]) == ("ServiceMonitor", "metrics-server")
    ]
    [endpoint] = monitor["spec"]["endpoints"]
    assert endpoint["tlsConfig"].get("insecureSkipVerify", False) is insecure
    if not insecure:
        assert endpoint["tlsConfig"]["serverName"] == "metrics-server.platform.svc"
