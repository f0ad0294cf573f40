"""The program of a bootstrap on real servers: what two instances get, and what neither can do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pymysql
import pytest
from tutoraws.bootstrap.program import mysql
from tutoraws.bootstrap.program.passwords import Passwords
from tutoraws.bootstrap.program.report import BootstrapError, Report

from tests.localservices.bootstrapping import DRIVERS, Bootstrap
from tests.localservices.shared import ADMIN_PASSWORD, PASSWORDS, SECRET, Platform

pytestmark = pytest.mark.services


def test_it_makes_what_is_missing_and_nothing_twice(
    platform: Platform, instances: dict[str, Bootstrap]
) -> None:
    said = instances["acme"].run()
    for line in (
        "MySQL database acmeopenedx: made",
        "MySQL user acmeopenedx: made",
        "MySQL user acmeopenedx_2: made",
        "MySQL rights of acmecredentials_2 on acmecredentials.*: given",
        "MySQL database acmenotes: made",
        "MySQL rights of acmeopenedx on acmecredentials.core_user: given",
        "MongoDB user acmeopenedx: made, with readWrite on acmeopenedx",
        "ElastiCache user acme: made",
        "ElastiCache user group openedx: got acme",
    ):
        assert line in said.splitlines()
    platform.let_redis_follow("acme", PASSWORDS["REDIS_PASSWORD"])
    again = instances["acme"].run()
    assert again.splitlines()[-1] == "Everything was there; nothing was changed."
    assert {line.rpartition(": ")[2] for line in again.splitlines()[:-1]} == {"is there"}


def test_both_users_of_a_rotation_have_the_database_and_its_password(
    platform: Platform, instances: dict[str, Bootstrap]
) -> None:
    instances["acme"].run()
    for user in ("acmeopenedx", "acmeopenedx_2"):
        login = {"user": user, "password": PASSWORDS["OPENEDX_MYSQL_PASSWORD"]}
        platform.sql("USE acmeopenedx", "CREATE OR REPLACE TABLE t (x INT)", **login)
    assert platform.sql(
        "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME "
        "FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'acmeopenedx'"
    ) == [("utf8mb4", "utf8mb4_unicode_ci")]


def test_learners_can_be_copied_to_credentials_once_its_table_is_there(
    platform: Platform, instances: dict[str, Bootstrap]
) -> None:
    """The rights come before the table."""
    instances["acme"].run()
    own = {"user": "acmecredentials", "password": PASSWORDS["CREDENTIALS_MYSQL_PASSWORD"]}
    platform.sql("CREATE TABLE acmecredentials.core_user (x INT)", **own)
    platform.sql("CREATE TABLE acmecredentials.keys (x INT)", **own)
    lms = {"user": "acmeopenedx_2", "password": PASSWORDS["OPENEDX_MYSQL_PASSWORD"]}
    platform.sql("INSERT acmecredentials.core_user (x) SELECT 1", **lms)
    for statement in (
        "SELECT * FROM acmecredentials.keys",
        "DELETE FROM acmecredentials.core_user",
        "DROP TABLE acmecredentials.core_user",
    ):
        with pytest.raises(pymysql.err.OperationalError, match="denied"):
            platform.sql(statement, **lms)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM betaopenedx.t",
        "INSERT INTO betaopenedx.t VALUES (2)",
        "CREATE TABLE betaopenedx.mine (x INT)",
        "DROP DATABASE betaopenedx",
        "SET PASSWORD FOR betaopenedx = PASSWORD('mine')",
        "ALTER USER betaopenedx IDENTIFIED BY 'mine'",
        "DROP USER betaopenedx",
        "CREATE USER acmeother",
        "CREATE DATABASE acmeother",
        "GRANT SELECT ON acmeopenedx.* TO betaopenedx",
        "SELECT * FROM mysql.user",
    ],
)
def test_no_instance_gets_at_anothers(
    statement: str, platform: Platform, instances: dict[str, Bootstrap]
) -> None:
    for each in instances.values():
        each.run()
    beta = {"user": "betaopenedx", "password": "it's-beta%s"}
    platform.sql("USE betaopenedx", "CREATE TABLE t (x INT)", "INSERT INTO t VALUES (1)", **beta)
    for user in ("acmeopenedx", "acmeopenedx_2"):
        login = {"user": user, "password": PASSWORDS["OPENEDX_MYSQL_PASSWORD"]}
        with pytest.raises(pymysql.err.MySQLError, match="denied"):
            platform.sql(statement, **login)
    assert platform.sql("SELECT x FROM betaopenedx.t", **beta) == [(1,)]


def test_without_tls_nobody_gets_in(platform: Platform, instances: dict[str, Bootstrap]) -> None:
    """Even on a server that would take plain connections."""
    instances["acme"].run()
    found = platform.sql("SELECT DISTINCT ssl_type FROM mysql.user WHERE User LIKE 'acme%'")
    assert found == [("ANY",)]


def test_a_changed_password_is_put_right(
    platform: Platform, instances: dict[str, Bootstrap]
) -> None:
    """On request only: these might be another instance's passwords, and this one is in use."""
    instances["acme"].run()
    platform.let_redis_follow("acme", PASSWORDS["REDIS_PASSWORD"])
    instances["acme"].change(REDIS_PASSWORD="new-redis-password", NOTES_MYSQL_PASSWORD="")
    platform.sql("DROP DATABASE acmenotes")
    said = instances["acme"].run(expected=1)
    assert "knows another password, so nothing was changed; if the instance's is" in said
    assert platform.sql("SHOW DATABASES LIKE 'acmenotes'") == []
    instances["acme"].change(OPENEDX_MYSQL_PASSWORD="new'\\")
    said = instances["acme"].run(reset_passwords=True)
    assert "MySQL user acmeopenedx_2: got the instance's password" in said
    assert "MySQL user acmecredentials: is there" in said
    assert "ElastiCache user acme: got the instance's password" in said
    platform.sql("USE acmeopenedx", user="acmeopenedx", password="new'\\")


