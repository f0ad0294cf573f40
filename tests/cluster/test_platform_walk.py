"""The way of a request over live objects of the chart and of two instances, one of them behind
CloudFront: edge Ingress → Traefik → Ingress of a host → Service → Caddy → stand-ins."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from localcluster.certificates import Authority
from localcluster.cluster import LocalCluster
from localservices.aws import AwsEmulator
from tutorplatform import manifests
from tutorplatform.manifests import Manifest

from demo import instances
from demo.tutor import TutorRoot
from demo.view import View
from tests.cluster import walk, ways
from tests.cluster.walk import Backend, Request, Route
from tests.cluster.walked import Platform, installed
from tests.cluster.ways import LOAD_BALANCER, TRAEFIK, Answer, Ways
from tests.conftest import NewRoot
from tests.render.traffic import allows

pytestmark = pytest.mark.cluster

PLUGINS = (*instances.PLUGINS, "credentials", "discovery", "notes", "xqueue")
CLIENT, FORGED, CLOUDFRONT, POD = "198.41.0.4", "8.8.8.8", "130.176.0.9", "10.0.64.9"
SECRET = "made-up-for-cloudfront-0123456789"
ORIGIN = "origin.beta.example.org"
ARN = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d-0000-4000-8000-000000000003"
BEHIND_CLOUDFRONT: dict[str, Any] = {
    "AWS_CDN": {"mode": "cloudfront", "assets_bucket": "beta-assets", "origin_host": ORIGIN},
    "AWS_INGRESS": {
        "certificates": {ARN: ["*.beta.example.org", "*.learn.beta.example.org"]},
    },
    "SECRETS_KEYS": ["AWS_CDN_SECRET"],
}


@pytest.fixture(scope="module")
def roots(
    new_root: NewRoot,
    cluster: LocalCluster,
    aws: AwsEmulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, TutorRoot]:
    """Both instances, configured."""
    authority = tmp_path_factory.mktemp("authority") / "databases.pem"
    authority.write_bytes(Authority.new("databases").pem)
    environment = {**cluster.environment, **aws.environment}
    roots = {}
    for number, (name, more) in enumerate({"acme": {}, "beta": BEHIND_CLOUDFRONT}.items()):
        settings = {**instances.settings(number, authority), **more}
        roots[name] = new_root(*PLUGINS, environment=environment, **settings)
        roots[name].run("config", "save")
    roots["beta"].run("secrets", "set", "AWS_CDN_SECRET", given=SECRET)
    return roots


@pytest.fixture(scope="module")
def hosts(roots: dict[str, TutorRoot]) -> dict[str, set[str]]:
    """Instance → its public hosts, as the platform's operators are told."""
    return {
        name: {
            rule["host"]
            for each in manifests.of_kind(root.rendered(), "Ingress")
            for rule in each["spec"]["rules"]
        }
        for name, root in roots.items()
    }


