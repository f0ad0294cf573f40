"""MySQL's users and databases by names from config.yml."""

from __future__ import annotations

from typing import Any

import pytest
from tutoraws.mysqlnames import check
from tutorplatform.errors import ConfigError

CONFIG: dict[str, Any] = {
    "RUN_MYSQL": False,
    "OPENEDX_MYSQL_DATABASE": "openedx",
    "OPENEDX_MYSQL_USERNAME": "openedx",
}


@pytest.mark.parametrize("name", ["u" * 30, "u" * 30 + "_2", "acme-openedx", "acme.openedx_2"])
def test_names_with_room_for_a_second_user(name: str) -> None:
    check({**CONFIG, "OPENEDX_MYSQL_USERNAME": name})


@pytest.mark.parametrize("name", ["u" * 31, "", "a b", "a'b", "a`b", "ä"])
def test_other_names(name: str) -> None:
    """MySQL has no room for them, or Tutor's scripts would break at them."""
    with pytest.raises(ConfigError, match=r"^OPENEDX_MYSQL_USERNAME: .* 30 at most"):
        check({**CONFIG, "OPENEDX_MYSQL_USERNAME": name})


def test_databases_have_longer_names() -> None:
    check({**CONFIG, "OPENEDX_MYSQL_DATABASE": "d" * 64})
    with pytest.raises(ConfigError, match=r"^OPENEDX_MYSQL_DATABASE: .* 64 at most"):
        check({**CONFIG, "OPENEDX_MYSQL_DATABASE": "d" * 63 + "_2"})


@pytest.mark.parametrize("name", ["open-edx", "open.edx", "123", "", "a b", "ä"])
def test_databases_have_names_that_need_no_quotes(name: str) -> None:
    """The task that copies learners to credentials has them without."""
    with pytest.raises(ConfigError, match=r"^OPENEDX_MYSQL_DATABASE: .* letters, digits and _, "):
        check({**CONFIG, "OPENEDX_MYSQL_DATABASE": name})
    check({**CONFIG, "OPENEDX_MYSQL_DATABASE": "open_edx2"})


def test_plugins_that_are_enabled_count() -> None:
    notes = {"NOTES_MYSQL_DATABASE": "notes", "NOTES_MYSQL_USERNAME": "n" * 31}
    with pytest.raises(ConfigError, match=r"^NOTES_MYSQL_USERNAME"):
        check({**CONFIG, **notes})


def test_tutors_own_server_is_tutors_own_business() -> None:
    check({**CONFIG, "RUN_MYSQL": True, "OPENEDX_MYSQL_USERNAME": "u" * 31})
