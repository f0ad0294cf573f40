"""Stores: both keep values the same way; with the AWS emulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.stub import Stubber
from tutoraws.services.secretsmanager import ChangedError
from tutorplatform.errors import ConfigError, DeployError
from tutorsecrets.stores.parameterstore import ParameterStore
from tutorsecrets.stores.secretsmanager import SecretsManagerStore
from tutorsecrets.stores.store import Store

Pair = Callable[..., tuple[Store, Store]]

HOSTILE = 'it\'s "$HOME" `id` \\ {{x}}\n\t é🔑 '


def client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def secrets_manager(endpoint: str, **tags: str) -> Store:
    api = client("secretsmanager", endpoint)
    return SecretsManagerStore(api, f"openedx/{uuid4()}", "", tags)


def parameter_store(endpoint: str, **tags: str) -> Store:
    return ParameterStore(client("ssm", endpoint), f"openedx/{uuid4()}", "", tags)


@pytest.fixture(params=[secrets_manager, parameter_store], ids=["secret", "parameters"])
def store(request: pytest.FixtureRequest, aws_endpoint: str) -> Store:
    made: Store = request.param(aws_endpoint, team="learning")
    return made


def values(store: Store) -> dict[str, str]:
    content = store.read({})
    assert content is not None
    return dict(content.values)


def test_nothing_was_written_yet(store: Store) -> None:
    assert store.read({}) is None


def test_values_stay_as_they_are(store: Store) -> None:
    store.write({"A": HOSTILE, "B": "b"})
    assert values(store) == {"A": HOSTILE, "B": "b"}


def test_a_change_keeps_the_rest(store: Store) -> None:
    store.write({"A": "a", "B": "b"})
    store.write({"B": "c", "C": "d"})
    assert values(store) == {"A": "a", "B": "c", "C": "d"}


def test_changes_have_a_time(store: Store) -> None:
    """So that one sees which are old."""
    store.write({"A": "a"})
    content = store.read({})
    assert content is not None
    age = datetime.now(timezone.utc) - content.changed["A"]
    assert abs(age) < timedelta(minutes=1)


def test_many_values_are_one_content(store: Store) -> None:
    """More than one page of parameters."""
    many = {f"KEY_{number}": f"value {number}" for number in range(25)}
    store.write(many)
    assert values(store) == many


def test_contents_hide_themselves(store: Store) -> None:
    store.write({"A": "s3cret"})
    assert "s3cret" not in repr(store.read({}))


def test_values_that_are_too_long_are_refused(store: Store) -> None:
    """Before anything is written; the error names the limit and not the value."""
    with pytest.raises(ConfigError, match=r"more than the \d+ bytes that fit") as raised:
        store.write({"A": "x" * 70_000})
    assert "xxx" not in str(raised.value)
    assert store.read({}) is None


def test_shared_secrets_are_read_by_reference(aws_endpoint: str) -> None:
    """RDS keeps the administrator's password in a secret of its own."""
    api = client("secretsmanager", aws_endpoint)
    name = f"rds!cluster-{uuid4()}"
    arn = api.create_secret(Name=name, SecretString=json.dumps({"password": HOSTILE}))["ARN"]
    store = secrets_manager(aws_endpoint)
    store.write({"A": "a"})
    for reference in (f"{name}#password", f"{arn}#password"):
        content = store.read({"MYSQL_ROOT_PASSWORD": reference})
        assert content is not None
        assert content.values == {"A": "a", "MYSQL_ROOT_PASSWORD": HOSTILE}
        assert "MYSQL_ROOT_PASSWORD" in content.changed


def test_shared_parameters_are_read_by_reference(aws_endpoint: str) -> None:
    name = f"/platform/{uuid4()}"
    client("ssm", aws_endpoint).put_parameter(Name=name, Value=HOSTILE, Type="SecureString")
    store = parameter_store(aws_endpoint)
    store.write({"A": "a"})
    content = store.read({"MYSQL_ROOT_PASSWORD": name})
    assert content is not None
    assert content.values == {"A": "a", "MYSQL_ROOT_PASSWORD": HOSTILE}
    with pytest.raises(DeployError, match="there is no parameter /gone in eu-west-1"):
        store.read({"MYSQL_ROOT_PASSWORD": "/gone"})


def test_each_change_is_a_version(aws_endpoint: str) -> None:
    """The one before can be had back in AWS."""
    api = client("secretsmanager", aws_endpoint)
    name = f"openedx/{uuid4()}"
    store = SecretsManagerStore(api, name, "", {})
    store.write({"A": "old"})
    store.write({"A": "new"})
    before = api.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")
    assert json.loads(before["SecretString"])["A"] == "old"


# Several at once

A_KEY, A_VALUE = "OF_SOMEBODY_ELSE", "theirs"


class Meanwhile:
    """A client of AWS. While the secret or parameter is written for the first time, `other`
    writes it as well, and is quicker."""

    def __init__(self, api: Any, other: Callable[[], object]) -> None:
        self._api, self._other = api, other
        self.meta = api.meta

    def __getattr__(self, name: str) -> Any:
        if name in ("create_secret", "put_secret_value", "put_parameter"):
            self._other, other = lambda: None, self._other
            other()
        return getattr(self._api, name)


