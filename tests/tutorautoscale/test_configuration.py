"""The plugin's settings beside AUTOSCALE_SERVICES."""

from __future__ import annotations

from typing import Any

import pytest
from tutorautoscale.configuration import (
    DEFAULTS,
    Cluster,
    cluster,
    refuse_unknown,
    require_sources,
    size,
)
from tutorautoscale.profile import Network
from tutorplatform.errors import ConfigError

from tests.tutorautoscale.made import WEB, workload

KEYS = "keda_namespace, priority_classes, prometheus_url, recommendations"
NO_URL = (
    ".prometheus_url: is not the URL of a Prometheus, or has a password in it; "
    "write http://prometheus.platform:9090"
)


def test_the_defaults_ask_nothing_of_a_cluster() -> None:
    """But metrics-server: no KEDA, no Prometheus, no classes of ours."""
    refuse_unknown(DEFAULTS)
    assert cluster(DEFAULTS) == Cluster()
    assert size(DEFAULTS) == "standard"


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ({"priority_classes": True}, Cluster(priority_classes=True)),
        ({"recommendations": True}, Cluster(recommendations=True)),
        ({"keda_namespace": "platform"}, Cluster(keda_namespace="platform")),
        ({"prometheus_url": None}, Cluster()),
        ({"prometheus_url": "http://p:9090"}, Cluster(prometheus_url="http://p:9090")),
        ({"prometheus_url": "https://p/a/b"}, Cluster(prometheus_url="https://p/a/b")),
    ],
    ids=str,
)
def test_a_cluster_is_described_by_differences(differences: Any, expected: Cluster) -> None:
    assert cluster({"AUTOSCALE_CLUSTER": differences}) == expected


@pytest.mark.parametrize(
    ("differences", "message"),
    [
        (None, f": None is not a mapping; write any of {KEYS} in it"),
        ({"keda": True}, f".keda: there is no such setting; use one of {KEYS}"),
        (
            {"priority_classes": "yes"},
            ".priority_classes: 'yes' is neither true nor false; write one of them",
        ),
        ({"prometheus_url": "prometheus:9090"}, NO_URL),
        ({"prometheus_url": "http://"}, NO_URL),
        ({"prometheus_url": "http://a b"}, NO_URL),
        ({"prometheus_url": "http://p:99999"}, NO_URL),
        ({"prometheus_url": "http://p:port"}, NO_URL),
        ({"prometheus_url": "http://p:0"}, NO_URL),
        ({"prometheus_url": "http://me:s3cret@p:9090"}, NO_URL),
    ],
    ids=str,
)
def test_a_cluster_that_cannot_be_is_refused(differences: Any, message: str) -> None:
    """A password in the URL is not repeated in the message."""
    with pytest.raises(ConfigError) as caught:
        cluster({"AUTOSCALE_CLUSTER": differences})
    assert str(caught.value) == f"AUTOSCALE_CLUSTER{message}"


@pytest.mark.parametrize("value", ["huge", None, 1, []], ids=str)
def test_a_size_that_there_is_not_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        size({"AUTOSCALE_PROFILE": value})
    assert str(caught.value) == (
        f"AUTOSCALE_PROFILE: {value!r} is unknown; write standard or small"
    )


def test_a_misspelt_setting_is_refused() -> None:
    """Tutor itself takes any; settings of others are none of ours."""
    refuse_unknown({"AWS_REGION": "eu-west-1", "NOTES_AUTOSCALE_X": 1})
    with pytest.raises(ConfigError) as caught:
        refuse_unknown({**DEFAULTS, "AUTOSCALE_SERVICE": {}})
    assert str(caught.value) == (
        "AUTOSCALE_SERVICE: there is no such setting; "
        "use one of AUTOSCALE_SERVICES, AUTOSCALE_PROFILE, AUTOSCALE_CLUSTER"
    )


def test_traffic_is_not_scaled_for_without_a_prometheus() -> None:
    """Nobody else knows it; what does not ask for it needs none."""
    network = workload(WEB._replace(network=Network("5M")), "lms")
    require_sources([], Cluster())
    require_sources([workload()], Cluster())
    require_sources([network], Cluster(prometheus_url="http://p:9090"))
    with pytest.raises(ConfigError) as caught:
        require_sources([workload(), network], Cluster())
    assert str(caught.value) == (
        "AUTOSCALE_SERVICES.lms.network.target: nothing says which Prometheus knows the traffic; "
        "set AUTOSCALE_CLUSTER.prometheus_url; the chart `platform` has a small one "
        "(prometheus.enabled)"
    )
