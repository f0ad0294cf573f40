"""Migration: values come back into config.yml so that Tutor reads them unchanged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tutor import env as tutor_env
from tutor import serialize
from tutorsecrets.managing.migration import escaped

# Any text that has a UTF-8 form, so no halves of surrogate pairs.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.one_of(TEXTS, st.builds(lambda a, b: f"{a}{{{{{b}", TEXTS, TEXTS)))
def test_a_value_is_what_tutor_reads(value: str) -> None:
    """Tutor renders config.yml; a value may look like a template."""
    read = serialize.load(serialize.dumps({"A": escaped(value)}))["A"]
    assert tutor_env.render_str({}, read) == value


@pytest.mark.parametrize("value", ["", "s3cret", "{x} % # \\ \"'", "é🔑", "a\nb", " a "])
def test_a_value_that_is_no_template_is_written_as_it_is(value: str) -> None:
    assert escaped(value) == value


@pytest.mark.parametrize("value", ["{{x}}", "{% raw %}", "{# a", "a\n", "a\r\nb"])
def test_a_value_that_would_change_becomes_a_template(value: str) -> None:
    written = escaped(value)
    assert written != value
    assert tutor_env.render_str({}, written) == value
