"""The choice of a store: the right kind, in the right region, before AWS is asked anything."""

from __future__ import annotations

import pytest
from tutor.types import Config
from tutorplatform.errors import ConfigError
from tutorsecrets.stores.choice import chosen, region
from tutorsecrets.stores.parameterstore import ParameterStore
from tutorsecrets.stores.secretsmanager import SecretsManagerStore

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:openedx/acme-AbCdEf"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    # Port 9 of this machine answers nobody.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("secrets-manager", SecretsManagerStore), ("parameter-store", ParameterStore)],
)
def test_the_setting_chooses(name: str, kind: type) -> None:
    assert isinstance(chosen({"SECRETS_NAME": "openedx/acme", "SECRETS_STORE": name}), kind)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"AWS_REGION": "us-east-1"}, "us-east-1"),
        ({"AWS_REGION": ""}, "eu-north-1"),
        ({}, "eu-north-1"),
    ],
    ids=["AWS_REGION", "none set", "without the aws plugin"],
)
def test_the_region_is_that_of_the_settings_or_else_of_the_environment(
    config: Config, expected: str
) -> None:
    named: Config = {"SECRETS_NAME": "openedx/acme", **config}
    assert chosen(named).region == expected
    assert region(named) == expected


def test_a_secret_in_another_region_is_refused() -> None:
    """AWS would answer that there is none, and it would be made anew."""
    with pytest.raises(ConfigError) as raised:
        chosen({"SECRETS_NAME": ARN})
    assert str(raised.value) == (
        "SECRETS_NAME: is a secret in eu-west-1, but AWS is asked in eu-north-1; correct it, "
        "or run `tutor config save --set AWS_REGION=…` with the right one"
    )
    assert chosen({"SECRETS_NAME": ARN, "AWS_REGION": "eu-west-1"}).region == "eu-west-1"


def test_an_arn_tells_its_region() -> None:
    """For the policy of somebody else, whose environment is another one."""
    assert region({"SECRETS_NAME": ARN}) == "eu-west-1"


def test_no_region_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    assert region({"SECRETS_NAME": "openedx/acme"}) == ""
