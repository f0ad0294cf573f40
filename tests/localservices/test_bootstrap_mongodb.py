"""A bootstrap on MongoDB, with the real client and a stand-in for the server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError
from tutoraws.bootstrap.program import mongodb
from tutoraws.bootstrap.program.passwords import Passwords
from tutoraws.bootstrap.program.report import BootstrapError, Report

from tests.localservices.bootstrapping import Bootstrap
from tests.localservices.shared import ADMIN_PASSWORD, PASSWORDS, Platform

pytestmark = pytest.mark.services

READ_WRITE = {"role": "readWrite", "db": "acmeopenedx"}
PASSWORD = PASSWORDS["MONGODB_PASSWORD"]


@pytest.fixture
def acme(instances: dict[str, Bootstrap]) -> Bootstrap:
    """A bootstrap of MongoDB alone."""
    return only(instances["acme"])


def only(bootstrap: Bootstrap, **changes: Any) -> Bootstrap:
    plan = {"mongodb": {**bootstrap.plan["mongodb"], **changes}}
    (bootstrap.folder / "plan.json").write_text(json.dumps(plan))
    return bootstrap


def log_in(platform: Platform, user: str, password: str) -> None:
    address = f"127.0.0.1:{platform.mongod.port}"
    authority = str(platform.mongod.authority)
    client: Any = MongoClient(
        address, username=user, password=password, tls=True, tlsCAFile=authority
    )
    with client:
        client.admin.command("ping")


def test_the_user_is_made_once(platform: Platform, acme: Bootstrap) -> None:
    assert acme.run().splitlines() == [
        "MongoDB user acmeopenedx: made, with readWrite on acmeopenedx",
        "Done; 1 thing was changed.",
    ]
    assert platform.mongod.roles["acmeopenedx"] == [READ_WRITE]
    log_in(platform, "acmeopenedx", PASSWORD)
    assert acme.run().splitlines() == [
        "MongoDB user acmeopenedx: is there",
        "Everything was there; nothing was changed.",
    ]


def test_what_is_missing_is_added(platform: Platform, acme: Bootstrap) -> None:
    platform.mongod.roles["acmeopenedx"] = []
    platform.mongod.passwords["acmeopenedx"] = "another"
    assert "MongoDB user acmeopenedx: knows another password, so nothing" in acme.run(expected=1)
    assert platform.mongod.roles["acmeopenedx"] == []
    said = acme.run(reset_passwords=True)
    assert "got readWrite on acmeopenedx and got the instance's password" in said
    assert platform.mongod.roles["acmeopenedx"] == [READ_WRITE]
    log_in(platform, "acmeopenedx", PASSWORD)


def test_a_user_of_somebody_else_is_left_alone(platform: Platform, acme: Bootstrap) -> None:
    platform.mongod.roles["acmeopenedx"] = [{"role": "readWrite", "db": "betaopenedx"}]
    platform.mongod.passwords["acmeopenedx"] = "of another"
    said = acme.run(expected=1)
    assert "is not of this instance alone (readWrite on betaopenedx), so nothing was" in said
    log_in(platform, "acmeopenedx", "of another")


def test_an_instances_user_can_change_nobody(
    platform: Platform, instances: dict[str, Bootstrap]
) -> None:
    """Not even with the program of a bootstrap."""
    for each in instances.values():
        only(each).run()
    beta = {"username": "betaopenedx", "password": PASSWORD.replace("acme", "beta")}
    server: Any = only(instances["acme"]).plan["mongodb"]
    server = {**server, "ca": str(platform.mongod.authority)}
    with pytest.raises(BootstrapError, match="may not do this; give it the role userAdminAnyData"):
        list(
            mongodb.bootstrap(server, Passwords({"MONGODB_PASSWORD": "mine"}), beta, Report(print))
        )
    log_in(platform, "acmeopenedx", PASSWORD)


def test_two_runs_at_once_do_no_harm(platform: Platform, acme: Bootstrap) -> None:
    """The other one has made the user since this one looked."""
    server = {**acme.plan["mongodb"], "ca": str(platform.mongod.authority)}
    admin = {"username": "platform", "password": ADMIN_PASSWORD}
    values = Passwords({"MONGODB_PASSWORD": PASSWORD})
    run = mongodb.bootstrap(server, values, admin, Report(print))
    next(run)
    platform.mongod.roles["acmeopenedx"] = []
    platform.mongod.passwords["acmeopenedx"] = "of the other"
    with pytest.raises(BootstrapError, match="at this moment; run this again"):
        next(run)
    log_in(platform, "acmeopenedx", "of the other")


@pytest.mark.parametrize("name", ["acme.x", "$where", "", "acme_x"])
def test_names_that_derive_from_no_instance_are_refused(name: str, acme: Bootstrap) -> None:
    assert "is not one that derives from an instance's" in only(acme, user=name).run(expected=1)


def test_an_administrator_with_another_password_is_refused(
    platform: Platform, acme: Bootstrap
) -> None:
    known = platform.mongod.passwords["platform"]
    platform.mongod.passwords["platform"] = "another"
    try:
        said = acme.run(expected=1)
    finally:
        platform.mongod.passwords["platform"] = known
    assert "the administrator is refused; see that AWS_BOOTSTRAP.mongodb_admin is that" in said


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OperationFailure("s3cret", code=999), "error 999; look this number up"),
        (ServerSelectionTimeoutError("s3cret"), r"no answer \(ServerSelectionTimeoutError\)"),
    ],
    ids=["other", "network"],
)
def test_errors_say_nothing_of_the_server(error: Exception, message: str) -> None:
    """Its text may quote a command."""

    def connect(_user: str, _password: str) -> Any:
        raise error

    with pytest.raises(BootstrapError, match=message) as raised:
        next(
            mongodb.bootstrap(
                {"hosts": "a.test"},
                Passwords({}),
                {"username": "x", "password": "y"},
                Report(print),
                connect,
            )
        )
    assert "s3cret" not in str(raised.value)


def test_a_server_of_another_authority_gets_no_password(
    platform: Platform, acme: Bootstrap
) -> None:
    (acme.folder / "ca" / "mongodb.pem").write_text(platform.cache.authority.read_text())
    assert "no answer (ServerSelectionTimeoutError); check AWS_MONGODB" in acme.run(expected=1)
    assert "acmeopenedx" not in platform.mongod.roles
