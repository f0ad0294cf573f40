"""The chart's values in the demo."""

from __future__ import annotations

from typing import Any

from demo import platform


def ingress(*hosts: str) -> dict[str, Any]:
    return {"kind": "Ingress", "spec": {"rules": [{"host": host} for host in hosts]}}


def test_hosts_are_those_of_the_ingress_objects() -> None:
    """Each once, though an anchor names it, too."""
    objects = [ingress("b.test"), ingress("a.test", "b.test"), {"kind": "Service"}]
    assert platform.hosts(objects) == ["a.test", "b.test"]
    assert platform.hosts([]) == []


def test_every_instance_is_in_the_values() -> None:
    values = platform.values({"acme": ["b.test", "a.test"], "beta": []})
    assert values["instances"] == {"acme": {"hosts": ["a.test", "b.test"]}, "beta": {"hosts": []}}
    assert values["edge"]["waf"]["name"]


def test_the_local_cluster_keeps_what_it_has() -> None:
    """Its own metrics-server and storage class, which belong to no release."""
    values = platform.values({})
    assert values["components"]["metricsServer"] is False
    assert values["storageClass"]["enabled"] is False
