"""The plugin's own settings: typed, and refused where they contradict each other."""

from __future__ import annotations

from typing import Any

import pytest
from tutorplatform.errors import ConfigError
from tutorsecrets import settings

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:openedx/acme-AbCdEf"
ROLE = "arn:aws:iam::123456789012:role/acme-secrets"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        pytest.param({"SECRETS_KEYS": "X"}, "SECRETS_KEYS: 'X' is not a list", id="no list"),
        pytest.param({"SECRETS_KEYS": ["Schlüssel"]}, "SECRETS_KEYS[0]: 'Sch", id="not ASCII"),
        pytest.param({"SECRETS_PLAIN": ["a/b"]}, "SECRETS_PLAIN[0]: 'a/b' is not", id="no key"),
        pytest.param({"SECRETS_KEYS": ["a-b"]}, "SECRETS_KEYS[0]: 'a-b' is not", id="no name"),
        pytest.param({"SECRETS_NAME": ""}, "SECRETS_NAME: is empty, and would be", id="nobody's"),
        pytest.param({"SECRETS_NAME": 7}, "SECRETS_NAME: 7 is not text", id="no text"),
        pytest.param({"SECRETS_NAME": "a//b"}, "SECRETS_NAME: 'a//b' is not the", id="slashes"),
        pytest.param({"SECRETS_NAME": "/a"}, "SECRETS_NAME: '/a' is not the name", id="root"),
        pytest.param({"SECRETS_KEY": []}, "SECRETS_KEY: there is no such setting", id="unknown"),
        pytest.param(
            {"SECRETS_MODE": "x"}, "SECRETS_MODE: 'x' is unknown; write 'direct' or", id="mode"
        ),
        pytest.param({"SECRETS_STORE": "vault"}, "SECRETS_STORE: 'vault' is unknown", id="store"),
        pytest.param({"SECRETS_TAGS": ["a"]}, "SECRETS_TAGS: ['a'] is not a mapping", id="tags"),
        pytest.param({"SECRETS_KMS_KEY": "a b"}, "SECRETS_KMS_KEY: 'a b' is not the ARN", id="key"),
        pytest.param(
            {"SECRETS_NAME": ARN, "AWS_REGION": "us-east-1"},
            "SECRETS_NAME: is a secret in eu-west-1, but AWS_REGION is us-east-1",
            id="region",
        ),
        pytest.param(
            {"SECRETS_NAME": ARN, "SECRETS_STORE": "parameter-store"},
            "SECRETS_NAME: is a secret, but SECRETS_STORE keeps parameters",
            id="secret for a parameter",
        ),
        pytest.param(
            {"SECRETS_MODE": "external-secrets"},
            "SECRETS_EXTERNAL.role_arn: is not set, and external-secrets would read with",
            id="nobody's role",
        ),
        pytest.param(
            {"SECRETS_EXTERNAL": {"refresh_interval": "often"}},
            "SECRETS_EXTERNAL.refresh_interval: 'often' is not a time",
            id="interval",
        ),
    ],
)
def test_wrong_settings_are_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        settings.read(config)
    assert str(raised.value).startswith(message)


def test_a_reference_that_may_be_the_secret_itself_is_not_shown() -> None:
    """Who misreads the setting writes the password there."""
    with pytest.raises(ConfigError) as raised:
        settings.read({"SECRETS_REFERENCES": {"MYSQL_ROOT_PASSWORD": "hunter 2"}})
    assert str(raised.value).startswith(
        "SECRETS_REFERENCES.MYSQL_ROOT_PASSWORD: does not say where"
    )
    assert "hunter" not in str(raised.value)


def test_everything_can_be_set() -> None:
    found = settings.read(
        {
            "SECRETS_NAME": ARN,
            "AWS_REGION": "eu-west-1",
            "SECRETS_MODE": "external-secrets",
            "SECRETS_EXTERNAL": {"role_arn": ROLE},
            "SECRETS_KEYS": ["LICENSE"],
            "SECRETS_PLAIN": ["MAP_API_KEY", "tls.key", "client-token"],
            "SECRETS_REFERENCES": {"MYSQL_ROOT_PASSWORD": "rds!cluster-0a1b-XyZ#password"},
            "SECRETS_KMS_KEY": "alias/openedx",
            "SECRETS_TAGS": {"team": "learning"},
        }
    )
    assert found.external.role_arn == ROLE
    assert found.references == {"MYSQL_ROOT_PASSWORD": "rds!cluster-0a1b-XyZ#password"}


def test_the_defaults_can_be_read() -> None:
    """Once Tutor has rendered them."""
    rendered = {**settings.DEFAULTS, "SECRETS_NAME": "openedx/acme"}
    assert settings.read(rendered) == settings.Settings(name="openedx/acme")


def test_what_is_needed_before_rendering_needs_no_rendering() -> None:
    """Templates in other settings are no concern."""
    raw = {
        "SECRETS_NAME": "openedx/{{ K8S_NAMESPACE }}",
        "SECRETS_KEYS": ["A"],
        "SECRETS_REFERENCES": {"B": "x#y"},
        "SECRETS_PLAIN": ["C"],
    }
    assert settings.keys(raw) == ("A", "B")
    assert settings.plain_names(raw) == ("C",)
