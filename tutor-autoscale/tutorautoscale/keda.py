"""Workloads with signals that only KEDA can measure → ScaledObjects, and what these need.

Each trigger measures a total, and one formula makes of all of them the number of pods that is
wanted. So the lists of one queue, or the hosts of one workload, add up: HPAs would take the
largest of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tutorplatform import quantity
from tutorplatform.broker import Broker, lists
from tutorplatform.manifests import Manifest

from tutorautoscale.configuration import Cluster
from tutorautoscale.discovery import NAME
from tutorautoscale.effective import Workload
from tutorautoscale.profile import Profile
from tutorautoscale.scalers import BEHAVIOR, OWNER, metadata, target, utilizations

CADDY_METRICS, CADDY_METRICS_PORT = "caddy-metrics", 9180
BROKER_ACCESS = "autoscale-broker"
PASSWORD = "password"
# What is for all workloads: `tutor k8s start` applies it along with everything else.
INSTANCE = "openedx"

# Asked every 15 s by the HPA, and every 30 s by KEDA: this is less than a minute without answers.
FAILURES = 3
RATE_WINDOW = "2m"
# What Kubernetes makes names of: the hash of a ReplicaSet and a suffix.
POD_SUFFIX = "-[0-9a-z]{1,10}-[0-9a-z]{5}"


class Sources(NamedTuple):
    """Where an instance's signals come from. `isolated`: only policies let KEDA ask its pods."""

    namespace: str
    cluster: Cluster
    broker: Broker
    isolated: bool = False


class Signal(NamedTuple):
    """What is measured for one target: triggers whose values add up, per pod at most `most`."""

    name: str
    most: int
    triggers: tuple[Manifest, ...]


def scaled_object(workload: Workload, sources: Sources) -> Manifest:
    """The ScaledObject of the Deployment, which takes its HorizontalPodAutoscaler over.

    https://keda.sh/docs/2.20/reference/scaledobject-spec/
    """
    name, profile = workload.found.name, workload.profile
    found = _named(signals(name, profile, sources))
    # KEDA's webhook would refuse a target that an HPA has already.
    takes_over = {"scaledobject.keda.sh/transfer-hpa-ownership": "true"}
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {**metadata(workload.found), "annotations": takes_over},
        "spec": {
            "scaleTargetRef": target(name),
            "minReplicaCount": profile.min,
            "maxReplicaCount": profile.max,
            "fallback": _fallback(profile),
            "advanced": _advanced(name, found),
            "triggers": [
                *(_utilization(resource, share) for resource, share in utilizations(profile)),
                *(trigger for signal in found for trigger in signal.triggers),
            ],
        },
    }


def _fallback(profile: Profile) -> Manifest:
    # A source that is down is no reason to have fewer pods; cpu and memory still add some.
    return {
        "failureThreshold": FAILURES,
        "replicas": profile.min,
        "behavior": "currentReplicasIfHigher",
    }


def _advanced(name: str, found: Iterable[Signal]) -> Manifest:
    return {
        "horizontalPodAutoscalerConfig": {"name": name, "behavior": BEHAVIOR},
        "scalingModifiers": {
            "formula": formula(found),
            "target": "1",
            "metricType": "AverageValue",
        },
    }


def shared(workloads: Iterable[Workload], sources: Sources) -> list[Manifest]:
    """What the ScaledObjects of an instance need beside them; nothing, if there are none."""
    profiles = [each.profile for each in workloads]
    made: list[Manifest] = []
    if any(profile.requests.target is not None for profile in profiles):
        made.append(_caddy_service())
        if sources.isolated:
            made.append(_from_keda("caddy", CADDY_METRICS_PORT, sources))
    if any(profile.queue.target is not None for profile in profiles):
        if sources.broker.password:
            made += [_password(sources.broker), _access()]
        if sources.isolated and sources.broker.host == f"redis.{sources.namespace}":
            made.append(_from_keda("redis", sources.broker.port, sources))
    return made


def signals(name: str, profile: Profile, sources: Sources) -> list[Signal]:
    """What is measured for the Deployment of this name, cpu and memory aside."""
    network, requests, queue = profile.network, profile.requests, profile.queue
    found: list[Signal] = []
    if network.target is not None:
        most = quantity.traffic_bytes(network.target, name)
        found.append(Signal("network", most, (_traffic(name, sources),)))
    if requests.target is not None:
        found.append(
            Signal(
                "requests",
                requests.target,
                tuple(_in_flight(host, sources) for host in requests.hosts),
            )
        )
    if queue.target is not None:
        names = (each for queue_name in queue.names for each in lists(sources.broker, queue_name))
        found.append(
            Signal("queue", queue.target, tuple(_waiting(each, sources.broker) for each in names))
        )
    return found


