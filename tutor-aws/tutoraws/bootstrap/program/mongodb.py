"""Edge: the MongoDB user of an instance, made with the server's administrator. Runs in the Job."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

from tutoraws.bootstrap.program.passwords import Passwords
from tutoraws.bootstrap.program.report import BootstrapError, Report

NAME = re.compile(r"[a-z][a-z0-9]+(_2)?")
AUTHENTICATION_FAILED = 18
UNAUTHORIZED = 13
# The user is there since it was looked for, or is no more.
CHANGED_MEANWHILE = (11, 51003)
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


def names(server: Mapping[str, Any]) -> list[str]:
    """The servers, without port and scheme."""
    hosts = str(server["hosts"]).removeprefix("mongodb+srv://")
    return [each.partition(":")[0] for each in hosts.split(",")]


def bootstrap(
    server: Mapping[str, Any],
    passwords: Passwords,
    admin: Mapping[str, str],
    report: Report,
    connect: Connect | None = None,
) -> Iterator[None]:
    """Yield when nothing stands in the way; then make the user, or what is missing of it.

    Raises BootstrapError.
    """
    from pymongo.errors import PyMongoError

    connect = connect or connector(server)
    try:
        with closing(connect(admin["username"], admin["password"])) as client:
            users = client[server["auth_source"]]
            yield from _make(server, passwords, users, connect, report)
    except PyMongoError as error:
        # Not chained: the text may quote a command.
        raise _refusal(server, error) from None


def _make(
    server: Mapping[str, Any], passwords: Passwords, users: Any, connect: Connect, report: Report
) -> Iterator[None]:
    name, password = server["user"], passwords[server["password"]]
    _require_name(name)
    what, own = f"MongoDB user {name}", {"role": "readWrite", "db": server["database"]}
    found = users.command("usersInfo", name)["users"]
    roles = found[0]["roles"] if found else []
    _require_own(name, [role for role in roles if role != own])
    apart = bool(found) and not _logs_in(connect, name, password)
    if apart:
        passwords.require_reset(what)
    yield
    if not found:
        users.command("createUser", name, pwd=password, roles=[own])
        report.did(what, f"made, with readWrite on {server['database']}")
        return
    changes = []
    if own not in roles:
        users.command("grantRolesToUser", name, roles=[own])
        changes.append(f"got readWrite on {server['database']}")
    if apart:
        users.command("updateUser", name, pwd=password)
        changes.append("got the instance's password")
    if changes:
        report.did(what, " and ".join(changes))
    else:
        report.there(what)


def _require_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise BootstrapError(
            f"MongoDB user {name!r}",
            "is not one that derives from an instance's name",
            "remove MONGODB_USERNAME from config.yml",
        )


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
    if code in CHANGED_MEANWHILE:
        return BootstrapError(
            where, "somebody else makes or drops the same at this moment", "run this again"
        )
    if code:
        return BootstrapError(where, f"error {code}", "look this number up in MongoDB's reference")
    return BootstrapError(
        where,
        f"no answer ({type(error).__name__})",
        "check AWS_MONGODB, its ca_file, and the policies of namespace and VPC",
    )
