"""What `charts/platform` tells the load balancer controller and Traefik: their values."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
import yaml
from tutorplatform import quantity

from platformchart.upstream import CHART
from tests.chart.conftest import RenderChart

pytestmark = pytest.mark.chart

LBC = "aws-load-balancer-controller"
BOTH = pytest.mark.parametrize("name", [LBC, "traefik"])


@pytest.fixture(scope="module")
def values() -> Any:
    return yaml.safe_load((CHART / "values.yaml").read_text())


@pytest.fixture(scope="module")
def traefik(values: Any) -> Any:
    return values["traefik"]


@pytest.fixture(scope="module")
def web(traefik: Any) -> Any:
    return traefik["ports"]["web"]


def test_a_cluster_without_its_controller_still_works(values: Any) -> None:
    """No Service and no Ingress waits for it, and an upgrade does not change its certificate."""
    assert values[LBC]["enableServiceMutatorWebhook"] is False
    assert values[LBC]["webhookConfig"]["ingressValdationFailurePolicy"] == "Ignore"
    assert values[LBC]["keepTLSSecret"] is True


def test_the_controller_knows_no_other_door(values: Any) -> None:
    """No class of its own, none by annotation, no Gateway, no Service of type LoadBalancer."""
    lbc = values[LBC]
    assert lbc["createIngressClassResource"] is False
    assert lbc["ingressClassParams"]["create"] is False
    assert lbc["disableIngressClassAnnotation"] is True
    assert lbc["disableIngressGroupNameAnnotation"] is True
    # What it compares with an annotation; "" stands for `alb`, and for Ingresses without a class.
    classes = {each["ingressClass"] for each in values["edge"]["loadBalancers"]}
    assert lbc["ingressClass"] not in {"", "traefik", *classes}
    assert set(lbc["controllerConfig"]["featureGates"].items()) == {
        ("EnableServiceController", False),
        ("NLBGatewayAPI", False),
        ("ALBGatewayAPI", False),
        ("GatewayListenerSet", False),
        ("GlobalAcceleratorController", False),
        ("EnableCertificateManagement", False),
    }


def test_of_aws_add_ons_only_the_web_acl_is_used(values: Any) -> None:
    """What is not used needs no rights."""
    wanted = {"enableWafv2": True, "enableWaf": False, "enableShield": False}
    assert {key: values[LBC][key] for key in wanted} == wanted


@BOTH
def test_pods_are_spread_over_zones_and_nodes(values: Any, name: str) -> None:
    """Each by its own labels, each new version by itself, and never onto a node that is gone."""
    spreads = values[name]["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in spreads] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    for each in spreads:
        assert each["labelSelector"] == {"matchLabels": {"app.kubernetes.io/name": name}}
        assert each["matchLabelKeys"] == ["pod-template-hash"]
        assert (each["whenUnsatisfiable"], each["nodeTaintsPolicy"]) == ("DoNotSchedule", "Honor")
        assert each["maxSkew"] == 1
    assert values[name]["podDisruptionBudget"]["maxUnavailable"] == 1
    assert values[name]["priorityClassName"] == "system-cluster-critical"


@BOTH
def test_pods_fit_pod_security_restricted(values: Any, name: str) -> None:
    """With a root that nobody writes to, and a bound on memory."""
    pod, container = values[name]["podSecurityContext"], values[name]["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["allowPrivilegeEscalation"] is False
    assert container["readOnlyRootFilesystem"] is True
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert quantity.memory_bytes(values[name]["resources"]["limits"]["memory"], "") > 0


def test_there_is_always_more_than_one(values: Any, traefik: Any) -> None:
    """Of Traefik one per zone, whether its number is fixed or not."""
    assert values[LBC]["replicaCount"] == 2
    assert traefik["autoscaling"]["enabled"] is True
    assert traefik["autoscaling"]["minReplicas"] == traefik["deployment"]["replicas"] == 3
    assert traefik["podDisruptionBudget"]["enabled"] is True
    # What its utilization is a share of.
    assert traefik["resources"]["requests"]["cpu"]


def test_traefik_reads_ingresses_of_its_class_only(traefik: Any) -> None:
    """Neither its own kinds nor a Service that is another name lead past the policies."""
    providers = traefik["providers"]
    on = {name for name, each in providers.items() if each["enabled"]}
    assert on == {"kubernetesIngress", "file"}
    assert providers["kubernetesCRD"]["enabled"] is False
    assert providers["kubernetesIngress"]["ingressClass"] == traefik["ingressClass"]["name"]
    assert providers["kubernetesIngress"]["allowExternalNameServices"] is False
    assert providers["kubernetesIngress"]["strictPrefixMatching"] is True
    assert providers["kubernetesIngress"]["allowEmptyServices"] is True


def test_traefik_has_one_port_for_the_load_balancer(traefik: Any) -> None:
    """No TLS, no dashboard, no address of its own."""
    assert traefik["service"]["spec"]["type"] == "ClusterIP"
    assert traefik["ports"]["websecure"] is None
    assert set(traefik["ports"]) == {"web", "websecure"}
    assert not any(traefik["api"].values())
    assert not any(traefik["global"].values())


def test_a_lost_pod_of_an_instance_is_a_second_not_an_error(traefik: Any, web: Any) -> None:
    """Another is asked, unless something was sent already: never by status, for any method."""
    assert "--serversTransport.forwardingTimeouts.dialTimeout=1s" in traefik["additionalArguments"]
    [used] = web["http"]["middlewares"]
    middlewares = traefik["providers"]["file"]["content"]["http"]["middlewares"]
    retry = middlewares[used.removesuffix("@file")]["retry"]
    assert retry["attempts"] >= 2
    assert retry.keys().isdisjoint({"status", "retryNonIdempotentMethod"})


def test_nobody_but_the_load_balancer_is_believed(web: Any) -> None:
    """And who is believed has to be said; a header with "_" says nothing about a client."""
    assert web["forwardedHeaders"] == {"trustedIPs": []}
    assert web["http"]["underscoreHeadersStrategy"] == "delete"


def test_what_course_keys_and_files_are_called_passes(web: Any) -> None:
    """`+`, `:` and `@` are no matter; an encoded slash, percent or hash is in names of files."""
    refused = {key for key, allowed in web["http"]["encodedCharacters"].items() if not allowed}
    assert refused == {"allowEncodedNullCharacter"}
    assert len(web["http"]["encodedCharacters"]) == 7
    assert web["http"]["sanitizePath"] is True


def test_traefik_waits_longer_than_the_load_balancer(values: Any, web: Any) -> None:
    """For a body, and on an idle connection, which it would close under the next request."""
    timeouts = web["transport"]["respondingTimeouts"]
    assert timeouts == {"readTimeout": 620, "idleTimeout": 620}
    assert timeouts["idleTimeout"] > values["edge"]["idleTimeout"] > 600


def test_a_pod_of_traefik_ends_when_its_requests_have(values: Any, traefik: Any, web: Any) -> None:
    """It accepts until nothing comes, then has as long as the load balancer waits for it."""
    life = web["transport"]["lifeCycle"]
    lives = life["requestAcceptGraceTimeout"] + life["graceTimeOut"]
    assert life["requestAcceptGraceTimeout"] == 20
    assert traefik["deployment"]["terminationGracePeriodSeconds"] > lives
    assert lives >= values["edge"]["deregistrationDelay"]
    # Two looks of the load balancer at a new pod, ten seconds apart.
    assert traefik["deployment"]["minReadySeconds"] >= 20


def test_logs_are_json_without_secrets(traefik: Any) -> None:
    """Cookies, and tokens in headers and queries, stay out."""
    log = traefik["accessLog"]
    assert traefik["log"]["format"] == log["format"] == "json"
    assert log["enabled"] is True
    assert log["fields"]["headers"] == {"defaultMode": "drop"}
    assert log["fields"]["queryParameters"] == {"defaultMode": "drop"}
    assert log["fields"]["names"] == {"ClientUsername": "drop"}


@pytest.mark.contracts
def test_a_value_that_traefik_does_not_have_is_refused(render_chart: RenderChart) -> None:
    """Its schema is closed: what is set here is what its chart reads."""
    with pytest.raises(subprocess.CalledProcessError) as raised:
        render_chart(traefik={"ports": {"web": {"forwardedHeader": {}}}})
    assert "forwardedHeader" in raised.value.stderr
