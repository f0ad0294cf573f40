"""By what somebody with all rights in namespace `mine` may try to get at what others share."""

from __future__ import annotations

from typing import Any

NAMESPACE = "mine"
HOST, SECOND = "learn.mine.example.org", "studio.mine.example.org"
OTHERS = "learn.theirs.example.org"
OWN_ARN, OTHERS_ARN = (
    f"arn:aws:acm:eu-west-1:123456789012:certificate/{letter * 8}" for letter in "ab"
)
CADDY = {"service": {"name": "caddy", "port": {"name": "http"}}}
ALB = "alb.ingress.kubernetes.io"

Manifest = dict[str, Any]


def rule(host: str | None = HOST, backend: Manifest | None = None) -> Manifest:
    """One that leads everything to Caddy, or to another backend."""
    path = {"path": "/", "pathType": "Prefix", "backend": backend or CADDY}
    return {**({"host": host} if host else {}), "http": {"paths": [path]}}


def route(*rules: Manifest, annotations: dict[str, str] | None = None, **spec: Any) -> Manifest:
    """An Ingress as instances have them, with other rules, or more in its spec."""
    return ingress("route", annotations, {"ingressClassName": "traefik", **spec}, rules or [rule()])


def anchor(*hosts: str, annotations: dict[str, str] | None = None, **spec: Any) -> Manifest:
    """An Ingress that brings a certificate, with more annotations and more in its spec."""
    own = {f"{ALB}/certificate-arn": OWN_ARN, **(annotations or {})}
    rules = [{"host": host} for host in hosts or (HOST,)]
    return ingress("certificates", own, {"ingressClassName": "alb", **spec}, rules)


def ingress(name: str, annotations: Any, spec: Any, rules: Any) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": NAMESPACE, "annotations": annotations or {}},
        "spec": {"rules": list(rules), **spec},
    }


def with_metadata(manifest: Manifest, **metadata: Any) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], **metadata}}


def without_class(manifest: Manifest) -> Manifest:
    spec = {key: value for key, value in manifest["spec"].items() if key != "ingressClassName"}
    return {**manifest, "spec": spec}


def service(annotations: dict[str, str] | None = None, **spec: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "door", "namespace": NAMESPACE, "annotations": annotations or {}},
        "spec": {"selector": {"app": "door"}, "ports": [{"port": 80}], **spec},
    }


def pod(namespace: str = NAMESPACE, port: Manifest | None = None, **spec: Any) -> Manifest:
    container = {"name": "web", "image": "docker.io/nginx:1", "ports": [port] if port else []}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "door", "namespace": namespace, "labels": {"app": "door"}},
        "spec": {"containers": [container], **spec},
    }


def foreign(group_version: str, kind: str) -> Manifest:
    """An object of somebody's kind, see `crd`."""
    return {
        "apiVersion": group_version,
        "kind": kind,
        "metadata": {"name": "door", "namespace": NAMESPACE},
        "spec": {},
    }


# Kinds that controllers of this chart, or others that a cluster may have, act upon.
KINDS = {
    "TargetGroupBinding": "elbv2.k8s.aws/v1beta1",
    "GlobalAccelerator": "aga.k8s.aws/v1beta1",
    "LoadBalancerConfiguration": "gateway.k8s.aws/v1beta1",
    "Gateway": "gateway.networking.k8s.io/v1",
    "IngressRoute": "traefik.io/v1alpha1",
    "DNSEndpoint": "externaldns.k8s.io/v1alpha1",
    "SecurityGroupPolicy": "vpcresources.k8s.aws/v1beta1",
}


