"""One value at a time: what somebody else has chosen, and can be used as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tutorplatform.errors import ConfigError
from tutorsecrets.managing import upkeep
from tutorsecrets.tokens import token

from tests.tutorsecrets.keeper import Keeper

STORED = {"OPENEDX_SECRET_KEY": "s3cret", "SMTP_PASSWORD": "p"}
USER: Mapping[str, Any] = {
    "OPENEDX_MYSQL_USERNAME": "acmeopenedx",
    "OPENEDX_MYSQL_DATABASE": "acmeopenedx",
    "OPENEDX_MYSQL_PASSWORD": token("OPENEDX_MYSQL_PASSWORD"),
}


def never() -> str:
    raise AssertionError("nobody is asked for a value that cannot be taken")


def test_a_value_is_stored(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, STORED)
    upkeep.set_value(keeper.session, "SMTP_PASSWORD", lambda: " é\r\n")
    assert keeper.store.values == {**STORED, "SMTP_PASSWORD": " é\r\n"}


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("ID", "ID: is no secret setting of this instance"),
        ("MY_SECRET", "MY_SECRET: derives from OPENEDX_SECRET_KEY; run `tutor secrets rotate OPEN"),
        ("MYSQL_ROOT_PASSWORD", "MYSQL_ROOT_PASSWORD: is kept in rds; change it there"),
        ("OPENEDX_MYSQL_PASSWORD", "OPENEDX_MYSQL_PASSWORD: is the password of MySQL user acme"),
    ],
    ids=["no secret", "derived", "elsewhere", "of a user"],
)
def test_what_cannot_be_set_is_not_asked_for(tmp_path: Path, key: str, message: str) -> None:
    settings = {
        **USER,
        "MY_SECRET": "{{ OPENEDX_SECRET_KEY }}",
        "SECRETS_REFERENCES": {"MYSQL_ROOT_PASSWORD": "rds#password"},
    }
    keeper = Keeper(tmp_path, {**STORED, "OPENEDX_MYSQL_PASSWORD": "old"}, settings=settings)
    with pytest.raises(ConfigError) as raised:
        upkeep.set_value(keeper.session, key, never)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("value", "problem"),
    [("", "cannot be empty"), ("s3cret\udce9", "is not text in UTF-8")],
    ids=["empty", "latin-1"],
)
def test_what_is_no_value_is_refused(tmp_path: Path, value: str, problem: str) -> None:
    """And not shown."""
    keeper = Keeper(tmp_path, STORED)
    with pytest.raises(ConfigError, match=f"SMTP_PASSWORD: {problem}") as raised:
        upkeep.set_value(keeper.session, "SMTP_PASSWORD", lambda: value)
    assert "s3cret" not in str(raised.value)
    assert keeper.store.values == STORED


@pytest.mark.parametrize(
    ("stored", "force"),
    [({}, False), ({"OPENEDX_MYSQL_PASSWORD": ""}, False), ({"OPENEDX_MYSQL_PASSWORD": "a"}, True)],
    ids=["for the first time", "empty", "changed on the server"],
)
def test_a_users_password_can_be_set_where_nothing_breaks(
    tmp_path: Path, stored: dict[str, str], force: bool
) -> None:
    """The init task makes the user with it, or somebody has seen to it."""
    keeper = Keeper(tmp_path, stored, settings=USER)
    upkeep.set_value(keeper.session, "OPENEDX_MYSQL_PASSWORD", lambda: "b", force=force)
    assert keeper.store.values["OPENEDX_MYSQL_PASSWORD"] == "b"


def test_a_token_is_no_value(tmp_path: Path) -> None:
    """It would stand for itself, and nothing could be deployed."""
    keeper = Keeper(tmp_path, STORED)
    with pytest.raises(ConfigError, match="SMTP_PASSWORD: would be a token itself"):
        upkeep.set_value(keeper.session, "SMTP_PASSWORD", lambda: token("SMTP_PASSWORD"))
    assert keeper.store.values == STORED
