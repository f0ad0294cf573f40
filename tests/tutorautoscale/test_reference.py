"""The reference page says what the code does."""

from __future__ import annotations

from tests.tutorautoscale.reference import PAGE, READERS, SETTINGS, paths, written


def test_the_page_is_what_the_code_makes_of_it() -> None:
    """Else `make docs` was forgotten."""
    text = PAGE.read_text()
    assert written(text) == text


def test_each_setting_is_described_once() -> None:
    """None is left out, and none is described that is not there."""
    assert list(SETTINGS) == list(dict.fromkeys(paths(READERS)))
