"""What a bootstrap does on OpenSearch, on a server with its security API."""

from __future__ import annotations

import json
import ssl
from base64 import b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from localcluster.certificates import Authority
from localservices.serving import QuietHandler, serving
from tutoraws.access import opensearch_role
from tutoraws.bootstrap.program import opensearch
from tutoraws.bootstrap.program.passwords import Passwords
from tutoraws.bootstrap.program.report import BootstrapError, Report
from tutorplatform.instance import Instance

ADMIN = {"username": "admin", "password": "a'b$(id)`\"é"}
ROLE = "arn:aws:iam::123456789012:role/acme"
PASSWORDS = {"OPENSEARCH_PASSWORD": "acme/b+c%d"}


# What OpenSearch adds to what it is given.
ADDED: dict[str, dict[str, Any]] = {
    "roles": {"reserved": False, "hidden": False, "static": False, "tenant_permissions": []},
    "internalusers": {"hash": "", "backend_roles": [], "opendistro_security_roles": []},
    "rolesmapping": {"hosts": [], "and_backend_roles": []},
}


class Domain:
    """The security API, as OpenSearch documents it."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {kind: {} for kind in ADDED}
        self.passwords = {ADMIN["username"]: ADMIN["password"]}
        self.masters = {ADMIN["username"]}
        self.puts = 0

    def answer(self, method: str, path: str, login: tuple[str, str], body: Any) -> tuple[int, Any]:
        if self.passwords.get(login[0]) != login[1]:
            return 401, {}
        if path == "/_plugins/_security/authinfo":
            return 200, {"user_name": login[0]}
        if login[0] not in self.masters:
            return 403, {}
        kind, _, name = path.removeprefix("/_plugins/_security/api/").partition("/")
        if method == "PUT":
            return self.put(kind, name, body)
        found = self.kept[kind]
        if not name:
            return 200, found
        return (200, {name: found[name]}) if name in found else (404, {})

    def put(self, kind: str, name: str, body: Any) -> tuple[int, Any]:
        self.puts += 1
        if kind == "internalusers":
            self.passwords[name] = body.pop("password")
        if kind == "roles":
            for each in body["index_permissions"]:
                each |= {"dls": None, "fls": [], "masked_fields": []}
        self.kept[kind][name] = {**ADDED[kind], **body}
        return 200, {"status": "OK"}


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.new("opensearch")


@pytest.fixture
def domain() -> Domain:
    return Domain()


@pytest.fixture
def port(domain: Domain, authority: Authority, tmp_path: Path) -> Iterator[int]:
    class Handler(QuietHandler, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            coded = self.headers["Authorization"].removeprefix("Basic ")
            user, _, password = b64decode(coded).decode().partition(":")
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, answer = domain.answer(self.command, self.path, (user, password), body)
            self.answer(status, json.dumps(answer).encode())

        def do_PUT(self) -> None:
            self.do_GET()

    pair = authority.issue("domain", hosts=["localhost"])
    served = tmp_path / "served.pem"
    served.write_bytes(pair.key + pair.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(served)
    with serving(Handler, context) as port:
        yield port


@pytest.fixture
def trusted(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "authority.pem"
    path.write_bytes(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


def part(port: int, name: str = "acme", *, by_role: bool = False) -> dict[str, Any]:
    owner = Instance(name)
    user = owner.database("openedx")
    return {
        "host": "localhost",
        "port": port,
        "name": user,
        "role": opensearch_role(owner),
        "mapping": {"users": [] if by_role else [user], "backend_roles": [ROLE] if by_role else []},
        **({} if by_role else {"password": "OPENSEARCH_PASSWORD"}),
    }


def run(
    plan: dict[str, Any],
    admin: dict[str, str] = ADMIN,
    *,
    reset_passwords: bool = False,
    **passwords: str,
) -> list[str]:
    said: list[str] = []
    report = Report(said.append)
    known = Passwords({**PASSWORDS, **passwords}, reset_passwords)
    list(opensearch.bootstrap(plan, known, admin, report))
    return [*said, report.sum]


@pytest.mark.usefixtures("trusted")
def test_it_makes_what_is_missing_and_nothing_twice(domain: Domain, port: int) -> None:
    assert run(part(port))[:-1] == [
        "OpenSearch role acmeopenedx: made",
        "OpenSearch user acmeopenedx: made",
        "OpenSearch role acmeopenedx for acmeopenedx: given",
    ]
    assert domain.passwords["acmeopenedx"] == PASSWORDS["OPENSEARCH_PASSWORD"]
    [own] = domain.kept["roles"]["acmeopenedx"]["index_permissions"]
    assert own["index_patterns"] == ["acme_*"]
    puts = domain.puts
    assert run(part(port))[-1] == "Everything was there; nothing was changed."
    assert domain.puts == puts


@pytest.mark.usefixtures("trusted")
def test_a_role_of_iam_needs_no_user(domain: Domain, port: int) -> None:
    run(part(port, by_role=True))
    assert domain.kept["internalusers"] == {}
    assert domain.kept["rolesmapping"]["acmeopenedx"]["backend_roles"] == [ROLE]


@pytest.mark.usefixtures("trusted")
def test_an_interrupted_run_goes_on(domain: Domain, port: int) -> None:
    run(part(port))
    del domain.kept["rolesmapping"]["acmeopenedx"]
    said = run(part(port))
    assert "OpenSearch user acmeopenedx: is there" in said
    assert "OpenSearch role acmeopenedx for acmeopenedx: given" in said


@pytest.mark.usefixtures("trusted")
def test_the_user_gets_the_instances_password(domain: Domain, port: int) -> None:
    """On request, since whoever uses it would be locked out."""
    run(part(port))
    puts = domain.puts
    with pytest.raises(BootstrapError, match="acmeopenedx: knows another password, so nothing"):
        run(part(port), OPENSEARCH_PASSWORD="another")
    assert domain.puts == puts
    said = run(part(port), reset_passwords=True, OPENSEARCH_PASSWORD="another")
    assert "OpenSearch user acmeopenedx: got the instance's password" in said
    assert domain.passwords["acmeopenedx"] == "another"


@pytest.mark.usefixtures("trusted")
def test_rights_that_somebody_widened_are_put_right(domain: Domain, port: int) -> None:
    run(part(port))
    domain.kept["roles"]["acmeopenedx"]["index_permissions"][0]["index_patterns"] = ["*"]
    assert "OpenSearch role acmeopenedx: got its rights" in run(part(port))
    [own] = domain.kept["roles"]["acmeopenedx"]["index_permissions"]
    assert own["index_patterns"] == ["acme_*"]


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("kind", "name", "document", "said"),
    [
        ("internalusers", "acmeopenedx", {"backend_roles": ["admin"]}, "admin"),
        ("internalusers", "acmeopenedx", {"opendistro_security_roles": ["all_access"]}, "all_acc"),
        ("rolesmapping", "acmeopenedx", {"users": ["acmeopenedx", "mallory"]}, "mallory"),
        ("rolesmapping", "all_access", {"users": ["acmeopenedx"]}, "role all_access"),
    ],
)
def test_what_is_of_somebody_else_too_is_left_alone(
    kind: str, name: str, document: dict[str, Any], said: str, domain: Domain, port: int
) -> None:
    domain.kept[kind][name] = document
    with pytest.raises(BootstrapError, match=said):
        run(part(port))
    assert domain.puts == 0


@pytest.mark.usefixtures("trusted")
def test_an_administrator_who_is_none_is_told_so(domain: Domain, port: int) -> None:
    with pytest.raises(BootstrapError, match=r"refused; see that AWS_BOOTSTRAP\.opensearch_admin"):
        run(part(port), {"username": "admin", "password": "old"})
    domain.masters.clear()
    with pytest.raises(BootstrapError, match="may not do this; make it a master user"):
        run(part(port))


def test_a_domain_that_cannot_be_verified_gets_no_password(domain: Domain, port: int) -> None:
    with pytest.raises(BootstrapError, match="no answer"):
        run(part(port))
    assert domain.puts == 0
