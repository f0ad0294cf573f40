"""Init tasks without an administrator, in a real shell, on a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pymysql
import pytest
from localcluster.model import LOOPBACK
from localservices.mariadb import MariadbServer
from tutor import env
from tutoraws import mysql_tasks

from tests.localservices.bootstrapping import Bootstrap
from tests.localservices.shared import PASSWORDS, Platform

pytestmark = pytest.mark.services

Run = Callable[..., "subprocess.CompletedProcess[str]"]

INIT = "mysql -u {{ MYSQL_ROOT_USERNAME }} -e \"CREATE USER '{{ OPENEDX_MYSQL_USERNAME }}';\""
COLUMNS = (
    "id INT AUTO_INCREMENT PRIMARY KEY, password TEXT, last_login DATETIME, is_superuser BOOL, "
    "username VARCHAR(99), first_name TEXT, last_name TEXT, email TEXT, is_staff BOOL, "
    "is_active BOOL, date_joined DATETIME"
)


@pytest.fixture
def run(mariadb_server: MariadbServer, tmp_path: Path) -> Run:
    """Runs a task on `mysql` as Tutor does; waiting takes no time."""
    client = shutil.which("mariadb") or shutil.which("mysql")
    verified = f"--ssl-ca={mariadb_server.authority} --ssl-verify-server-cert"
    for name, command in {
        # The pod's client has it from /etc/mysql/conf.d/aws.cnf.
        "mysql": f'exec {client} --no-defaults {verified} "$@"',
        "sleep": "echo waited",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{command}\n")
        (tmp_path / name).chmod(0o755)

    def run_task(
        script: str, settings: Mapping[str, object] | None = None
    ) -> subprocess.CompletedProcess[str]:
        [(_, own)] = mysql_tasks.with_own_users([("mysql", script)])
        config: dict[str, Any] = {
            "RUN_MYSQL": False,
            "MYSQL_HOST": LOOPBACK,
            "MYSQL_PORT": mariadb_server.port,
            "OPENEDX_MYSQL_DATABASE": "acmeopenedx",
            "OPENEDX_MYSQL_USERNAME": "acmeopenedx",
            "OPENEDX_MYSQL_PASSWORD": PASSWORDS["OPENEDX_MYSQL_PASSWORD"],
            "CREDENTIALS_MYSQL_DATABASE": "acmecredentials",
            **(settings or {}),
        }
        return subprocess.run(
            ["sh", "-e", "-c", env.render_str(config, own)],
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run_task


def test_a_check_succeeds_after_the_bootstrap(instances: dict[str, Bootstrap], run: Run) -> None:
    instances["acme"].run()
    done = run(INIT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "MySQL: database acmeopenedx is there"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"OPENEDX_MYSQL_PASSWORD": "wrong"},
        {"OPENEDX_MYSQL_DATABASE": "betaopenedx"},
    ],
    ids=["no bootstrap", "password", "database"],
)
def test_a_check_names_the_bootstrap_and_does_not_wait(
    settings: dict[str, object], instances: dict[str, Bootstrap], run: Run
) -> None:
    if settings:
        instances["acme"].run()
    done = run(INIT, settings)
    assert done.returncode == 1
    assert "have 'tutor aws instance bootstrap' run" in done.stderr
    assert "waited" not in done.stdout
    assert PASSWORDS["OPENEDX_MYSQL_PASSWORD"] not in done.stdout + done.stderr


def test_a_check_waits_for_a_server_that_is_not_there_yet(run: Run) -> None:
    done = run(INIT, {"MYSQL_PORT": 1})
    assert done.returncode == 1
    assert done.stdout.count("waited") == 9
    assert f"MySQL: no way to {LOOPBACK}; check AWS_MYSQL" in done.stderr


def test_learners_are_copied_without_an_administrator(
    platform: Platform, instances: dict[str, Bootstrap], run: Run
) -> None:
    """With tutor-credentials' own task, and the few rights of a bootstrap; once."""
    instances["acme"].run()
    own = {"user": "acmecredentials", "password": PASSWORDS["CREDENTIALS_MYSQL_PASSWORD"]}
    lms = {"user": "acmeopenedx", "password": PASSWORDS["OPENEDX_MYSQL_PASSWORD"]}
    platform.sql(
        f"CREATE TABLE acmecredentials.core_user ({COLUMNS}, full_name TEXT, lms_user_id INT)",
        **own,
    )
    platform.sql(
        f"CREATE TABLE acmeopenedx.auth_user ({COLUMNS})",
        "CREATE TABLE acmeopenedx.auth_userprofile (user_id INT, name TEXT)",
        "INSERT acmeopenedx.auth_user (id, username) VALUES (7, 'ada')",
        "INSERT acmeopenedx.auth_userprofile VALUES (7, 'Ada Lovelace')",
        **lms,
    )
    folder = resources.files("tutorcredentials") / "templates" / "credentials" / "tasks" / "mysql"
    task = (folder / "sync_users").read_text(encoding="utf-8")
    for _ in range(2):
        done = run(task)
        assert done.returncode == 0, done.stderr
    found = platform.sql("SELECT username, full_name, lms_user_id FROM acmecredentials.core_user")
    assert found == [("ada", "Ada Lovelace", 7)]


def test_sqlshell_reaches_the_instances_databases_and_no_other(
    platform: Platform, instances: dict[str, Bootstrap]
) -> None:
    for each in instances.values():
        each.run()
    lms = {"user": "acmeopenedx", "password": PASSWORDS["OPENEDX_MYSQL_PASSWORD"]}
    assert platform.sql("SHOW DATABASES LIKE '%openedx'", **lms) == [("acmeopenedx",)]
    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        platform.sql("USE betaopenedx", **lms)
