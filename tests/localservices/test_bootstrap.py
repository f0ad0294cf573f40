"""The program of a bootstrap on real servers: what two instances get, and what neither can do."""

from __future__ import annotations

import json
from typing import Any

import pymysql
import pytest

from tests.localservices.bootstrapping import Bootstrap
from tests.localservices.shared import ADMIN_PASSWORD, PASSWORDS, Platform

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
    """Whatever has changed it: afterwards the server knows the one that the instance has."""
    instances["acme"].run()
    platform.let_redis_follow("acme", PASSWORDS["REDIS_PASSWORD"])
    instances["acme"].change(OPENEDX_MYSQL_PASSWORD="new'\\", REDIS_PASSWORD="new-redis-password")
    said = instances["acme"].run()
    assert "MySQL user acmeopenedx_2: got the instance's password" in said
    assert "MySQL user acmecredentials: is there" in said
    assert "ElastiCache user acme: got the instance's password" in said
    assert "3 things were changed" in said
    platform.sql("USE acmeopenedx", user="acmeopenedx", password="new'\\")


def test_what_was_cut_off_goes_on(platform: Platform, instances: dict[str, Bootstrap]) -> None:
    """From whatever is there: here a user without rights, and without TLS."""
    platform.sql("CREATE DATABASE acmeopenedx", "CREATE USER acmeopenedx IDENTIFIED BY 'x'")
    said = instances["acme"].run()
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
    ],
    ids=["another database", "wildcard", "all", "another host", "grant option"],
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
        platform.sql("DROP USER IF EXISTS acmeopenedx@localhost")


def test_who_else_reaches_a_database_is_named(
    platform: Platform, instances: dict[str, Bootstrap]
) -> None:
    """By a pattern for names too."""
    platform.sql("CREATE USER betareports", "GRANT SELECT ON `acme_penedx`.* TO betareports")
    said = instances["acme"].run()
    assert "Mind: MySQL user betareports has rights on acmeopenedx too (on `acme_penedx`)" in said


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


def test_no_password_is_ever_said(platform: Platform, instances: dict[str, Bootstrap]) -> None:
    acme = instances["acme"]
    said = acme.run() + acme.run()
    for value in (*PASSWORDS.values(), ADMIN_PASSWORD):
        assert value not in said
    assert "IDENTIFIED" not in said
