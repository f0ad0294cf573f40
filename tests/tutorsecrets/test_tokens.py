"""Tokens: text that stands for a secret."""

from __future__ import annotations

import pytest
from tutorsecrets.tokens import keys_in, parse, token


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        pytest.param("nothing", set(), id="none"),
        pytest.param("", set(), id="empty"),
        pytest.param(None, set(), id="no text"),
        pytest.param(f"redis://u:{token('A')}@{token('B')}", {"A", "B"}, id="two in a text"),
        pytest.param({"a": [{token("A"): (token("B"),)}]}, {"A", "B"}, id="nested"),
        pytest.param(f"{token('A')}end {token('A_B')}.end", {"A", "A_B"}, id="followed by text"),
    ],
)
def test_keys_are_found_anywhere(value: object, keys: set[str]) -> None:
    """The settings behind all tokens of a nested value."""
    assert keys_in(value) == keys


def test_other_text_is_no_token() -> None:
    """Only whole tokens are parsed."""
    with pytest.raises(ValueError, match="not a token"):
        parse(f"x{token('A')}")
