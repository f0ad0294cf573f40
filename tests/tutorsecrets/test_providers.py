"""Providers: values in a JSON secret, made up where missing and never changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import uuid4

import pytest
from tutor.types import Config
from tutorplatform.errors import DeployError
from tutorsecrets.providers import AwsStore, complete, deployed_values, values


class Memory:
    """A store that counts how often it is written to."""

    def __init__(self, **texts: str) -> None:
        self.texts = texts
        self.writes = 0

    def read(self, names: Sequence[str]) -> dict[str, str]:
        return {name: self.texts[name] for name in names if name in self.texts}

    def create(self, name: str, text: str) -> None:
        assert name not in self.texts
        self.update(name, text)

    def update(self, name: str, text: str) -> None:
        self.writes += 1
        self.texts[name] = text


def generate(template: str) -> str:
    return f"made from {template}"


def test_a_new_secret_gets_everything() -> None:
    """One call creates it, complete."""
    store = Memory()
    assert complete(store, "acme", {"B": "b", "A": "a"}, generate) == ["A", "B"]
    assert json.loads(store.texts["acme"]) == {"A": "made from a", "B": "made from b"}
    assert store.writes == 1


def test_what_is_there_is_never_changed() -> None:
    """Only what is missing is added, also beside values that Tutor knows nothing of."""
    store = Memory(acme='{"A": "mine", "X": "other"}')
    assert complete(store, "acme", {"A": "a", "B": "b"}, generate) == ["B"]
    assert json.loads(store.texts["acme"]) == {"A": "mine", "X": "other", "B": "made from b"}


def test_a_complete_secret_is_not_written() -> None:
    """A second run changes nothing at all, not even the version."""
    store = Memory()
    complete(store, "acme", {"A": "a"}, generate)
    assert complete(store, "acme", {"A": "a"}, generate) == []
    assert store.writes == 1


def test_two_instances_keep_apart() -> None:
    """Each has its own secret."""
    store = Memory()
    complete(store, "acme", {"A": "a"}, generate)
    complete(store, "beta", {"A": "b"}, generate)
    assert values(store, "acme").get("A") != values(store, "beta").get("A")


def test_a_secret_that_does_not_exist_is_named() -> None:
    """With the command that makes it."""
    with pytest.raises(DeployError) as caught:
        values(Memory(), "openedx/acme")
    assert str(caught.value).startswith(
        "SECRETS_NAME: there is no secret openedx/acme in the store"
    )
    assert "run `tutor secrets init`" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("s3cret", "is not a JSON object", id="no JSON"),
        pytest.param("", "is not a JSON object", id="binary or empty"),
        pytest.param('["s3cret"]', "is not a JSON object", id="list"),
        pytest.param('{"A": "s3cret\\ud800"}', "is not a JSON object", id="half a character"),
        pytest.param('{"A": 53}', "the value of A is not text", id="number"),
        pytest.param('{"A": {"b": "s3cret"}}', "the value of A is not text", id="nested"),
    ],
)
def test_unusable_secrets_are_refused_and_not_shown(text: str, problem: str) -> None:
    """Both for reading and before anything would be written over them."""
    store = Memory(acme=text)
    for use in (
        lambda: values(store, "acme"),
        lambda: complete(store, "acme", {"B": "b"}, generate),
    ):
        with pytest.raises(DeployError, match=rf"^secret acme: {problem}") as caught:
            use()
        assert "s3cret" not in str(caught.value)
        assert caught.value.__suppress_context__ or not caught.value.__context__
    assert store.texts == {"acme": text}


@pytest.fixture
def _aws(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.mark.usefixtures("_aws")
def test_secrets_manager_keeps_values() -> None:
    """Create, add, read: the way from `init` to a deployment."""
    name = f"openedx/{uuid4()}"
    config: Config = {"AWS_REGION": "eu-west-1", "SECRETS_NAME": name, "SECRETS_KEYS": []}
    store = AwsStore(config)
    assert complete(store, name, {"A": "a"}, generate) == ["A"]
    assert complete(store, name, {"A": "a", "B": "b"}, generate) == ["B"]
    found = deployed_values(config)
    assert (found.get("A"), found.get("B")) == ("made from a", "made from b")
