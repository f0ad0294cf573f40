"""The workloads of Tutor that scale, and what each of them runs with by default.

Sizes: six of these in two replicas, and a surge of one each, for two instances fit six nodes of
4 CPUs and 16 GiB, and four of them after the loss of a zone. Memory is what fills a node.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tutorplatform.manifests import Manifest

from tutorautoscale.profile import Celery, Cpu, Memory, Profile


def _port(number: int) -> Manifest:
    return {"tcpSocket": {"port": number}}


def _django(host: str) -> Mapping[str, Manifest]:
    """Probes of the LMS or Studio.

    Only the first start waits for the databases: `/heartbeat` fails without them, and were it
    asked later too, one slow database would take all pods out at once. Django refuses hosts that
    it does not know, such as a pod's address; the name of the Service is one it knows.
    """
    heartbeat = {"path": "/heartbeat", "port": 8000}
    return {
        "startupProbe": {
            "httpGet": {**heartbeat, "httpHeaders": [{"name": "Host", "value": host}]}
        },
        "readinessProbe": _port(8000),
        "livenessProbe": _port(8000),
    }


def _caddy(port: int) -> Mapping[str, Manifest]:
    """Probes of a Caddy, which listens as soon as it has read its configuration."""
    return {kind: _port(port) for kind in ("startupProbe", "readinessProbe", "livenessProbe")}


# True when process 1, the Celery worker, has a child. It forks its pool when it has imported the
# platform and needs one to do any work. `celery inspect ping` would start a second platform every
# few seconds, and needs a remote control that a shared Redis does not allow.
_POOL_IS_UP = ["sh", "-c", "grep -qs '^PPid:.1$' /proc/[0-9]*/status"]

# No readiness: nothing is sent to a worker. The startup probe is what a rolling update waits for,
# and what keeps the CPU of starting up out of the HPA's view.
_WORKER = {kind: {"exec": {"command": _POOL_IS_UP}} for kind in ("startupProbe", "livenessProbe")}

# No CPU limits: requests already share a busy node fairly, and a throttled pod starts slowly.
# Memory: a process of the platform grows to a plateau whatever its load, so that more pods do not
# lower the average. The request lies above that plateau: then 80 % means that something is wrong
# with the pods there are, and an idle instance does not end up at its maximum.
PROFILES: Mapping[str, Profile] = {
    "caddy": Profile(
        min=2,
        max=6,
        cpu=Cpu("100m", None, 70),
        memory=Memory("128Mi", "512Mi", 80),
        probes=_caddy(80),
        start_s=60,
        drain_s=15,
        grace_s=60,
    ),
    "cms": Profile(
        min=2,
        max=4,
        cpu=Cpu("250m", None, 70),
        memory=Memory("2Gi", "3Gi", 80),
        probes=_django("cms"),
        start_s=600,
        drain_s=15,
        grace_s=60,
    ),
    "cms-worker": Profile(
        min=2,
        max=4,
        cpu=Cpu("250m", None, 70),
        memory=Memory("1536Mi", "3Gi", 80),
        probes=_WORKER,
        celery=Celery(concurrency=2),
        start_s=600,
        drain_s=0,
        grace_s=900,
    ),
    "lms": Profile(
        min=2,
        max=10,
        cpu=Cpu("500m", None, 70),
        memory=Memory("2Gi", "3Gi", 80),
        probes=_django("lms"),
        start_s=600,
        drain_s=15,
        grace_s=60,
    ),
    "lms-worker": Profile(
        min=2,
        max=6,
        cpu=Cpu("500m", None, 70),
        memory=Memory("1536Mi", "3Gi", 80),
        probes=_WORKER,
        celery=Celery(concurrency=2),
        start_s=600,
        drain_s=0,
        grace_s=900,
    ),
    "mfe": Profile(
        min=2,
        max=4,
        cpu=Cpu("50m", None, 70),
        memory=Memory("128Mi", "256Mi", 80),
        probes=_caddy(8002),
        start_s=60,
        drain_s=15,
        grace_s=60,
    ),
}


def absent(config: Mapping[str, Any], plugins: Collection[str]) -> dict[str, str]:
    """Why a workload of PROFILES does not scale on an instance with these plugins, by workload."""
    reasons = {}
    if "mfe" not in plugins:
        reasons["mfe"] = "plugin mfe is not enabled"
    # Its certificates are on a volume that one node can mount, so Tutor binds all its pods to
    # one node: a second replica there would survive nothing.
    if config["ENABLE_WEB_PROXY"]:
        reasons["caddy"] = "ENABLE_WEB_PROXY is true, which ties Caddy to a volume on one node"
    return reasons


def present(config: Mapping[str, Any], plugins: Collection[str]) -> dict[str, Profile]:
    """The profiles of the workloads that scale on an instance with these plugins."""
    left_out = absent(config, plugins)
    return {name: profile for name, profile in PROFILES.items() if name not in left_out}
