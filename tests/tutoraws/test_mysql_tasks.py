"""Tutor's tasks on MySQL, and who they run as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tutor import env
from tutoraws import mysql_tasks

INIT = (
    "mysql -u {{ MYSQL_ROOT_USERNAME }} -e 'CREATE DATABASE {{ NOTES_MYSQL_DATABASE }};'\n"
    'mysql -u {{ MYSQL_ROOT_USERNAME }} --password="{{ MYSQL_ROOT_PASSWORD }}" '
    "-e \"CREATE USER IF NOT EXISTS '{{ NOTES_MYSQL_USERNAME }}';\""
)
CONFIG: dict[str, Any] = {
    "RUN_MYSQL": False,
    "MYSQL_HOST": "db.test",
    "MYSQL_PORT": 3306,
    "MYSQL_ROOT_USERNAME": "root",
    "MYSQL_ROOT_PASSWORD": "secret-of-root",
    **{
        f"{name.upper()}_MYSQL_{part}": f"acme{name}"
        for name in ("openedx", "notes")
        for part in ("DATABASE", "USERNAME")
    },
    "OPENEDX_MYSQL_PASSWORD": "of-openedx",
    "NOTES_MYSQL_PASSWORD": "of-notes",
}


NAMES = ("NOTES", "SHOP")
SHOP = {f"SHOP_MYSQL_{part}": "acmeshop" for part in ("DATABASE", "USERNAME", "PASSWORD")}


def rendered(task: mysql_tasks.Task, **settings: Any) -> str:
    [(_, script)] = mysql_tasks.with_own_users([task])
    return env.render_str({**CONFIG, **settings}, script)


def test_what_makes_a_user_becomes_a_check_with_that_user() -> None:
    script = rendered(("mysql", INIT))
    assert 'mysql --user="acmenotes"' in script
    assert '--password="of-notes"' in script
    assert "CREATE" not in script
    assert "root" not in script


def test_what_makes_none_runs_as_the_user_of_the_platforms_database() -> None:
    script = rendered(("mysql", "mysql -u {{ MYSQL_ROOT_USERNAME }} -p{{MYSQL_ROOT_PASSWORD}} x"))
    assert script == "mysql -u acmeopenedx -pof-openedx x"


def test_for_a_plugin_that_no_bootstrap_knows_the_administrator_is_named() -> None:
    known, other = (rendered(("mysql", INIT.replace("NOTES", name)), **SHOP) for name in NAMES)
    assert "have 'tutor aws instance bootstrap' run" in known
    assert "have the administrator of the server make both" in other
    assert 'mysql --user="acmeshop"' in other


@pytest.mark.parametrize(
    "statement", ["CREATE USER '{{ SHOP_DB_USER }}'", "create database x", "GRANT ALL ON x.* TO y"]
)
def test_what_only_an_administrator_could_do_is_left_out_and_said(statement: str) -> None:
    script = rendered(("mysql", f'mysql -u {{{{ MYSQL_ROOT_USERNAME }}}} -e "{statement}"'))
    assert script.startswith(
        "echo 'MySQL: this task of a plugin is left out; have the administrator"
    )
    assert statement not in script


def test_a_server_of_tutors_own_keeps_tutors_tasks() -> None:
    assert rendered(("mysql", INIT), RUN_MYSQL=True) == env.render_str(CONFIG, INIT)


def test_tasks_of_other_services_stay() -> None:
    tasks = [("lms", "CREATE USER {{ MYSQL_ROOT_USERNAME }}")]
    assert mysql_tasks.with_own_users(tasks) == tasks


def test_they_are_changed_once() -> None:
    """Tutor runs a filter's callback for each plugin that it was added for."""
    once = mysql_tasks.with_own_users([("mysql", INIT)])
    assert mysql_tasks.with_own_users(once) == once


@pytest.mark.parametrize(
    ("arguments", "settings", "user"),
    [
        ([], {}, "acmeopenedx"),
        (["-e", "SELECT 1"], {}, "acmeopenedx"),
        (["acmenotes", "-e", "SELECT 1"], {}, "acmenotes"),
        (["acmenotes"], {"RUN_MYSQL": True}, "root"),
    ],
    ids=["nothing", "the platform's", "another's", "a server of Tutor's own"],
)
def test_sqlshell_logs_in_as_the_user_of_its_database(
    arguments: list[str], settings: Mapping[str, Any], user: str
) -> None:
    config = {**CONFIG, **settings}
    script = env.render_str(config, mysql_tasks.sqlshell(config, arguments))
    assert script.startswith(f'mysql --user="{user}" ')
    assert ("--ssl-mode=VERIFY_IDENTITY" in script) is (user != "root")
    assert all(f"'{each}'" in script or each in script for each in arguments)
