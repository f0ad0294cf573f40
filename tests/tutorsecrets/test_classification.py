"""Which settings are secret, and what is said when one is in plain text."""

from __future__ import annotations

from typing import Any

import pytest
from tutorplatform.errors import ConfigError
from tutorsecrets import classification
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
    assert classification.generators(UNIQUE) == {
        "NOTES_SALT": "{{ 24 | random_string }}",
        "JWT_RSA_PRIVATE_KEY": "{{ 2048|rsa_private_key }}",
    }


def test_derived_values_are_known_apart() -> None:
    """A setting made from a secret one needs no value of its own."""
    assert list(classification.derived(UNIQUE, ["NOTES_SALT"])) == ["MEILISEARCH_API_KEY"]


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
        pytest.param("smtpPassword", "x", True, id="camel case"),
        pytest.param("SMTP_PASSPHRASE_2", "x", True, id="number at the end"),
        pytest.param("PGPASSWORD", "x", True, id="one word"),
        pytest.param("WEBHOOK_TOKENS", ["x"], True, id="list"),
        pytest.param("SMTP", {"host": "h", "password": "x"}, True, id="in a mapping"),
        pytest.param("REGION_TOKEN", {"eu": ["x"]}, True, id="mapping of secrets"),
        pytest.param("SMTP", {"host": "h", "password": token("SALT")}, False, id="mapping, token"),
        pytest.param("BROKER", "redis://u:x@host", True, id="URL with a password"),
        pytest.param("BROKERS", [{"url": "redis://:x@host"}], True, id="nested URL"),
        pytest.param("BROKER", "redis://u:{{ P }}@host", False, id="URL with a template"),
        pytest.param("BROKER", "redis://host:6379/0?x=@", False, id="URL without one"),
        pytest.param("CORS_ALLOW_CREDENTIALS", True, False, id="switch"),
        pytest.param("SECRETS_REFERENCES", {"MY_SECRET": "rds!x#y"}, False, id="our own setting"),
    ],
)
def test_plain_secrets_are_found(setting: str, value: Any, refused: bool) -> None:
    """Known secrets and settings named like one may not hold a plain value."""
    assert classification.plain_secrets({setting: value}, ["SALT"]) == (
        [setting] if refused else []
    )


def test_nothing_is_plain_in_an_empty_configuration() -> None:
    """An empty config.yml is fine."""
    assert classification.plain_secrets({}, ["SALT"]) == []


def test_what_is_called_like_a_secret_can_be_declared_plain() -> None:
    """A known secret cannot."""
    config = {"MAP_API_KEY": "public", "SALT": "x"}
    assert classification.plain_secrets(config, ["SALT"], ["MAP_API_KEY", "SALT"]) == ["SALT"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(
            classification.config_error(["A_SECRET", "B_TOKEN"]),
            "config.yml: A_SECRET, B_TOKEN: a secret in plain text; run `tutor secrets migrate`",
            id="config.yml",
        ),
        pytest.param(
            classification.argument_error(["A_SECRET"], ["A_SECRET"]),
            "config save: A_SECRET: a secret in plain text, which would be written to "
            "config.yml; run `tutor secrets set A_SECRET`",
            id="argument",
        ),
        pytest.param(
            classification.argument_error(["A_SECRET"], []),
            "config save: A_SECRET: a secret in plain text, which would be written to config.yml; "
            "run `tutor config save --append SECRETS_KEYS=A_SECRET`, then `tutor secrets set A_",
            id="argument that nobody has declared",
        ),
        pytest.param(
            classification.override_error(["A_SECRET"]),
            "environment: TUTOR_A_SECRET: a secret in plain text; unset it",
            id="environment",
        ),
        pytest.param(
            classification.default_error(["A_SECRET"]),
            "default settings: A_SECRET: a secret in plain text, the same for everybody; run "
            "`tutor config save --append SECRETS_KEYS=A_SECRET` and `tutor secrets set A_SECRET`",
            id="default",
        ),
    ],
)
def test_errors_say_which_settings_and_what_to_do(error: ConfigError, message: str) -> None:
    assert str(error).startswith(message)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        pytest.param({"A": "tutor-secret.A"}, "A: has a part of a token in it", id="cut"),
        pytest.param({"A": token("SLAT")}, "A: has the token of SLAT, which is no", id="misspelt"),
        pytest.param({"A": [f"x{token('B')}"]}, "A: has the token of B, which is no", id="in list"),
    ],
)
def test_tokens_pasted_by_hand_have_to_be_right(config: dict[str, Any], message: str) -> None:
    """Before somebody makes up a value for a setting that nobody has."""
    with pytest.raises(ConfigError) as raised:
        classification.require_whole_tokens(config, ["SALT"])
    assert str(raised.value).startswith(message)


def test_tokens_of_secrets_are_right_wherever_they_stand() -> None:
    """A setting's own token, another secret's, inside of other text."""
    config = {"A": token("A"), "B": f"redis://{token('SALT')}@host", "C": 5}
    classification.require_whole_tokens(config, ["SALT"])
