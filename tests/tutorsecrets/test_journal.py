"""The journal: what is written is read again, and nothing else is taken for one."""

from __future__ import annotations

import json

import pytest
from tutorplatform.errors import DeployError
from tutorsecrets.managing.databases import DatabaseUser
from tutorsecrets.managing.journal import NOTHING, Journal, parsed

USER = DatabaseUser("X_MYSQL_PASSWORD", "X_MYSQL_USERNAME", "x", "x", "x_2")
JOURNAL = Journal(
    {"X_MYSQL_PASSWORD": 's3cret "é', "A": "a"}, (USER,), {"X_MYSQL_PASSWORD": "s3cret of before"}
)


def test_it_is_read_as_it_was_written() -> None:
    assert parsed(JOURNAL.text) == JOURNAL
    assert JOURNAL.keys == ["A", "X_MYSQL_PASSWORD"]


@pytest.mark.parametrize("entry", [None, "", NOTHING])
def test_nothing_is_under_way(entry: str | None) -> None:
    assert parsed(entry) is None


def test_it_hides_its_values() -> None:
    assert "s3cret" not in repr(JOURNAL)


@pytest.mark.parametrize(
    "entry",
    [
        "s3cret",
        '"s3cret"',
        '["s3cret"]',
        '{"s3cret": 1}',
        '{"values": {"A": 1}, "users": []}',
        '{"values": {"A": "s3cret"}, "users": ["s3cret"]}',
        '{"values": {"A": "s3cret"}, "users": [{"s3cret": "x"}]}',
        '{"values": {"A": "s3cret"}, "users": [], "previous": {"A": 1}}',
        '{"values": {"A": "s3cret"}, "users": [], "previous": "s3cret"}',
        json.dumps({**json.loads(JOURNAL.text), "values": {"A": "s3cret"}}),
    ],
    ids=[
        *(
            "no JSON",
            "text",
            "list",
            "other keys",
            "number",
            "users",
            "user",
            "previous",
            "mapping",
        ),
        "no password of its user",
    ],
)
def test_a_broken_entry_is_named_and_not_shown(entry: str) -> None:
    with pytest.raises(DeployError) as raised:
        parsed(entry)
    assert raised.value.where == "entry SECRETS_ROTATION of the store"
    assert "put the version before back" in raised.value.remedy
    assert "s3cret" not in str(raised.value)
    assert raised.value.__cause__ is None
