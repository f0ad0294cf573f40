"""The scripts of a rotation, in a real shell, on a real server: both users are valid in between."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pymysql
import pytest
from localcluster.model import LOOPBACK
from localservices.mariadb import MariadbServer
from tutorsecrets.managing import turns
from tutorsecrets.managing.databases import DatabaseUser
from tutorsecrets.rewriting import scripts
from tutorsecrets.rewriting.encodings import Encoding, encoded
from tutorsecrets.tokens import token

pytestmark = pytest.mark.services

# As RDS makes them up for an administrator, and worse.
ROOT_PASSWORD = "a'b$(id)`x`#!&|;<>*\\ \"z"
OLD, NEW = "old'\\pass\"word", "new';-- \\ $x `y` \"z"
USER = DatabaseUser(
    *("OPENEDX_MYSQL_PASSWORD", "OPENEDX_MYSQL_USERNAME"),
    *("acmeopenedx", "acmeopenedx", "acmeopenedx_2"),
)

# MariaDB lets nobody change his own password in MySQL's words, and MySQL not in these.
AS_MARIADB = r"""
for argument; do
    shift
    before='^(--execute=)ALTER USER USER[(][)] IDENTIFIED BY (.*) REPLACE .*$'
    words="s/$before/\1SET PASSWORD = PASSWORD(\2)/"
    set -- "$@" "$(printf %s "$argument" | sed -E "$words")"
done
"""

Run = Callable[[str], str]


class JobError(Exception):
    """A script has failed, with this on its standard error."""


def connect(server: MariadbServer, user: str, password: str) -> pymysql.Connection:
    return pymysql.connect(
        host=LOOPBACK,
        port=server.port,
        user=user,
        password=password,
        database=USER.database if user != "root" else None,
        ssl_ca=str(server.authority),
    )


@pytest.fixture
def run(mariadb_server: MariadbServer, tmp_path: Path) -> Run:
    """Runs a script as a job of ours does: values come in variables of its environment."""
    client = shutil.which("mariadb") or shutil.which("mysql")
    (tmp_path / "mysql").write_text(
        f"#!/bin/sh\n{AS_MARIADB}\n"
        f'exec {client} --no-defaults --ssl-ca={mariadb_server.authority} "$@"\n'
    )
    (tmp_path / "mysql").chmod(0o755)
    settings = {
        "{{ MYSQL_ROOT_USERNAME }}": "admin",
        "{{ MYSQL_ROOT_PASSWORD }}": token("MYSQL_ROOT_PASSWORD"),
        "{{ MYSQL_HOST }}": LOOPBACK,
        "{{ MYSQL_PORT }}": str(mariadb_server.port),
    }
    values = {token("MYSQL_ROOT_PASSWORD"): ROOT_PASSWORD, token("OLD"): OLD, token("NEW"): NEW}

    def run_script(script: str) -> str:
        for template, text in settings.items():
            script = script.replace(template, text)
        variables: dict[str, str] = {}

        def variable(text: str, encoding: Encoding) -> str:
            name = f"V{len(variables)}"
            variables[name] = encoded(values[text], encoding) or ""
            return name

        filled = scripts.with_variables(script, variable)
        path = f"{tmp_path}:{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-e", "-c", filled],
            env={"PATH": path, "LC_ALL": "C.UTF-8", **variables},
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise JobError(done.stderr)
        return done.stderr

    return run_script


@pytest.fixture
def _database(mariadb_server: MariadbServer) -> None:
    """The instance's database with its first user, and an administrator."""
    with connect(mariadb_server, "root", "") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER admin IDENTIFIED BY %s", [ROOT_PASSWORD])
        cursor.execute("GRANT ALL ON *.* TO admin WITH GRANT OPTION")
        cursor.execute("CREATE OR REPLACE DATABASE acmeopenedx")
        cursor.execute("CREATE OR REPLACE DATABASE other")
        cursor.execute("CREATE TABLE other.t (x INT)")
        cursor.execute("CREATE OR REPLACE USER acmeopenedx IDENTIFIED BY %s", [OLD])
        cursor.execute("GRANT ALL ON acmeopenedx.* TO acmeopenedx")
        cursor.execute("DROP USER IF EXISTS acmeopenedx_2")


@pytest.mark.usefixtures("_database")
def test_old_and_new_password_are_valid_until_the_old_user_goes(
    mariadb_server: MariadbServer, run: Run
) -> None:
    """Whatever characters they have; each step can be repeated."""
    for _ in range(2):
        run(USER.creation(token("NEW")))
    for user, password in ((USER.old, OLD), (USER.new, NEW)):
        with connect(mariadb_server, user, password) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS t (x INT)")
    for _ in range(2):
        run(USER.removal)
    with connect(mariadb_server, USER.new, NEW):
        pass
    with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
        connect(mariadb_server, USER.old, OLD)


