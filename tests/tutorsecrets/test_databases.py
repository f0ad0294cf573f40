"""The two users of a database: what they are called, and which scripts they get."""

from __future__ import annotations

import pytest
from tutorplatform import names
from tutorplatform.errors import ConfigError
from tutorsecrets.managing.databases import DatabaseUser, database_user


def user(name: str, database: str = "acmeopenedx") -> DatabaseUser | None:
    config = {"OPENEDX_MYSQL_USERNAME": name, "OPENEDX_MYSQL_DATABASE": database}
    return database_user("OPENEDX_MYSQL_PASSWORD", config)


@pytest.mark.parametrize("name", ["acmeopenedx", "acme2openedx", "openedx2", "2"])
def test_the_two_users_take_turns(name: str) -> None:
    assert names.second_user(names.second_user(name)) == name


@pytest.mark.parametrize("instance", ["acme", "acme2", "lms2"])
@pytest.mark.parametrize("application", sorted(names.APPLICATIONS))
def test_no_instance_is_called_like_a_second_user(instance: str, application: str) -> None:
    """Whatever it is called: its users have letters and digits only."""
    name = names.database_name(instance, application)
    assert names.second_user(name) == f"{name}_2"
    assert not f"{name}_2".isalnum()


def test_the_longest_name_of_an_instance_has_room_for_its_second_user() -> None:
    found = user(names.database_name("a" * 16, "credentials"))
    assert found
    assert len(found.new) <= 32


@pytest.mark.parametrize(
    ("name", "database", "message"),
    [
        ("a" * 31, "acme", "OPENEDX_MYSQL_USERNAME: has no room for the second user"),
        ("a" * 33, "acme", "OPENEDX_MYSQL_USERNAME: 'a+' cannot be used"),
        ("it's", "acme", "OPENEDX_MYSQL_USERNAME: .* cannot be used"),
        ("acme", "a b", "OPENEDX_MYSQL_DATABASE: 'a b' cannot be used"),
    ],
    ids=["no room", "too long", "quote", "database"],
)
def test_names_that_do_not_fit_are_refused(name: str, database: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        user(name, database)


def test_other_settings_have_no_user() -> None:
    assert database_user("CMS_OAUTH2_SECRET", {}) is None
    assert database_user("OPENEDX_MYSQL_PASSWORD", {}) is None