def in_use(bootstrap: Bootstrap, user: str) -> None:
    """As config.yml says it after a rotation."""
    plan = bootstrap.plan
    plan["mysql"]["databases"][0]["user"] = user
    (bootstrap.folder / "plan.json").write_text(json.dumps(plan))


def test_after_a_rotation_there_is_nothing_to_change(
    platform: Platform, instances: dict[str, Bootstrap]
) -> None:
    """Even if the user whose turn it is not has an older password."""
    acme = instances["acme"]
    acme.run()
    platform.let_redis_follow("acme", PASSWORDS["REDIS_PASSWORD"])
    platform.sql("SET PASSWORD FOR acmeopenedx_2 = PASSWORD('newer')")
    acme.change(OPENEDX_MYSQL_PASSWORD="newer")
    in_use(acme, "acmeopenedx_2")
    said = acme.run()
    assert "Mind: MySQL user acmeopenedx, whose turn it is not, knows another password" in said
    assert said.splitlines()[-1] == "Everything was there; nothing was changed."
    assert "acmeopenedx: got the instance's password" in acme.run(reset_passwords=True)


def test_nobody_gets_a_second_user_who_does_not_know_the_first_ones_password(
    platform: Platform, instances: dict[str, Bootstrap]
) -> None:
    """Or another Tutor root with the same name would get hold of the database."""
    platform.sql("CREATE USER acmeopenedx IDENTIFIED BY 'of the instance'")
    in_use(instances["acme"], "acmeopenedx_2")
    said = instances["acme"].run(expected=1)
    assert "MySQL user acmeopenedx: knows another password, so nothing was changed" in said
    assert platform.sql("SELECT User FROM mysql.user WHERE User = 'acmeopenedx_2'") == []


def test_an_expired_password_is_none(platform: Platform, instances: dict[str, Bootstrap]) -> None:
    """The instance could not use it either."""
    acme = instances["acme"]
    acme.run()
    platform.let_redis_follow("acme", PASSWORDS["REDIS_PASSWORD"])
    platform.sql(
        "ALTER USER acmeopenedx PASSWORD EXPIRE", "SET GLOBAL disconnect_on_expired_password = 1"
    )
    try:
        assert "MySQL user acmeopenedx: knows another" in acme.run(expected=1)
        assert "acmeopenedx: got the instance's" in acme.run(reset_passwords=True)
    finally:
        platform.sql("SET GLOBAL disconnect_on_expired_password = DEFAULT")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"UserName": "billing-prod"}, "is called billing-prod"),
        ({"AccessString": "on ~invoices:* +@all"}, "has ~invoices:*"),
        ({"AccessString": "on ~acme:* &* +@all"}, "has &*"),
    ],
)
def test_a_redis_user_of_somebody_else_stops_it(
    changes: dict[str, str], problem: str, platform: Platform, instances: dict[str, Bootstrap]
) -> None:
    """Before anything is changed, on other services too."""
    user = {"UserId": "acme", "UserName": "acme", "AccessString": "on ~acme:* +@all", **changes}
    cache = platform.api("elasticache")
    cache.create_user(**user, Engine="redis", Passwords=["of-another-team-1"])
    said = instances["acme"].run(expected=1)
    assert f"ElastiCache user acme: is not of this instance alone ({problem})" in said
    assert cache.describe_users(UserId="acme")["Users"][0]["UserName"] == user["UserName"]
    assert platform.sql("SHOW DATABASES LIKE 'acme%'") == []