@pytest.mark.usefixtures("_database")
@pytest.mark.parametrize("user", [USER.new, USER.old])
@pytest.mark.parametrize(
    ("rights", "found"),
    [
        ("ALL ON other.*", "on other"),
        ("SELECT ON other.t", "on other"),
        ("SELECT (x) ON other.t", "on other"),
        ("PROCESS ON *.*", "on all databases"),
    ],
    ids=["database", "table", "column", "all"],
)
def test_a_user_of_somebody_else_is_left_alone(
    user: str, rights: str, found: str, mariadb_server: MariadbServer, run: Run
) -> None:
    """Neither gets it another password, nor is it removed later; the job says why."""
    with connect(mariadb_server, "root", "") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER %s IDENTIFIED BY %s", [user, OLD])
        cursor.execute(f"GRANT {rights} TO {user}")
        cursor.execute(f"GRANT ALL ON {USER.database}.* TO {user}")
    with pytest.raises(JobError) as raised:
        run(USER.creation(token("NEW")))
    said = str(raised.value)
    assert "MySQL: nothing was changed, because acmeopenedx and acmeopenedx_2 may have" in said
    assert found in said
    assert "OPENEDX_MYSQL_USERNAME" in said
    assert OLD not in said
    with connect(mariadb_server, user, OLD):
        pass


@pytest.mark.usefixtures("_database")
def test_an_administrator_who_may_not_look_changes_nothing(
    mariadb_server: MariadbServer, run: Run
) -> None:
    """What cannot be known is not taken for nothing."""
    with connect(mariadb_server, "root", "") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER admin IDENTIFIED BY %s", [ROOT_PASSWORD])
        cursor.execute("GRANT CREATE USER ON *.* TO admin WITH GRANT OPTION")
    with pytest.raises(JobError, match="denied"):
        run(USER.creation(token("NEW")))
    with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
        connect(mariadb_server, USER.new, NEW)


@pytest.mark.usefixtures("_database")
def test_an_administrator_who_makes_nobody_leaves_no_password_in_the_log(
    mariadb_server: MariadbServer, run: Run
) -> None:
    """The client repeats the statement that failed."""
    with connect(mariadb_server, "root", "") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER admin IDENTIFIED BY %s", [ROOT_PASSWORD])
        cursor.execute("GRANT SELECT ON *.* TO admin")
    with pytest.raises(JobError, match="was not made; look the error up\nERROR 1227") as failed:
        run(USER.creation(token("NEW")))
    assert NEW not in str(failed.value)


@pytest.mark.usefixtures("_database")
def test_an_administrator_like_that_of_rds_may_do_all_of_it(
    mariadb_server: MariadbServer, run: Run
) -> None:
    """Who reads everything, makes users, and gives what he has himself."""
    with connect(mariadb_server, "root", "") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER admin IDENTIFIED BY %s", [ROOT_PASSWORD])
        cursor.execute("GRANT SELECT, CREATE USER ON *.* TO admin WITH GRANT OPTION")
        cursor.execute("GRANT ALL ON acmeopenedx.* TO admin WITH GRANT OPTION")
    run(USER.creation(token("NEW")))
    with connect(mariadb_server, USER.new, NEW):
        pass
    run(USER.removal)


@pytest.fixture
def _made_users(mariadb_server: MariadbServer, _database: None) -> None:
    """Both users, as a bootstrap makes them; and there is no administrator."""
    with connect(mariadb_server, "root", "") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER acmeopenedx_2 IDENTIFIED BY %s", [OLD])
        cursor.execute("GRANT ALL ON acmeopenedx.* TO acmeopenedx_2")
        cursor.execute("DROP USER admin")


@pytest.mark.usefixtures("_made_users")
def test_made_users_change_their_passwords_by_themselves(
    mariadb_server: MariadbServer, run: Run
) -> None:
    """Whatever characters they have; each step can be repeated."""
    for _ in range(2):
        run(turns.script(USER.new, token("OLD"), token("NEW")))
    for user, password in ((USER.old, OLD), (USER.new, NEW)):
        with connect(mariadb_server, user, password):
            pass
    for _ in range(2):
        run(turns.script(USER.old, token("OLD"), token("NEW")))
    for user in (USER.old, USER.new):
        with connect(mariadb_server, user, NEW):
            pass
        with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
            connect(mariadb_server, user, OLD)


@pytest.mark.usefixtures("_made_users")
def test_a_user_who_cannot_log_in_needs_a_bootstrap(
    mariadb_server: MariadbServer, run: Run
) -> None:
    with connect(mariadb_server, "root", "") as connection, connection.cursor() as cursor:
        cursor.execute("DROP USER acmeopenedx_2")
    with pytest.raises(JobError) as raised:
        run(turns.script(USER.new, token("OLD"), token("NEW")))
    said = str(raised.value)
    assert "MySQL: nothing was changed, because acmeopenedx_2 cannot log in" in said
    assert "'tutor aws instance bootstrap'" in said
    assert "ERROR 1045" in said
    assert OLD not in said
    assert NEW not in said
    with connect(mariadb_server, USER.old, OLD):
        pass
