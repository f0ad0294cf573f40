"""Settings: which of them are secret."""

from __future__ import annotations

from typing import Any

import pytest
from tutorplatform.errors import ConfigError
from tutorsecrets import settings
from tutorsecrets.tokens import token

UNIQUE = [
    ("ID", "{{ 24|random_string }}"),
    ("NOTES_CLIENT_ID", "{{ 24 | random_string }}"),
    ("NOTES_SALT", "{{ 24 | random_string }}"),
    ("JWT_RSA_PRIVATE_KEY", "{{ 2048|rsa_private_key }}"),
    ("MEILISEARCH_API_KEY_UID", "{{ 4|uuid }}"),
    ("MEILISEARCH_API_KEY", "{{ NOTES_SALT|uid_master_hash(MEILISEARCH_API_KEY_UID) }}"),
    ("PLUGINS", ["mfe"]),
]


def test_made_up_values_are_secret() -> None:
    """What Tutor generates at random is secret, apart from labels; each with its own generator."""
    assert settings.generators(UNIQUE) == {
        "NOTES_SALT": "{{ 24 | random_string }}",
        "JWT_RSA_PRIVATE_KEY": "{{ 2048|rsa_private_key }}",
    }


def test_derived_values_are_known_apart() -> None:
    """A setting made from a secret one needs no value of its own."""
    assert list(settings.derived(UNIQUE, ["NOTES_SALT"])) == ["MEILISEARCH_API_KEY"]


@pytest.mark.parametrize(
    ("setting", "value", "refused"),
    [
        pytest.param("SALT", "x", True, id="known"),
        pytest.param("SALT", 12345678, True, id="number"),
        pytest.param("SALT", token("SALT"), False, id="token"),
        pytest.param("SALT", f"redis://{token('SALT')}@host", False, id="text with a token"),
        pytest.param("SALT", "", False, id="empty"),
        pytest.param("SALT", None, False, id="none"),
        pytest.param("REDIS_PASSWORD", "x", True, id="password"),
        pytest.param("OPENEDX_AWS_ACCESS_KEY", "x", True, id="access key"),
        pytest.param("SENTRY_TOKEN", "x", True, id="another plugin's"),
        pytest.param("SECRET", "x", True, id="bare"),
        pytest.param("CMS_OAUTH2_KEY_SSO", "cms-sso", False, id="client id"),
        pytest.param("PASSWORD_RESET_LINK", "https://x", False, id="link"),
    ],
)
def test_plain_secrets_are_found(setting: str, value: Any, refused: bool) -> None:
    """Known secrets and settings named like one may not hold a plain value."""
    assert settings.plain_secrets({setting: value}, ["SALT"]) == ([setting] if refused else [])


def test_nothing_is_plain_in_an_empty_configuration() -> None:
    """An empty config.yml is fine."""
    assert settings.plain_secrets({}, ["SALT"]) == []


def test_the_error_says_what_to_do_and_no_value() -> None:
    """The operator reads which settings, and the command that removes them."""
    error = str(settings.plain_text_error("config.yml", ["A_SECRET", "B_TOKEN"]))
    assert error.startswith("config.yml: A_SECRET, B_TOKEN: a secret in plain text; ")
    assert "`tutor config save --unset A_SECRET --unset B_TOKEN`" in error


def test_the_store_needs_every_key_in_use_and_the_hash_key() -> None:
    """A key that nobody knows how to make up gets a long random text."""
    assert settings.wanted({"A", "B"}, {"A": "{{ 8|random_string }}", "C": "unused"}) == {
        "A": "{{ 8|random_string }}",
        "B": "{{ 32|random_string }}",
        "SECRETS_HASH_KEY": "{{ 32|random_string }}",
    }


@pytest.mark.parametrize(
    ("config", "message"),
    [
        pytest.param({"SECRETS_KEYS": "X"}, r"^SECRETS_KEYS: 'X' is not a list", id="no list"),
        pytest.param({"SECRETS_KEYS": ["a-b"]}, r"^SECRETS_KEYS\[0\]: 'a-b' is not", id="no name"),
        pytest.param({"SECRETS_NAME": 7}, r"^SECRETS_NAME: 7 is not text", id="no text"),
        pytest.param({"SECRETS_MODE": "x"}, r"^SECRETS_MODE: there is no such", id="unknown"),
    ],
)
def test_wrong_settings_are_refused(config: dict[str, Any], message: str) -> None:
    """The plugin's own settings are typed, and unknown ones are errors."""
    with pytest.raises(ConfigError, match=message):
        settings.read(config)