def test_a_redis_user_in_no_group_yet_gets_the_instances_password(
    platform: Platform, instances: dict[str, Bootstrap]
) -> None:
    """A run that was cut off there; nobody could have used it."""
    user = {"UserId": "acme", "UserName": "acme", "Engine": "redis", "AccessString": "off -@all"}
    platform.api("elasticache").create_user(**user, Passwords=["whatever-it-was-1"])
    said = instances["acme"].run()
    assert "ElastiCache user acme: got its rules and the instance's password" in said
    assert "ElastiCache user group openedx: got acme" in said


def test_what_was_cut_off_goes_on(platform: Platform, instances: dict[str, Bootstrap]) -> None:
    """From whatever is there: here a user without rights, and without TLS."""
    platform.sql("CREATE DATABASE acmeopenedx", "CREATE USER acmeopenedx IDENTIFIED BY 'x'")
    said = instances["acme"].run(reset_passwords=True)
    assert "MySQL user acmeopenedx: now has to use TLS and got the instance's password" in said
    assert "MySQL rights of acmeopenedx on acmeopenedx.*: given" in said


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (
            ["CREATE USER acmeopenedx", "GRANT SELECT ON `betaopenedx`.* TO acmeopenedx"],
            "has SELECT on betaopenedx.*",
        ),
        (
            ["CREATE USER acmeopenedx", "GRANT SELECT ON `acme%`.* TO acmeopenedx"],
            "has SELECT on acme%.*",
        ),
        (
            ["CREATE USER acmeopenedx", "GRANT PROCESS ON *.* TO acmeopenedx"],
            "has PROCESS on *.*",
        ),
        (["CREATE USER acmeopenedx@localhost"], "logs in from localhost"),
        (
            [
                "CREATE USER acmeopenedx",
                "GRANT ALL ON acmeopenedx.* TO acmeopenedx WITH GRANT OPTION",
            ],
            "may give its rights away",
        ),
        (
            ["CREATE USER acmeopenedx", "GRANT USAGE ON *.* TO acmeopenedx WITH GRANT OPTION"],
            "may give its rights away",
        ),
        (
            [
                "CREATE USER acmeopenedx",
                "GRANT CREATE, SELECT, UPDATE ON acmecredentials.core_user TO acmeopenedx",
            ],
            "has SELECT, UPDATE, CREATE on acmecredentials.core_user",
        ),
        (
            ["CREATE ROLE acmerole", "CREATE USER acmeopenedx", "GRANT acmerole TO acmeopenedx"],
            "has a role",
        ),
    ],
    ids=[
        *("another database", "wildcard", "all", "another host", "grant option"),
        *("bare grant option", "more on a table", "role"),
    ],
)
def test_a_user_of_somebody_else_stops_it(
    statements: list[str], problem: str, platform: Platform, instances: dict[str, Bootstrap]
) -> None:
    """Before anything is changed."""
    platform.sql(*statements)
    try:
        said = instances["acme"].run(expected=1)
        assert said.startswith("Error: MySQL user acmeopenedx: is not of this instance alone")
        assert problem in said
        assert [row for row in platform.sql("SHOW DATABASES") if row[0].startswith("acme")] == []
    finally:
        platform.sql("DROP USER IF EXISTS acmeopenedx@localhost", "DROP ROLE IF EXISTS acmerole")


def test_who_else_reaches_a_database_is_named(
    platform: Platform, instances: dict[str, Bootstrap]
) -> None:
    """By a pattern for names too."""
    platform.sql("CREATE USER betareports", "GRANT SELECT ON `acme_penedx`.* TO betareports")
    platform.sql("CREATE DATABASE acmenotes", "CREATE TABLE acmenotes.t (x INT)")
    platform.sql("GRANT SELECT ON acmenotes.t TO betareports")
    said = instances["acme"].run()
    assert "Mind: MySQL user betareports has rights on acmeopenedx too (on `acme_penedx`)" in said
    assert "Mind: MySQL user betareports has rights on acmenotes too (on `acmenotes`)" in said
    assert said.count("Mind: ") == 2


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("name", "acme%", "MySQL name 'acme%': is not one that derives from an instance's"),
        ("name", "acme_x", "MySQL name 'acme_x'"),
        ("users", ["acmeopenedx", "a'@'%"], "MySQL name \"a'@'%\""),
    ],
)
def test_names_with_wildcards_or_quotes_are_refused_by_the_job_too(
    part: str, value: Any, message: str, instances: dict[str, Bootstrap]
) -> None:
    """Whoever wrote the plan."""
    acme = instances["acme"]
    plan: Any = acme.plan
    plan["mysql"]["databases"][0][part] = value
    (acme.folder / "plan.json").write_text(json.dumps(plan))
    assert message in acme.run(expected=1)