def crd(kind: str, group_version: str) -> Manifest:
    """A definition that takes anything: whether it is refused must not hang on the real one."""
    group, version = group_version.split("/")
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def endpoints() -> Manifest:
    """The old way to say where a Service leads: to another instance's pod."""
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "door", "namespace": NAMESPACE},
        "subsets": [{"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 80}]}],
    }


def endpoint_slice() -> Manifest:
    """The new one."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "door",
            "namespace": NAMESPACE,
            "labels": {"kubernetes.io/service-name": "door"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.1.2.3"]}],
        "ports": [{"port": 80}],
    }


# What is tried → the object, and what is said of it.
REFUSED: dict[str, tuple[Manifest, str]] = {
    # Run with the real controller against an emulator: each of these hurts everybody.
    "waf off": (anchor(annotations={f"{ALB}/wafv2-acl-name": "none"}), f"{ALB}/wafv2-acl-name"),
    "waf of another": (anchor(annotations={f"{ALB}/wafv2-acl-arn": "arn"}), "wafv2-acl-arn would"),
    "new listener": (
        anchor(annotations={f"{ALB}/listen-ports": '[{"HTTP": 8443}]'}),
        f"{ALB}/listen-ports would tell a controller that all instances share what to do",
    ),
    "second default backend": (anchor(defaultBackend=CADDY), "spec.defaultBackend: would get"),
    # Around those.
    "way around Traefik": (anchor(rules=[rule()]), "may name hosts for its certificates and lead"),
    "class by annotation": (
        without_class(route(annotations={"kubernetes.io/ingress.class": "alb"})),
        "is missing; use traefik",
    ),
    "class of somebody else": (route(ingressClassName="nginx"), "nginx is not for instances; use"),
    "no class": (without_class(route()), "spec.ingressClassName: is missing; use traefik"),
    "another group": (route(annotations={f"{ALB}/group.name": "x"}), f"{ALB}/group.name would"),
    "entry points": (
        route(annotations={"traefik.ingress.kubernetes.io/router.entrypoints": "traefik"}),
        "router.entrypoints would",
    ),
    "name of others by external-dns": (
        route(annotations={"external-dns.alpha.kubernetes.io/hostname": OTHERS}),
        "external-dns.alpha.kubernetes.io/hostname would",
    ),
    "stalls the group": (
        with_metadata(route(), finalizers=["group.ingress.k8s.aws/openedx-main"]),
        "metadata.finalizers: those of load balancers are written by controllers",
    ),
    "host of others": (route(rule(OTHERS)), f"{OTHERS} is not a host of namespace mine"),
    "host of others, second rule": (route(rule(), rule(OTHERS)), f"spec.rules: {OTHERS} is not"),
    "host of others, generated name": (
        with_metadata(route(rule(OTHERS)), name=None, generateName="route-"),
        f"{OTHERS} is not a host of namespace mine",
    ),
    "host of nobody": (
        route(rule("example.org")),
        "add it to the ConfigMap hosts in namespace pla",
    ),
    "host of others, in capitals": (route(rule(OTHERS.upper())), "lowercase RFC 1123 subdomain"),
    "host of others, with a dot": (route(rule(f"{OTHERS}.")), "lowercase RFC 1123 subdomain"),
    "host that looks like another": (route(rule("xn--lern-3ya.mine.example.org")), "is not a host"),
    "no host": (route(rule(None)), "a rule without host would get the requests of everybody"),
    "wildcard": (route(rule("*.mine.example.org")), "would get the requests of hosts that are oth"),
    "everything else": (route(defaultBackend=CADDY), "would get the requests of hosts that nobody"),
    "certificate of a Secret": (route(tls=[{"hosts": [OTHERS]}]), "spec.tls: TLS ends at the load"),
    "backend that is no Service": (
        route(rule(backend={"resource": {"apiGroup": "x.org", "kind": "Bucket", "name": "b"}})),
        "a backend of kind resource",
    ),
    "anchor for others": (anchor(HOST, OTHERS), f"{OTHERS} is not a host of namespace mine"),
    "certificate of others": (
        anchor(annotations={f"{ALB}/certificate-arn": f"{OWN_ARN}, {OTHERS_ARN}"}),
        f"{OTHERS_ARN} is not a certificate of namespace mine",
    ),
    "certificate to be found": (
        anchor(annotations={f"{ALB}/certificate-arn": ""}),
        "an ARN is missing; name one that is",
    ),
    "load balancer": (service(type="LoadBalancer"), "LoadBalancer opens a door past the WAF; use"),
    "port of nodes": (service(type="NodePort"), "spec.type: NodePort opens a door past the WAF"),
    "external name": (
        service(type="ExternalName", externalName="caddy.theirs.svc.cluster.local"),
        "ExternalName leads out of the namespace",
    ),
    "address of others": (service(externalIPs=["10.1.2.3"]), "spec.externalIPs: takes traffic"),
    "load balancer by annotation": (
        service({"service.beta.kubernetes.io/aws-load-balancer-type": "external"}),
        "service.beta.kubernetes.io/aws-load-balancer-type would",
    ),
    **{
        kind: (foreign(version, kind), f"kind {kind} of {version.split('/')[0]}: leads around")
        for kind, version in KINDS.items()
    },
    "network of the node": (pod("default", hostNetwork=True), "spec.hostNetwork: opens a door"),
    "port of the node": (
        pod("default", {"containerPort": 80, "hostPort": 80}),
        "spec.containers, web: hostPort opens a door past the WAF",
    ),
    "before the cluster's own": (
        pod(priorityClassName="system-node-critical"),
        "system-node-critical is for the cluster itself; use openedx-serving",
    ),
    "pods of others by Endpoints": (endpoints(), "where a Service leads is written by controllers"),
    "pods of others by EndpointSlice": (
        endpoint_slice(),
        "where a Service leads is written by con",
    ),
}
