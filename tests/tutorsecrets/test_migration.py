"""Migration: values go back into config.yml only if Tutor reads them unchanged there."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tutor import env as tutor_env
from tutor import serialize
from tutor.exceptions import TutorError
from tutorsecrets.managing.migration import is_changed

# Any text that has a UTF-8 form, so no halves of surrogate pairs.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@settings(deadline=None)
@given(TEXTS)
def test_a_value_that_passes_is_what_tutor_reads(value: str) -> None:
    """Whatever is in it."""
    read = serialize.load(serialize.dumps({"A": value}))["A"]
    assert is_changed(value) or tutor_env.render_str({}, read) == value


@pytest.mark.parametrize("value", ["", "s3cret", "{x} }} % # \\ \"'", "é🔑", "a\nb", " a "])
def test_most_values_pass(value: str) -> None:
    assert not is_changed(value)


@pytest.mark.parametrize("value", ["{{x}}", "{% if", "{# a #}", "a\n", "a\r\nb"])
def test_a_value_that_jinja_would_change_is_known(value: str) -> None:
    assert is_changed(value)
    try:
        assert tutor_env.render_str({}, value) != value
    except TutorError:
        # Then Tutor would read nothing at all.
        return


def test_a_value_that_yaml_would_change_is_known() -> None:
    """PyYAML writes this line break, and reads a space."""
    assert is_changed("a\x85b")