@pytest.fixture(scope="module")
def platform(
    hosts: dict[str, set[str]], cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """The chart, with the hosts of both."""
    mine = {"instances": entries(hosts)}
    with installed(cluster, tmp_path_factory.mktemp("chart"), mine) as found:
        yield found


def entries(hosts: dict[str, set[str]]) -> dict[str, Any]:
    """The chart's `instances`."""
    certificates = {"beta": [ARN]}
    return {
        name: {"hosts": sorted(found), "certificates": certificates.get(name, [])}
        for name, found in hosts.items()
    }


@pytest.fixture(scope="module")
def started(
    roots: dict[str, TutorRoot], platform: Platform, cluster: LocalCluster
) -> Iterator[dict[str, TutorRoot]]:
    """The same, deployed as the chart lets them."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(start, roots.values()))
    wait = ("wait", "--for=condition=Available", "deployment", "--all", "--timeout=180s")
    for name in roots:
        cluster.kubectl(*wait, f"--namespace={name}")
    yield roots
    cluster.kubectl("delete", "namespace", *roots)


def start(root: TutorRoot) -> None:
    root.run("secrets", "init")
    done = root.run("k8s", "start", check=False)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.fixture(scope="module")
def open_ways(
    started: dict[str, TutorRoot], platform: Platform, cluster: LocalCluster
) -> Iterator[Ways]:
    trusted = platform.values()["traefik"]["ports"]["web"]["forwardedHeaders"]["trustedIPs"]
    with ways.opened(cluster, list(started), trusted) as found:
        yield found


@pytest.fixture(scope="module")
def slices(started: dict[str, TutorRoot], cluster: LocalCluster) -> list[Manifest]:
    return View(cluster).get("endpointslices", "--all-namespaces")


def test_the_load_balancer_asks_traefik(platform: Platform, cluster: LocalCluster) -> None:
    """By the only default backend of the whole cluster, of a class that is the controller's."""
    view = View(cluster)
    edges = [
        each
        for each in view.get("ingresses", "--all-namespaces")
        if "defaultBackend" in each["spec"]
    ]
    [edge] = edges
    [of_class] = view.get("ingressclass", edge["spec"]["ingressClassName"])
    assert of_class["spec"]["controller"] == "ingress.k8s.aws/alb"
    traefik = platform.values()["traefik"]
    namespace, service, port = walk.backend(edge, edge["spec"]["defaultBackend"])
    assert (namespace, service) == ("platform", traefik["fullnameOverride"])
    assert port in ("web", traefik["ports"]["web"]["exposedPort"])
    # Made by Traefik's own chart, whose templates contract data lacks.
    if platform.source.is_real:
        [found] = view.get("service", service, f"--namespace={namespace}")
        assert "web" in {each["name"] for each in found["spec"]["ports"]}


def test_each_public_host_has_one_way_in(
    hosts: dict[str, set[str]], open_ways: Ways, cluster: LocalCluster
) -> None:
    """All that Caddy serves; one rule in all namespaces, and it leads to the own Caddy."""
    found = [
        each
        for each in walk.routes(open_ways.ingresses, "traefik")
        if each.backend.namespace in hosts or each.host in {"", *hosts["acme"], *hosts["beta"]}
    ]
    assert sorted(found) == sorted(
        Route(host, "/", Backend(name, "caddy", "http")) for name in hosts for host in hosts[name]
    )
    for name in hosts:
        assert hosts[name] == ways.sites(ways.caddyfile(cluster, name))


def test_certificates_bring_no_way_of_their_own(open_ways: Ways) -> None:
    """The anchor of the instance with a certificate is no default, and routes nothing."""
    of_load_balancer = [
        each for each in open_ways.ingresses if each["spec"]["ingressClassName"] == "alb"
    ]
    assert "certificates" in {manifests.name(each) for each in of_load_balancer}
    assert list(walk.routes(of_load_balancer, "alb")) == []


def test_services_lead_to_pods(
    hosts: dict[str, set[str]], slices: list[Manifest], cluster: LocalCluster
) -> None:
    """To those of the same namespace: Caddy's, and whoever Caddy asks."""
    for name in hosts:
        pods = {
            manifests.name(pod): pod["metadata"]["labels"]["app.kubernetes.io/name"]
            for pod in cluster.ready_pods(name)
        }
        for address in {"caddy:80", *ways.dialled(ways.caddyfile(cluster, name))}:
            service, _, port = address.partition(":")
            found = walk.endpoints(slices, Backend(name, service, int(port)))
            assert {pods[pod] for pod in found} == {service}


def test_network_policies_let_requests_through(
    started: dict[str, TutorRoot], platform: Platform, cluster: LocalCluster
) -> None:
    """Load balancer → Traefik → Caddy, and nobody else to Traefik."""
    view = View(cluster)
    of_platform = view.get("networkpolicies", "--namespace=platform")
    of_acme = view.get("networkpolicies", "--namespace=acme")
    traefik = {
        "app.kubernetes.io/name": "traefik",
        "app.kubernetes.io/instance": "platform-platform",
    }
    caddy = cluster.ready_pods("acme", {"app.kubernetes.io/name": "caddy"})[0]["metadata"]["labels"]
    for port in (8000, 8080):
        assert allows(of_platform, "ingress", traefik, LOAD_BALANCER, port)
        assert not allows(of_platform, "ingress", traefik, POD, port)
    assert allows(of_platform, "egress", traefik, ("acme", caddy), 80)
    assert allows(of_acme, "ingress", caddy, ("platform", traefik), 80)
    assert not allows(of_acme, "ingress", caddy, ("beta", caddy), 80)


def browser(host: str, body: bytes = b"", **headers: str) -> Request:
    """As it arrives at the load balancer; of beta through CloudFront, with its secret."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    path = "/static/a.css" if host == ORIGIN else "/x"
    request = Request(host, CLIENT, path, sent, body)
    if "beta" in host:
        return request.sent_on(CLOUDFRONT, x_origin_secret=SECRET)
    return request


def service_of(host: str) -> str:
    """Plugins name their hosts after their services."""
    label = host.partition(".")[0]
    return {"learn": "lms", "studio": "cms", "apps": "mfe", "origin": "lms"}.get(label, label)


def test_every_public_host_reaches_its_own_instance(
    hosts: dict[str, set[str]], open_ways: Ways
) -> None:
    assert len(hosts["acme"]) >= 7
    for name, found in hosts.items():
        for host in found:
            answer = open_ways.ask(browser(host))
            got = (answer.status, answer.namespace, answer.service)
            assert got == (200, name, service_of(host)), host


def test_other_hosts_reach_nobody(hosts: dict[str, set[str]], open_ways: Ways) -> None:
    """Neither by Traefik, nor at the Caddy of another instance."""
    for host in ("unknown.example.org", "acme.example.org", LOAD_BALANCER, "caddy.acme"):
        assert open_ways.ask(browser(host)) == Answer(404)
    for name, other in (("acme", "beta"), ("beta", "acme")):
        for host in hosts[other]:
            assert open_ways.ask_caddy(name, browser(host)).service == ""


def test_past_cloudfront_nobody_gets_in(open_ways: Ways) -> None:
    for host in ("learn", "studio", "apps.learn"):
        request = Request(f"{host}.beta.example.org", CLIENT, "/x")
        assert open_ways.ask(request) == Answer(403)


def test_bodies_have_the_limits_of_the_reference(
    hosts: dict[str, set[str]], open_ways: Ways
) -> None:
    limits = ways.body_limits()
    assert set(limits) == {"lms", "cms", "mfe", "credentials", "discovery"}
    for host in hosts["acme"]:
        limit = limits.get(service_of(host))
        if limit:
            assert open_ways.ask(browser(host, body=bytes(limit))).status == 200, host
            assert open_ways.ask(browser(host, body=bytes(limit + 1))).status == 413, host


MADE_UP = ["", FORGED, f"{FORGED}, {FORGED}, {FORGED}, {FORGED}"]


@pytest.mark.parametrize("made_up", MADE_UP, ids=["nothing", "one", "many"])
@pytest.mark.parametrize("name", ["acme", "beta"])
def test_clients_cannot_choose_their_address(
    name: str, made_up: str, started: dict[str, TutorRoot], open_ways: Ways
) -> None:
    """Each hop adds whom it was asked by, on the right; what a client made up stands left."""
    host = f"learn.{name}.example.org"
    answer = open_ways.ask(browser(host, x_forwarded_for=made_up))
    own = [CLIENT, *([CLOUDFRONT] if name == "beta" else []), LOAD_BALANCER, TRAEFIK]
    assert answer.chain[-len(own) :] == own
    assert ways.seen(started[name], answer) == CLIENT


def test_a_pod_that_asks_traefik_is_itself(started: dict[str, TutorRoot], open_ways: Ways) -> None:
    """The trusted ranges are the load balancer's subnets, not the whole VPC."""
    made_up = {"x-forwarded-for": ", ".join([FORGED] * 4), "x-forwarded-proto": "https"}
    answer = open_ways.ask_traefik(Request("learn.acme.example.org", POD, headers=made_up))
    assert answer.chain == [POD, TRAEFIK]
    assert answer.headers["x-forwarded-proto"] == "http"
    assert FORGED not in ways.seen(started["acme"], answer)


def test_django_learns_of_https_and_of_its_own_host(open_ways: Ways) -> None:
    """Whatever the client says of them."""
    for host in ("learn.acme.example.org", "studio.beta.example.org"):
        made_up = browser(
            host, x_forwarded_proto="http", x_forwarded_port="80", x_forwarded_host="evil.test"
        )
        for request in (browser(host), made_up):
            found = open_ways.ask(request).headers
            assert found["host"] == found["x-forwarded-host"] == host
            assert (found["x-forwarded-proto"], found["x-forwarded-port"]) == ("https", "443")