@pytest.mark.parametrize(
    ("service", "setting", "value", "message"),
    [
        (
            *("mysql", "admin", "rds!gone"),
            "secretsmanager.GetSecretValue rds!gone: ResourceNotFoundException; "
            "correct AWS_BOOTSTRAP.mysql_admin or the region",
        ),
        ("mysql", "port", 1, ": there is no way to it; check the endpoint"),
        ("mysql", "host", "localhost.localdomain.invalid", ": there is no way to it"),
        ("redis", "user_group", "gone", "correct AWS_BOOTSTRAP.redis_user_group or the region"),
    ],
    ids=["secret", "port", "host", "group"],
)
def test_errors_say_what_to_do(
    service: str, setting: str, value: Any, message: str, instances: dict[str, Bootstrap]
) -> None:
    acme = instances["acme"]
    plan: Any = acme.plan
    plan[service][setting] = value
    (acme.folder / "plan.json").write_text(json.dumps(plan))
    said = acme.run(expected=1)
    assert message in said
    assert "Traceback" not in said


def test_a_server_that_cannot_prove_who_it_is_gets_no_password(
    platform: Platform, instances: dict[str, Bootstrap]
) -> None:
    acme = instances["acme"]
    (acme.folder / "ca" / "mysql.pem").write_text(platform.cache.authority.read_text())
    assert "Error: MySQL" in acme.run(expected=1)
    assert platform.sql("SELECT User FROM mysql.user WHERE User LIKE 'acme%'") == []


@pytest.mark.parametrize(
    "statement",
    ["CREATE USER acmeopenedx", "CREATE DATABASE acmenotes"],
    ids=["user", "database"],
)
def test_two_runs_at_once_do_no_harm(
    statement: str,
    platform: Platform,
    instances: dict[str, Bootstrap],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other one has made something since this one looked."""
    monkeypatch.syspath_prepend(DRIVERS)
    server = {**instances["acme"].plan["mysql"], "ca": str(platform.mariadb.authority)}
    values = {**PASSWORDS, "NOTES_MYSQL_PASSWORD": "notes"}
    admin = {"username": "platform", "password": ADMIN_PASSWORD}
    run = mysql.bootstrap(server, Passwords(values), admin, Report(print))
    next(run)
    platform.sql(statement)
    if "USER" in statement:
        with pytest.raises(BootstrapError, match="at this moment; run this again"):
            next(run)
    else:
        assert next(run, "done") == "done"


@pytest.fixture
def bound(platform: Platform) -> Iterator[Callable[[str], None]]:
    """Gives the administrator's secret a `host`."""
    secrets = platform.api("secretsmanager")
    before = secrets.get_secret_value(SecretId=SECRET)["SecretString"]

    def bind(host: str) -> None:
        text = json.dumps({**json.loads(before), "host": host})
        secrets.put_secret_value(SecretId=SECRET, SecretString=text)

    yield bind
    secrets.put_secret_value(SecretId=SECRET, SecretString=before)


def test_an_administrator_is_shown_to_no_other_server(
    platform: Platform, bound: Callable[[str], None], instances: dict[str, Bootstrap]
) -> None:
    """Whatever host config.yml names."""
    bound("db.platform.test")
    said = instances["acme"].run(expected=1)
    assert f"secret {SECRET}: is for db.platform.test, and config.yml names 127.0.0.1" in said
    bound("127.0.0.1")
    instances["acme"].run()


def test_every_server_of_a_replica_set_must_be_the_administrators(
    bound: Callable[[str], None], instances: dict[str, Bootstrap]
) -> None:
    """A list may have been made longer."""
    acme = instances["acme"]
    plan = {"mongodb": {**acme.plan["mongodb"], "hosts": "127.0.0.1:1,evil.test:27017"}}
    (acme.folder / "plan.json").write_text(json.dumps(plan))
    bound("127.0.0.1, b.test")
    assert "is for 127.0.0.1, b.test, and config.yml names evil.test" in acme.run(expected=1)


def test_no_password_is_ever_said(platform: Platform, instances: dict[str, Bootstrap]) -> None:
    acme = instances["acme"]
    said = acme.run() + acme.run()
    for value in (*PASSWORDS.values(), ADMIN_PASSWORD):
        assert value not in said
    assert "IDENTIFIED" not in said
