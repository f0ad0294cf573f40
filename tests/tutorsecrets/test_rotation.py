"""Rotation: what happens, in which order, and to whom."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tutorplatform.errors import ConfigError, DeployError
from tutorsecrets.managing import rotation
from tutorsecrets.stores import entries

CONFIG: dict[str, Any] = {
    "OPENEDX_MYSQL_USERNAME": "acmeopenedx",
    "OPENEDX_MYSQL_DATABASE": "acmeopenedx",
    "NOTES_MYSQL_USERNAME": "acmenotes_2",
    "NOTES_MYSQL_DATABASE": "acmenotes",
}
GENERATORS = {"OPENEDX_MYSQL_PASSWORD", "NOTES_MYSQL_PASSWORD", "CMS_OAUTH2_SECRET"}
WORKLOADS = {
    "OPENEDX_MYSQL_PASSWORD": ["deployment/cms", "deployment/lms"],
    "CMS_OAUTH2_SECRET": ["cronjob/cms", "deployment/cms"],
}
APPLICATIONS = {"OPENEDX_MYSQL_PASSWORD": ["mysql"], "CMS_OAUTH2_SECRET": ["lms"]}


def plan(*keys: str) -> rotation.Plan:
    return rotation.plan(keys, rotation.changing_users(keys, CONFIG), WORKLOADS, APPLICATIONS)


def test_a_database_password_gets_another_user() -> None:
    """Whose rights are the same; and its init task, which knows the password, need not run."""
    made = plan("OPENEDX_MYSQL_PASSWORD")
    [user] = made.users
    assert (user.old, user.new, user.database) == ("acmeopenedx", "acmeopenedx_2", "acmeopenedx")
    assert made.workloads == ["deployment/cms", "deployment/lms"]
    assert made.applications == []


def test_what_an_init_task_writes_somewhere_is_written_anew() -> None:
    """The client secret of an OAuth application stands in a database, too."""
    made = plan("CMS_OAUTH2_SECRET")
    workloads = ["cronjob/cms", "deployment/cms"]
    assert made == rotation.Plan(["CMS_OAUTH2_SECRET"], [], workloads, ["lms"])


def test_several_at_once() -> None:
    made = plan("CMS_OAUTH2_SECRET", "OPENEDX_MYSQL_PASSWORD", "CMS_OAUTH2_SECRET")
    assert made.keys == ["CMS_OAUTH2_SECRET", "OPENEDX_MYSQL_PASSWORD"]
    assert made.workloads == ["cronjob/cms", "deployment/cms", "deployment/lms"]
    assert made.applications == ["lms"]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("MYSQL_ROOT_PASSWORD", "of the server's administrator; change it there"),
        ("REDIS_PASSWORD", "of a user on the server, who can have two"),
        ("OPENSEARCH_PASSWORD", "make a second user with the same role"),
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
        rotation.require_ours(["CMS_OAUTH2_SECRET", key], GENERATORS)
    assert raised.value.where == key
    assert message in str(raised.value)


def test_the_plan_is_told_in_order() -> None:
    told = [text for _, text in rotation.steps(plan("OPENEDX_MYSQL_PASSWORD", "CMS_OAUTH2_SECRET"))]
    assert told == [
        "store: new values are made up and kept beside the old ones: "
        "CMS_OAUTH2_SECRET, OPENEDX_MYSQL_PASSWORD",
        "MySQL: acmeopenedx_2 is made with the rights of acmeopenedx; both are valid",
        "store: the new values replace the old ones",
        "config.yml: OPENEDX_MYSQL_USERNAME",
        "tutor k8s start: new pods of cronjob/cms, cms, lms",
        "tutor k8s init --limit=lms",
        "MySQL: acmeopenedx is removed once no pod uses it",
    ]


def test_the_store_says_whose_password_it_has() -> None:
    """Also of users that other rotations have changed."""
    entry = entries.with_users(
        '{"X_MYSQL_USERNAME": "x_2"}', {"OPENEDX_MYSQL_USERNAME": "acmeopenedx_2"}
    )
    assert entries.users(entry) == {
        "X_MYSQL_USERNAME": "x_2",
        "OPENEDX_MYSQL_USERNAME": "acmeopenedx_2",
    }
    assert entries.users(None) == {}


def test_another_users_password_is_not_deployed() -> None:
    """An old config.yml would leave every new pod without its database."""
    entry = json.dumps({"OPENEDX_MYSQL_USERNAME": "acmeopenedx_2"})
    entries.require_users({"OPENEDX_MYSQL_USERNAME": "acmeopenedx_2"}, entry)
    entries.require_users(CONFIG, None)
    with pytest.raises(ConfigError) as raised:
        entries.require_users(CONFIG, entry)
    assert str(raised.value) == (
        "OPENEDX_MYSQL_USERNAME: is 'acmeopenedx', but the password in the store is that of "
        "'acmeopenedx_2'; take the newest config.yml; if a rotation was interrupted, run "
        "`tutor secrets rotate`"
    )


@pytest.mark.parametrize("entry", ["s3cret", '"s3cret"', '["s3cret"]', '{"s3cret": 1}'])
def test_a_broken_entry_is_named_and_not_shown(entry: str) -> None:
    """With what to write there."""
    with pytest.raises(DeployError, match=r"entry SECRETS_USERS of the store: .*write") as raised:
        entries.require_users(CONFIG, entry)
    assert "s3cret" not in str(raised.value)
    assert raised.value.__cause__ is None
