"""A bootstrap on MongoDB: the commands that it gives, to a server that keeps users.

No real one: it cannot be had here. The commands are those of
https://www.mongodb.com/docs/manual/reference/command/nav-user-management/
"""

from __future__ import annotations

import ssl
from typing import Any

import pytest
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError
from tutoraws.bootstrap.program import mongodb
from tutoraws.bootstrap.program.report import BootstrapError, Report

ADMIN = {"username": "platform", "password": "of-the-platform"}
PASSWORDS = {"MONGODB_PASSWORD": "of-acme"}
PLAN = {
    "hosts": "a.test:27017,b.test:27017",
    "replica_set": "rs0",
    "auth_source": "admin",
    "ca": "",
    "database": "acmeopenedx",
    "user": "acmeopenedx",
    "password": "MONGODB_PASSWORD",
}
READ_WRITE = {"role": "readWrite", "db": "acmeopenedx"}


class Server:
    """Users of a server: name → password and roles."""

    def __init__(self) -> None:
        self.passwords = {ADMIN["username"]: ADMIN["password"]}
        self.roles: dict[str, list[dict[str, str]]] = {}
        self.commands: list[str] = []
        self.broken: Exception | None = None

    def connect(self, user: str, password: str) -> Client:
        return Client(self, user, password)


class Client:
    """What pymongo's is, as far as it is used."""

    def __init__(self, server: Server, user: str, password: str) -> None:
        self.server, self.user, self.password = server, user, password
        self.admin = self

    def __getitem__(self, database: str) -> Client:
        assert database == "admin"
        return self

    def command(self, command: str, name: str = "", **options: Any) -> dict[str, Any]:
        server = self.server
        # As pymongo does, at the first command and not before.
        if server.passwords.get(self.user) != self.password:
            raise OperationFailure("Authentication failed: of-acme", code=18)
        if server.broken:
            raise server.broken
        server.commands.append(command)
        if command == "usersInfo":
            known = name in server.roles
            return {"users": [{"user": name, "roles": server.roles[name]}] if known else []}
        if "pwd" in options:
            server.passwords[name] = options["pwd"]
        server.roles.setdefault(name, []).extend(options.get("roles", []))
        return {"ok": 1}


@pytest.fixture
def server() -> Server:
    return Server()


def run(server: Server, **plan: Any) -> list[str]:
    said: list[str] = []
    mongodb.bootstrap({**PLAN, **plan}, PASSWORDS, ADMIN, Report(said.append), server.connect)
    return said


def test_the_user_is_made_once(server: Server) -> None:
    assert run(server) == ["MongoDB user acmeopenedx: made, with readWrite on acmeopenedx"]
    assert server.roles == {"acmeopenedx": [READ_WRITE]}
    server.commands.clear()
    assert run(server) == ["MongoDB user acmeopenedx: is there"]
    assert server.commands == ["usersInfo", "ping"]


def test_what_is_missing_is_added(server: Server) -> None:
    server.roles["acmeopenedx"], server.passwords["acmeopenedx"] = [], "another"
    assert run(server) == [
        "MongoDB user acmeopenedx: got readWrite on acmeopenedx and got the instance's password"
    ]
    assert server.roles["acmeopenedx"] == [READ_WRITE]
    assert server.passwords["acmeopenedx"] == "of-acme"


def test_a_user_of_somebody_else_is_left_alone(server: Server) -> None:
    server.roles["acmeopenedx"] = [{"role": "readWrite", "db": "betaopenedx"}]
    with pytest.raises(BootstrapError, match=r"not of this instance alone \(readWrite on b"):
        run(server)
    assert server.commands == ["usersInfo"]


@pytest.mark.parametrize("name", ["acme.x", "$where", "", "acme_x"])
def test_names_that_derive_from_no_instance_are_refused(name: str, server: Server) -> None:
    with pytest.raises(BootstrapError, match="is not one that derives"):
        run(server, user=name)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OperationFailure("not you: of-acme", code=13), "may not do this; give it the role user"),
        (OperationFailure("of-acme", code=999), "error 999; look this number up"),
        (ServerSelectionTimeoutError("of-acme"), r"no answer \(ServerSelectionTimeoutError\)"),
    ],
    ids=["rights", "other", "network"],
)
def test_errors_say_what_to_do_and_nothing_of_the_server(
    error: Exception, message: str, server: Server
) -> None:
    server.broken = error
    with pytest.raises(BootstrapError, match=message) as raised:
        run(server)
    assert "of-acme" not in str(raised.value)


def test_an_administrator_with_another_password_is_refused(server: Server) -> None:
    server.passwords[ADMIN["username"]] = "another"
    with pytest.raises(BootstrapError, match="the administrator is refused; see that AWS_BOOT"):
        run(server)


def test_clients_verify_the_server() -> None:
    """pymongo itself takes the options."""
    client = mongodb.connector(PLAN)("acmeopenedx", "x")
    assert client.options.replica_set_name == "rs0"
    context = client.options.pool_options._ssl_context
    assert context.check_hostname is True
    assert context.verify_mode == ssl.CERT_REQUIRED
    client.close()
