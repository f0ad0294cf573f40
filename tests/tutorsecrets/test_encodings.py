"""Encodings: what cannot be written somewhere is not written there."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tutorsecrets.rewriting.encodings import Encoding, encoded

TEXTS = st.text(st.characters(codec="utf-8"))


@given(value=TEXTS)
def test_a_string_means_the_value_in_python_and_json(value: str) -> None:
    """Between single quotes and double ones."""
    written = encoded(value, Encoding.STRING)
    assert written is not None
    assert json.loads(f'"{written}"') == value
    assert eval(f"'{written}'") == eval(f'"{written}"') == value


@given(value=TEXTS)
def test_whole_files_are_the_value(value: str) -> None:
    assert encoded(value, Encoding.FILE) == value


@pytest.mark.parametrize("encoding", [Encoding.VARIABLE, Encoding.SQL])
def test_nothing_but_a_file_or_string_holds_a_nul(encoding: Encoding) -> None:
    assert encoded("a\0", encoding) is None


def test_sql_is_ascii() -> None:
    """Another text would depend on the character set that MySQL's client assumes."""
    assert encoded("é", Encoding.SQL) is None


@pytest.mark.parametrize("value", [" ", "a b", "é", "$", "a'b", '"', "\n", "#", "!"])
def test_what_may_mean_something_is_not_written_just_anywhere(value: str) -> None:
    assert encoded(value, Encoding.ANYTHING) is None


def test_what_means_nothing_but_itself_is_written_anywhere() -> None:
    """Among it what Tutor makes up, and base64."""
    value = "azAZ09_.:,@/+=-"
    assert encoded(value, Encoding.ANYTHING) == value