@pytest.fixture(params=["secretsmanager", "ssm"], ids=["secret", "parameters"])
def pair(request: pytest.FixtureRequest, aws_endpoint: str) -> Pair:
    """Makes two stores of one name: the second one writes while the first one does."""
    kind: Any = {"secretsmanager": SecretsManagerStore, "ssm": ParameterStore}[request.param]
    api, name = client(request.param, aws_endpoint), f"openedx/{uuid4()}"

    def make(**theirs: str) -> tuple[Store, Store]:
        second = kind(api, name, "", {})
        return kind(Meanwhile(api, lambda: second.write(theirs)), name, "", {}), second

    return make


@pytest.mark.parametrize("before", [{}, {"A": "a"}], ids=["nobody's first", "a change"])
def test_two_at_once_lose_nothing(pair: Pair, before: dict[str, str]) -> None:
    """Whoever comes second makes his changes to what the first one has written."""
    first, second = pair(**{A_KEY: A_VALUE})
    second.write(before)
    assert first.write({"B": "b"}) == ["B"]
    assert values(second) == {**before, A_KEY: A_VALUE, "B": "b"}


@pytest.mark.parametrize("before", [{}, {"A": "a"}], ids=["nobody's first", "a change"])
def test_what_appears_meanwhile_can_be_kept(pair: Pair, before: dict[str, str]) -> None:
    """What was made up is not needed then, and nobody is told that it was stored."""
    first, second = pair(B="theirs")
    second.write(before)
    assert first.write({"A": "mine", "B": "mine", "C": "c"}, keep_existing=True) == [
        *([] if before else ["A"]),
        "C",
    ]
    assert values(second) == {"A": "mine", **before, "B": "theirs", "C": "c"}


def test_the_last_one_decides_on_one_setting(pair: Pair) -> None:
    first, second = pair(B="theirs")
    first.write({"B": "mine"})
    assert values(second) == {"B": "mine"}


def test_nothing_to_write_is_not_written(store: Store) -> None:
    store.write({"A": "a"})
    assert store.write({"A": "b"}, keep_existing=True) == []
    assert values(store) == {"A": "a"}


def test_somebody_who_never_stops_writing(
    aws_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is not waited for, nor overwritten."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    api, name = client("secretsmanager", aws_endpoint), f"openedx/{uuid4()}"

    class Restless(Meanwhile):
        def __getattr__(self, call: str) -> Any:
            if call == "put_secret_value":
                api.put_secret_value(SecretId=name, SecretString='{"A": "theirs"}')
            return getattr(api, call)

    api.create_secret(Name=name, SecretString="{}")
    store = SecretsManagerStore(Restless(api, lambda: None), name, "", {})
    with pytest.raises(ChangedError, match="run the command again when they are done"):
        store.write({"A": "mine"})
    assert values(store) == {"A": "theirs"}


def test_nobody_can_choose_an_arn(aws_endpoint: str) -> None:
    """AWS makes it of the name. So one that leads nowhere is a mistake."""
    api = client("secretsmanager", aws_endpoint)
    arn = f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:openedx/{uuid4()}-AbCdEf"
    with pytest.raises(ConfigError, match="SECRETS_NAME: there is no secret with this ARN in eu-w"):
        SecretsManagerStore(api, arn, "", {}).write({"A": "a"})


def test_tags_and_key_are_given_when_the_secret_is_made() -> None:
    api = client("secretsmanager", "http://127.0.0.1:9")
    with Stubber(api) as stub:
        stub.add_response("batch_get_secret_value", {"SecretValues": []})
        stub.add_response("create_secret", {"ARN": "arn:aws:secretsmanager:x-AbCdEf"})
        requests: list[dict[str, Any]] = []
        api.meta.events.register(
            "provide-client-params.secrets-manager.CreateSecret",
            lambda params, **_: requests.append(params),
        )
        SecretsManagerStore(api, "acme", "alias/openedx", {"team": "learning"}).write({"A": "a"})
    [request] = requests
    assert request["KmsKeyId"] == "alias/openedx"
    assert request["Tags"] == [{"Key": "team", "Value": "learning"}]


@pytest.mark.parametrize(
    ("kms_key", "tags", "problems"),
    [
        ("", {}, []),
        ("alias/openedx", {"team": "learning"}, []),
        ("alias/other", {}, ["is not encrypted with SECRETS_KMS_KEY"]),
        ("", {"team": "other"}, ["lacks the tags team"]),
    ],
    ids=["nothing asked for", "as asked for", "another key", "another tag"],
)
def test_what_differs_from_the_settings_is_said(
    kms_key: str, tags: dict[str, str], problems: list[str]
) -> None:
    """With the command that mends it."""
    api = client("secretsmanager", "http://127.0.0.1:9")
    with Stubber(api) as stub:
        stub.add_response(
            "describe_secret",
            {
                "ARN": "arn:aws:secretsmanager:x-AbCdEf",
                "KmsKeyId": "alias/openedx",
                "Tags": [{"Key": "team", "Value": "learning"}],
            },
        )
        found = SecretsManagerStore(api, "acme", kms_key, tags).deviations()
    assert [problem for problem, _ in found] == problems
    assert all("run `aws secretsmanager " in remedy for _, remedy in found)
