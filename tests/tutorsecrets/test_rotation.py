"""Rotation: what happens, in which order, and to whom."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tutorplatform.errors import ConfigError
from tutorsecrets.managing import rotation
from tutorsecrets.stores import entries

CONFIG: dict[str, Any] = {
    "OPENEDX_MYSQL_USERNAME": "acmeopenedx",
    "OPENEDX_MYSQL_DATABASE": "acmeopenedx",
    "NOTES_MYSQL_USERNAME": "acmenotes2",
    "NOTES_MYSQL_DATABASE": "acmenotes",
}
GENERATORS = {"OPENEDX_MYSQL_PASSWORD", "NOTES_MYSQL_PASSWORD", "CMS_OAUTH2_SECRET"}
WORKLOADS = {"OPENEDX_MYSQL_PASSWORD": ["cms", "lms"], "CMS_OAUTH2_SECRET": ["cms"]}
APPLICATIONS = {"OPENEDX_MYSQL_PASSWORD": ["mysql"], "CMS_OAUTH2_SECRET": ["lms"]}


def plan(*keys: str) -> rotation.Plan:
    return rotation.plan(keys, CONFIG, GENERATORS, WORKLOADS, APPLICATIONS)


def test_a_database_password_gets_another_user() -> None:
    """Whose rights are the same; and its init task, which knows the password, need not run."""
    made = plan("OPENEDX_MYSQL_PASSWORD")
    [user] = made.users
    assert (user.old, user.new, user.database) == ("acmeopenedx", "acmeopenedx2", "acmeopenedx")
    assert made.workloads == ["cms", "lms"]
    assert made.applications == []


def test_the_two_users_take_turns() -> None:
    [user] = plan("NOTES_MYSQL_PASSWORD").users
    assert (user.old, user.new) == ("acmenotes2", "acmenotes")


def test_what_an_init_task_writes_somewhere_is_written_anew() -> None:
    """The client secret of an OAuth application stands in a database, too."""
    made = plan("CMS_OAUTH2_SECRET")
    assert made == rotation.Plan(["CMS_OAUTH2_SECRET"], [], ["cms"], ["lms"])


def test_several_at_once() -> None:
    made = plan("CMS_OAUTH2_SECRET", "OPENEDX_MYSQL_PASSWORD", "CMS_OAUTH2_SECRET")
    assert made.keys == ["CMS_OAUTH2_SECRET", "OPENEDX_MYSQL_PASSWORD"]
    assert made.workloads == ["cms", "lms"]
    assert made.applications == ["lms"]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("MYSQL_ROOT_PASSWORD", "of the server's administrator; change it there"),
        ("REDIS_PASSWORD", "of a user on the server, who can have two"),
        ("MONGODB_PASSWORD", "give a second user the same roles"),
        (
            "SMTP_PASSWORD",
            "is chosen by somebody else; have it changed, then run `tutor secrets set",
        ),
    ],
)
def test_passwords_that_are_not_ours_are_refused(key: str, message: str) -> None:
    """With what to do instead."""
    with pytest.raises(ConfigError) as raised:
        plan(key)
    assert raised.value.where == key
    assert message in str(raised.value)


def test_the_plan_is_told_in_order() -> None:
    told = [text for _, text in rotation.steps(plan("OPENEDX_MYSQL_PASSWORD", "CMS_OAUTH2_SECRET"))]
    assert told == [
        "MySQL: acmeopenedx2 is made with the rights of acmeopenedx; both are valid",
        "new values are made up and stored: CMS_OAUTH2_SECRET, OPENEDX_MYSQL_PASSWORD",
        "config.yml: OPENEDX_MYSQL_USERNAME",
        "tutor k8s start: new pods of cms, lms",
        "tutor k8s init --limit=lms",
        "MySQL: acmeopenedx is removed once no pod uses it",
    ]


def test_the_store_says_whose_password_it_has() -> None:
    """Also of users that other rotations have changed."""
    entry = rotation.recorded(plan("OPENEDX_MYSQL_PASSWORD").users, '{"X_MYSQL_USERNAME": "x2"}')
    assert json.loads(entry) == {"X_MYSQL_USERNAME": "x2", "OPENEDX_MYSQL_USERNAME": "acmeopenedx2"}
    assert json.loads(rotation.recorded([], None)) == {}


def test_an_interrupted_rotation_knows_who_was_before() -> None:
    """Whether config.yml has the new user by then or not."""
    entry = json.dumps({"OPENEDX_MYSQL_USERNAME": "acmeopenedx2"})
    for user in ("acmeopenedx", "acmeopenedx2"):
        config = {**CONFIG, "OPENEDX_MYSQL_USERNAME": user}
        before = rotation.before(config, entry)
        [found] = rotation.plan(["OPENEDX_MYSQL_PASSWORD"], before, GENERATORS, {}, {}).users
        assert (found.old, found.new) == ("acmeopenedx", "acmeopenedx2")


def test_another_users_password_is_not_deployed() -> None:
    """An old config.yml would leave every new pod without its database."""
    entry = json.dumps({"OPENEDX_MYSQL_USERNAME": "acmeopenedx2"})
    entries.require_users({"OPENEDX_MYSQL_USERNAME": "acmeopenedx2"}, entry)
    entries.require_users(CONFIG, None)
    with pytest.raises(ConfigError) as raised:
        entries.require_users(CONFIG, entry)
    assert str(raised.value).startswith(
        "OPENEDX_MYSQL_USERNAME: is 'acmeopenedx', but the password in the store is that of "
        "'acmeopenedx2'; take the newest config.yml"
    )
    assert "`tutor secrets rotate OPENEDX_MYSQL_PASSWORD`" in str(raised.value)