def formula(found: Iterable[Signal]) -> str:
    """How many pods the signals ask for: the most that one of them does.

    https://keda.sh/docs/2.20/reference/scaledobject-spec/#scalingmodifiers
    """
    each = [
        f"({' + '.join(trigger['name'] for trigger in signal.triggers)}) / {signal.most}"
        for signal in found
    ]
    return each[0] if len(each) == 1 else f"max({', '.join(each)})"


def _named(found: Iterable[Signal]) -> list[Signal]:
    return [signal._replace(triggers=tuple(_with_names(signal))) for signal in found]


def _with_names(signal: Signal) -> Iterator[Manifest]:
    for number, trigger in enumerate(signal.triggers):
        yield {**trigger, "name": f"{signal.name}_{number}"}


def _utilization(resource: str, share: int) -> Manifest:
    # Of the pod: beside a formula KEDA drops those of a container without a word.
    # https://github.com/kedacore/keda/blob/v2.20.2/controllers/keda/hpa.go
    return {"type": resource, "metricType": "Utilization", "metadata": {"value": str(share)}}


def _external(kind: str, values: Mapping[str, str]) -> Manifest:
    return {"type": kind, "metricType": "AverageValue", "metadata": dict(values)}


def _traffic(name: str, sources: Sources) -> Manifest:
    pods = f'{{namespace="{sources.namespace}",pod=~"{name}{POD_SUFFIX}"}}'
    query = " + ".join(
        f"sum(rate(container_network_{way}_bytes_total{pods}[{RATE_WINDOW}]))"
        for way in ("receive", "transmit")
    )
    return _external(
        "prometheus",
        {
            "serverAddress": str(sources.cluster.prometheus_url),
            "query": query,
            # The formula divides; every trigger must have a threshold all the same.
            "threshold": "1",
            # A Prometheus that knows no such pod is one that does not see them.
            "ignoreNullValues": "false",
        },
    )


def _in_flight(host: str, sources: Sources) -> Manifest:
    # Without `.svc`, KEDA would take the port for a part of the namespace's name.
    service = f"{CADDY_METRICS}.{sources.namespace}.svc"
    return _external(
        "metrics-api",
        {
            "url": f"http://{service}:{CADDY_METRICS_PORT}/metrics",
            "format": "prometheus",
            "valueLocation": f'caddy_http_requests_in_flight{{handler="subroute",host="{host}"}}',
            "aggregateFromKubeServiceEndpoints": "true",
            "aggregationType": "sum",
            "targetValue": "1",
        },
    )


def _waiting(name: str, broker: Broker) -> Manifest:
    trigger = _external(
        "redis",
        {
            "address": f"{broker.host}:{broker.port}",
            "databaseIndex": str(broker.database),
            "listName": name,
            "listLength": "1",
            "enableTLS": str(broker.tls).lower(),
            **({"username": broker.username} if broker.username else {}),
        },
    )
    if not broker.password:
        return trigger
    return {**trigger, "authenticationRef": {"name": BROKER_ACCESS}}


def _password(broker: Broker) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata(BROKER_ACCESS),
        "type": "Opaque",
        "stringData": {PASSWORD: broker.password},
    }


def _access() -> Manifest:
    reference = {"parameter": "password", "name": BROKER_ACCESS, "key": PASSWORD}
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "TriggerAuthentication",
        "metadata": _metadata(BROKER_ACCESS),
        "spec": {"secretTargetRef": [reference]},
    }


def _caddy_service() -> Manifest:
    """Whose endpoints KEDA asks one by one, so it needs no address of its own."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(CADDY_METRICS),
        "spec": {
            "clusterIP": "None",
            "ports": [{"name": "metrics", "port": CADDY_METRICS_PORT}],
            "selector": {"app.kubernetes.io/name": "caddy"},
        },
    }


def _from_keda(name: str, port: int, sources: Sources) -> Manifest:
    namespace = {"kubernetes.io/metadata.name": sources.cluster.keda_namespace}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(f"{name}-from-keda"),
        "spec": {
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": name}},
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": [{"namespaceSelector": {"matchLabels": namespace}}],
                    "ports": [{"protocol": "TCP", "port": port}],
                }
            ],
        },
    }


def _metadata(name: str) -> dict[str, Any]:
    return {"name": name, "labels": {NAME: INSTANCE, **OWNER}}
