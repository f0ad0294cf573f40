"""What becomes of a request on its way to Django: real Caddys, edx-platform's own reading of it.

A second Caddy stands in for Traefik: both keep what an address that they trust says of a client,
and add that address. Each hop has an address of its own, 127.0.0.…
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from localcluster import binaries
from localcluster.model import LOOPBACK
from localservices.caddy import CaddyServer
from localservices.serving import serving
from tutor import config as tutor_config

from demo.tutor import TutorRoot
from tests.render.edx_platform import platform_settings

pytestmark = pytest.mark.services

NewRoot = Callable[..., TutorRoot]

CLIENT, FORGED, CLOUDFRONT_EDGE = "198.41.0.4", "8.8.8.8", "130.176.0.9"
LOAD_BALANCER, POD = "127.0.0.2", "127.0.0.3"
SECRET = "made-up-for-cloudfront-0123456789"
OLD_SECRET = "that-it-still-sends-here-and-there"

# What charts/platform tells Traefik: only the load balancer knows who a client is.
INGRESS_CONTROLLER = f"""
{{
    servers {{
        trusted_proxies static {LOAD_BALANCER}/32
    }}
}}
:80 {{
    reverse_proxy caddy:80
}}
"""


@dataclass(frozen=True)
class Answer:
    """A status, and what the upstream got."""

    status: int
    path: str = ""
    headers: dict[str, str] | None = None

    @property
    def chain(self) -> list[str]:
        return (self.headers or {})["X-Forwarded-For"].split(", ")


class Echo(BaseHTTPRequestHandler):
    """An upstream that says what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps({"path": self.path, "headers": dict(self.headers)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        # Caddy hangs up on a request whose body was too large.
        with suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with serving(Echo) as port:
        yield f"{LOOPBACK}:{port}"


@dataclass(frozen=True)
class Instance:
    """An instance's Caddy, and the ingress controller before it."""

    root: TutorRoot
    caddy: CaddyServer
    controller: CaddyServer

    def seen(self, answer: Answer) -> str:
        """The address that the LMS takes for the client's."""
        position = platform_settings(self.root, "lms")["CLOSEST_CLIENT_IP_FROM_HEADERS"]
        program = [sys.executable, "-m", "tests.localservices.visitor"]
        result = subprocess.run(
            [*program, json.dumps(position), ", ".join(answer.chain), LOOPBACK],
            capture_output=True,
            text=True,
            check=True,
        )
        return result.stdout.strip()


@pytest.fixture(scope="module")
def plain(new_root: NewRoot, upstream: str) -> Iterator[Instance]:
    yield from instance(new_root("aws", "mfe"), upstream)


@pytest.fixture(scope="module", params=[(), ("autoscale",)], ids=["aws", "aws+autoscale"])
def cloudfront(
    new_root: NewRoot, upstream: str, request: pytest.FixtureRequest
) -> Iterator[Instance]:
    """With the autoscale plugin, too: its way to the pods must not be one past the refusals."""
    cdn = {"mode": "cloudfront", "assets_bucket": "acme-assets", "origin_host": "origin.acme.test"}
    secrets = {"AWS_CDN_SECRET": SECRET, "AWS_CDN_OLD_SECRET": OLD_SECRET}
    yield from instance(new_root("aws", "mfe", *request.param, AWS_CDN=cdn, **secrets), upstream)


def instance(root: TutorRoot, upstream: str) -> Iterator[Instance]:
    root.run("config", "save")
    caddyfile = (root.path / "env/apps/caddy/Caddyfile").read_text()
    services = dict.fromkeys(("lms:8000", "cms:8000", "mfe:8002"), upstream)
    with (
        CaddyServer(caddyfile, services) as caddy,
        CaddyServer(INGRESS_CONTROLLER, {"caddy:80": f"{LOOPBACK}:{caddy.port}"}) as controller,
    ):
        yield Instance(root, caddy, controller)


def ask(
    server: CaddyServer,
    host: str = "learn.acme.test",
    path: str = "/",
    sender: str = LOAD_BALANCER,
    body: bytes | None = None,
    **headers: str,
) -> Answer:
    """What a request gets that `sender` makes; `x_forwarded_for` is the header of that name."""
    connection = http.client.HTTPConnection(
        LOOPBACK, server.port, timeout=30, source_address=(sender, 0)
    )
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST" if body else "GET", path, body, {"Host": host, **sent})
        response = connection.getresponse()
        text = response.read()
        return Answer(response.status, **(json.loads(text) if response.status == 200 else {}))
    finally:
        connection.close()


@pytest.mark.wires("CLOSEST_CLIENT_IP_FROM_HEADERS")
def test_django_sees_who_asked_the_load_balancer(plain: Instance) -> None:
    """Not what that client made up: the load balancer adds its address to that."""
    answer = ask(plain.controller, x_forwarded_for=f"{FORGED}, {CLIENT}")
    assert answer.chain == [FORGED, CLIENT, LOAD_BALANCER, LOOPBACK]
    assert plain.seen(answer) == CLIENT


@pytest.mark.parametrize("made_up", ["unknown", "::1", " ", ",,", f"{FORGED}, {FORGED}, {FORGED}"])
def test_it_does_not_matter_what_a_client_makes_up(plain: Instance, made_up: str) -> None:
    answer = ask(plain.controller, x_forwarded_for=f"{made_up}, {CLIENT}")
    assert plain.seen(answer) == CLIENT


def test_a_client_cannot_have_the_header_taken_away(plain: Instance) -> None:
    """`Connection` names headers for the next hop only. Without the list there is no position in
    it, and Django sees the load balancer."""
    answer = ask(
        plain.controller,
        x_forwarded_for=f"{FORGED}, {CLIENT}",
        connection="close, X-Forwarded-For",
    )
    assert plain.seen(answer) == LOAD_BALANCER


def test_a_pod_that_asks_the_ingress_controller_is_itself(plain: Instance) -> None:
    """Whatever it says, as often as it says it: only the load balancer is believed."""
    answer = ask(plain.controller, sender=POD, x_forwarded_for=", ".join([FORGED] * 4))
    assert answer.chain == [POD, LOOPBACK]
    assert plain.seen(answer) == POD


def test_behind_cloudfront_django_sees_who_asked_that(cloudfront: Instance) -> None:
    """One proxy more, of which one can be sure by the secret."""
    answer = ask(
        cloudfront.controller,
        x_forwarded_for=f"{FORGED}, {CLIENT}, {CLOUDFRONT_EDGE}",
        x_origin_secret=SECRET,
    )
    assert answer.chain == [FORGED, CLIENT, CLOUDFRONT_EDGE, LOAD_BALANCER, LOOPBACK]
    assert cloudfront.seen(answer) == CLIENT


@pytest.mark.parametrize("host", ["learn.acme.test", "studio.learn.acme.test"])
@pytest.mark.parametrize("secret", ["", "guessed"])
def test_who_comes_past_cloudfront_is_refused(cloudfront: Instance, host: str, secret: str) -> None:
    """The address before that of the client would be one that the client made up."""
    chain = f"{FORGED}, {CLIENT}"
    answer = ask(cloudfront.controller, host, x_forwarded_for=chain, x_origin_secret=secret)
    assert answer.status == 403


def test_mfes_are_behind_cloudfront_too(cloudfront: Instance) -> None:
    path = "/authn/login"
    assert ask(cloudfront.controller, "apps.learn.acme.test", path).status == 403
    host = "apps.learn.acme.test"
    assert ask(cloudfront.controller, host, path, x_origin_secret=SECRET).status == 200


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_nobody_is_refused_while_the_secret_changes(cloudfront: Instance, secret: str) -> None:
    assert ask(cloudfront.controller, x_origin_secret=secret).status == 200


def test_cloudfront_gets_static_files_and_no_others(cloudfront: Instance) -> None:
    """Under the name that it asks the load balancer by, of LMS and Studio alike."""
    asked = ask(cloudfront.controller, "origin.acme.test", "/static/studio/a.css")
    assert (asked.status, asked.path) == (200, "/static/studio/a.css")
    assert (asked.headers or {})["Host"] == "learn.acme.test"
    assert ask(cloudfront.controller, "origin.acme.test", "/admin/").status == 404


def test_without_cloudfront_pods_serve_static_files(plain: Instance) -> None:
    assert ask(plain.controller, path="/static/a.css").path == "/static/a.css"


def test_django_learns_of_https_and_of_no_other_host(plain: Instance) -> None:
    """The load balancer says the scheme, but passes on what clients say of the host."""
    headers = (
        ask(plain.controller, x_forwarded_proto="https", x_forwarded_host="evil.test").headers or {}
    )
    assert headers["X-Forwarded-Proto"] == "https"
    assert headers["X-Forwarded-Host"] == "learn.acme.test"
    assert headers["X-Forwarded-Port"] == "443"
    assert headers["Host"] == "learn.acme.test"


@pytest.mark.parametrize(
    ("host", "megabytes", "status"),
    [
        pytest.param("learn.acme.test", 3, 200, id="LMS"),
        pytest.param("learn.acme.test", 5, 413, id="too much for the LMS"),
        pytest.param("studio.learn.acme.test", 25, 200, id="a part of a course for Studio"),
    ],
)
def test_bodies_have_limits(plain: Instance, host: str, megabytes: int, status: int) -> None:
    """Those of Tutor's Caddyfile, which our patches leave alone."""
    assert ask(plain.controller, host, body=b"x" * (megabytes * 1_000_000)).status == status


def test_the_caddyfile_works_with_all_plugins(new_root: NewRoot, upstream: str) -> None:
    """Each public host of a plugin leads to its service."""
    plugins = ("credentials", "discovery", "forum", "mfe", "notes", "xqueue")
    root = new_root("aws", *plugins)
    root.run("config", "save")
    names = ("credentials", "discovery", "notes", "xqueue")
    caddyfile = (Path(root.path) / "env/apps/caddy/Caddyfile").read_text()
    with CaddyServer(caddyfile, {f"{name}:8000": upstream for name in names}) as caddy:
        for name in names:
            assert ask(caddy, f"{name}.learn.acme.test", "/x").path == "/x"


@pytest.fixture
def mfe(cloudfront: Instance, upstream: str, tmp_path: Path) -> Iterator[CaddyServer]:
    """The MFEs' own Caddy, with a few files of one of them."""
    folder = tmp_path / "authn"
    folder.mkdir()
    files = ("app.0123456789abcdef0123.js", "fedcba9876543210.woff2", "favicon.ico", "index.html")
    for name in files:
        (folder / name).write_text(name)
    caddyfile = (cloudfront.root.path / "env/plugins/mfe/apps/mfe/Caddyfile").read_text()
    with CaddyServer(
        caddyfile.replace("/openedx/dist", str(tmp_path)), {"lms:8000": upstream}
    ) as caddy:
        yield caddy


@pytest.mark.parametrize(
    ("path", "body", "caching"),
    [
        pytest.param(
            "/authn/app.0123456789abcdef0123.js",
            "app.0123456789abcdef0123.js",
            "public, max-age=31536000, immutable",
            id="script",
        ),
        pytest.param(
            "/authn/fedcba9876543210.woff2",
            "fedcba9876543210.woff2",
            "public, max-age=31536000, immutable",
            id="font",
        ),
        pytest.param("/authn/favicon.ico", "favicon.ico", "no-cache", id="name without a hash"),
        pytest.param("/authn/login", "index.html", "no-cache", id="page"),
        pytest.param(
            "/authn/app.ffffffffffffffffffff.js", "index.html", "no-cache", id="of another release"
        ),
    ],
)
def test_files_of_mfes_are_kept_while_they_are_what_was_asked_for(
    mfe: CaddyServer, path: str, body: str, caching: str
) -> None:
    """A page in the place of a script would break the site for as long as caches keep it."""
    with urllib.request.urlopen(f"http://{LOOPBACK}:{mfe.port}{path}") as response:
        assert response.read().decode() == body
        assert response.headers["Cache-Control"] == caching


def test_what_mfes_are_configured_with_is_not_kept(mfe: CaddyServer) -> None:
    """The LMS answers, under its own host."""
    url = f"http://{LOOPBACK}:{mfe.port}/api/mfe_config/v1"
    with urllib.request.urlopen(url) as response:
        assert response.headers["Cache-Control"] == "no-cache"
        assert json.load(response)["headers"]["Host"] == "learn.acme.test"


def test_caddy_is_tutors() -> None:
    """Of the same version as the image that pods run."""
    image = str(tutor_config.get_defaults()["DOCKER_IMAGE_CADDY"])
    assert image.endswith(f":{binaries.PROGRAMS['caddy'].pinned_version(binaries.TOOLS)}")
