"""Documents: the JSON of a secret, with the time of each change beside the values."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tutorplatform.errors import DeployError
from tutorsecrets.stores.documents import Document, parsed, referred

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
KEYS = st.from_regex(r"[A-Z][A-Z0-9_]*", fullmatch=True).filter(
    lambda key: key != "SECRETS_CHANGED"
)
TEXTS = st.text(st.characters(codec="utf-8"))


@given(values=st.dictionaries(KEYS, TEXTS))
def test_what_is_written_is_read(values: dict[str, str]) -> None:
    """Any values, with the time of their change."""
    document = parsed("acme", Document({}).with_changes(values, NOW).text)
    assert document.values == values
    assert document.changed == dict.fromkeys(values, NOW)


def test_a_change_leaves_the_rest_alone() -> None:
    later = NOW.replace(year=2027)
    before = Document({}).with_changes({"A": "1", "B": "2"}, NOW)
    after = before.with_changes({"B": "3"}, later)
    assert after.values == {"A": "1", "B": "3"}
    assert after.changed == {"A": NOW, "B": later}


def test_what_somebody_else_wrote_has_no_time() -> None:
    """It is as good as ours."""
    assert parsed("acme", '{"A": "a"}') == Document({"A": "a"})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("s3cret", "is not a JSON object", id="no JSON"),
        pytest.param("", "is not a JSON object", id="binary or empty"),
        pytest.param('["s3cret"]', "is not a JSON object", id="list"),
        pytest.param('{"A": "s3cret\\ud800"}', "is not a JSON object", id="half a character"),
        pytest.param('{"A": 53}', "the value of A is not text", id="number"),
        pytest.param('{"A": {"b": "s3cret"}}', "the value of A is not text", id="nested"),
        pytest.param('{"a/b": "s3cret"}', "'a/b' cannot be the name of a setting", id="slash"),
        pytest.param('{"SECRETS_CHANGED": "x"}', "cannot read the dates", id="dates"),
        pytest.param('{"SECRETS_CHANGED": "{\\"A\\": 5}"}', "cannot read the dates", id="date"),
    ],
)
def test_unusable_secrets_are_refused_and_not_shown(text: str, problem: str) -> None:
    """Neither in the error nor in what it follows from."""
    with pytest.raises(DeployError, match=f"^secret acme: {problem}") as caught:
        parsed("acme", text)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__ or not caught.value.__context__


def test_documents_hide_themselves() -> None:
    assert "s3cret" not in repr(Document({"A": "s3cret"}))


TEXTS_BY_NAME = {"rds": json.dumps({"username": "admin", "password": "p"}), "plain": "v"}


@pytest.mark.parametrize(("reference", "value"), [("rds#password", "p"), ("plain", "v")])
def test_a_reference_is_a_secret_or_a_key_in_it(reference: str, value: str) -> None:
    assert referred("X", reference, TEXTS_BY_NAME, "eu-west-1") == value


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("gone#password", "there is no secret gone in eu-west-1"),
        ("rds#passwd", "secret rds has no text under 'passwd'"),
        ("plain#password", "is not a JSON object"),
    ],
)
def test_a_reference_to_nothing_is_refused(reference: str, problem: str) -> None:
    with pytest.raises(DeployError, match=problem):
        referred("SECRETS_REFERENCES.X", reference, TEXTS_BY_NAME, "eu-west-1")
