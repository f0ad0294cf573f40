"""Edge: the MongoDB user of an instance, made with the server's administrator. Runs in the Job."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from tutoraws.bootstrap.program.report import BootstrapError, Report

NAME = re.compile(r"[a-z][a-z0-9]+(_2)?")
AUTHENTICATION_FAILED = 18
UNAUTHORIZED = 13
TIMEOUT_MS = 15_000

# (user, password) → a client of the server.
Connect = Callable[[str, str], Any]


def connector(server: Mapping[str, Any]) -> Connect:
    """Clients of this server, over TLS whose certificate is verified."""
    from pymongo import MongoClient

    def connect(user: str, password: str) -> Any:
        options = {"replicaSet": server["replica_set"], "tlsCAFile": server["ca"]}
        return MongoClient(
            server["hosts"],
            username=user,
            password=password,
            authSource=server["auth_source"],
            tls=True,
            serverSelectionTimeoutMS=TIMEOUT_MS,
            **{name: value for name, value in options.items() if value},
        )

    return connect


def bootstrap(
    server: Mapping[str, Any],
    passwords: Mapping[str, str],
    admin: Mapping[str, str],
    report: Report,
    connect: Connect | None = None,
) -> None:
    """Make the user, or what is missing of it. Raises BootstrapError."""
    from pymongo.errors import PyMongoError

    connect = connect or connector(server)
    try:
        with closing(connect(admin["username"], admin["password"])) as client:
            users = client[server["auth_source"]]
            _make(server, passwords[server["password"]], users, connect, report)
    except PyMongoError as error:
        # Not chained: the text may quote a command.
        raise _refusal(server, error) from None


def _make(
    server: Mapping[str, Any], password: str, users: Any, connect: Connect, report: Report
) -> None:
    name = server["user"]
    if not NAME.fullmatch(name):
        raise BootstrapError(
            f"MongoDB user {name!r}",
            "is not one that derives from an instance's name",
            "remove MONGODB_USERNAME from config.yml",
        )
    what = f"MongoDB user {name}"
    role = {"role": "readWrite", "db": server["database"]}
    found = users.command("usersInfo", name)["users"]
    if not found:
        users.command("createUser", name, pwd=password, roles=[role])
        report.did(what, f"made, with readWrite on {server['database']}")
        return
    roles = found[0]["roles"]
    _require_own(name, [each for each in roles if each != role])
    changes = []
    if role not in roles:
        users.command("grantRolesToUser", name, roles=[role])
        changes.append(f"got readWrite on {server['database']}")
    if not _logs_in(connect, name, password):
        users.command("updateUser", name, pwd=password)
        changes.append("got the instance's password")
    if changes:
        report.did(what, " and ".join(changes))
    else:
        report.there(what)


def _require_own(name: str, others: list[Mapping[str, str]]) -> None:
    if others:
        named = ", ".join(f"{role['role']} on {role['db']}" for role in others)
        raise BootstrapError(
            f"MongoDB user {name}",
            f"is not of this instance alone ({named}), so nothing was changed",
            "take these roles from it, or drop the user, and run this again",
        )


def _logs_in(connect: Connect, user: str, password: str) -> bool:
    from pymongo.errors import OperationFailure

    try:
        with closing(connect(user, password)) as client:
            client.admin.command("ping")
    except OperationFailure as error:
        if error.code != AUTHENTICATION_FAILED:
            raise
        return False
    return True


def _refusal(server: Mapping[str, Any], error: Exception) -> BootstrapError:
    where = f"MongoDB {server['hosts']}"
    code = getattr(error, "code", None)
    if code == AUTHENTICATION_FAILED:
        return BootstrapError(
            where,
            "the administrator is refused",
            "see that AWS_BOOTSTRAP.mongodb_admin is that of this server, and is up to date",
        )
    if code == UNAUTHORIZED:
        return BootstrapError(
            where, "the administrator may not do this", "give it the role userAdminAnyDatabase"
        )
    if code:
        return BootstrapError(where, f"error {code}", "look this number up in MongoDB's reference")
    return BootstrapError(
        where,
        f"no answer ({type(error).__name__})",
        "check AWS_MONGODB, its ca_file, and the policies of namespace and VPC",
    )
