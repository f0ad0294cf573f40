"""Edge: the platform chart on the demo's cluster, and what its policies refuse."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from localcluster import binaries
from localcluster.model import Manifest

from demo.report import Checks
from demo.view import View
from platformchart import local, upstream
from platformchart.release import Release
from platformchart.upstream import CHART

# What a cluster on AWS says of itself, made up.
VALUES = CHART / "ci" / "minimal-values.yaml"


def install(
    view: View, hosts: Mapping[str, Sequence[str]], folder: Path, say: Callable[[str], None]
) -> bool:
    """Install the chart for instances with these hosts; whether it could be.

    It cannot where nothing is known of the charts that it depends on.
    """
    helm = binaries.ensure(["helm"], say)["helm"]
    chart, source = upstream.prepare(folder, helm, say)
    if not source.knows_values:
        say("the demo goes on without charts/platform: no policies, no priorities, no room")
        return False
    view.cluster.apply(dict(local.NAMESPACE))
    release = Release(helm, chart, view.cluster.environment)
    release.upgrade(values(hosts))
    objects = [*release.manifest()]
    size = release.secret_bytes()
    say(f"charts/platform: installed, {len(objects)} objects, a release Secret of {size} bytes")
    return True


def values(hosts: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The chart's values for instances with these hosts, by their namespaces."""
    instances = {name: {"hosts": sorted(listed)} for name, listed in hosts.items()}
    return local.adapted({**yaml.safe_load(VALUES.read_text()), "instances": instances})


def hosts(objects: Sequence[Manifest]) -> list[str]:
    """The public hosts of a rendered instance: those of its Ingress objects."""
    rules = [rule for o in objects if o["kind"] == "Ingress" for rule in o["spec"]["rules"]]
    return sorted({rule["host"] for rule in rules})


def check(view: View, hosts: Mapping[str, Sequence[str]], checks: Checks) -> None:
    """Claim that no instance gets the requests of another: the API server refuses to make it so."""
    for name in hosts:
        [other] = [listed for namespace, listed in hosts.items() if namespace != name]
        said = refusal(view, name, other[0])
        reason = said.partition("denied request: ")[2]
        checks.check(f"{name} cannot take a host of another instance", other[0] in said, reason)


def refusal(view: View, namespace: str, host: str) -> str:
    """What the API server says to an Ingress for a host in a namespace; empty if it takes it."""
    backend = {"service": {"name": "caddy", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "taken", "namespace": namespace},
        "spec": {
            "ingressClassName": "traefik",
            "rules": [{"host": host, "http": {"paths": [path]}}],
        },
    }
    done = subprocess.run(
        ["kubectl", "create", "--dry-run=server", "--filename=-"],
        env=view.cluster.environment,
        input=json.dumps(ingress),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip() if done.returncode else ""
