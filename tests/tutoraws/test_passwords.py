"""Passwords that would break the settings of the platform are refused, and never shown."""

from __future__ import annotations

import pytest
from tutoraws.passwords import check
from tutorplatform.errors import ConfigError


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        pytest.param("REDIS_PASSWORD", 'a"b', id="double quote in Python"),
        pytest.param("MONGODB_PASSWORD", "a\\b", id="backslash in Python"),
        pytest.param("OPENSEARCH_PASSWORD", 'a"b', id="OpenSearch's"),
        pytest.param("SMTP_PASSWORD", "a\nb", id="newline in YAML"),
        pytest.param("OPENEDX_MYSQL_PASSWORD", "a'b", id="single quote in SQL"),
        pytest.param("MYSQL_ROOT_PASSWORD", "a$b", id="variable in a shell"),
        pytest.param("MYSQL_ROOT_PASSWORD", "a`b", id="command in a shell"),
    ],
)
def test_a_password_that_ends_its_quotes_is_refused(setting: str, value: str) -> None:
    """The setting is named, the value is not."""
    with pytest.raises(ConfigError) as raised:
        check({setting: value})
    assert raised.value.where == setting
    assert value not in str(raised.value)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        # ElastiCache allows these in tokens.
        pytest.param("REDIS_PASSWORD", "!&#$^<>-/+%:@'`", id="AUTH token"),
        pytest.param("OPENEDX_MYSQL_PASSWORD", "s3cret/+%#", id="MySQL"),
        pytest.param("MONGODB_PASSWORD", "", id="empty"),
        pytest.param("MONGODB_PASSWORD", None, id="nothing"),
        pytest.param("MYSQL_ROOT_PASSWORD", "tutor-secret.MYSQL_ROOT_PASSWORD.end", id="token"),
    ],
)
def test_any_other_password_is_accepted(setting: str, value: object) -> None:
    """Whatever stays within its quotes arrives; our own settings quote it for URLs."""
    check({setting: value})


def test_a_configuration_without_passwords_is_accepted() -> None:
    """Tutor's databases inside the cluster need none."""
    check({})
