"""Tutor's template environment with ours in its place."""

from __future__ import annotations

from tutor.utils import random_string
from tutorsecrets.templates import TokenEnvironment


def environment() -> TokenEnvironment:
    """As each of Tutor's renderers makes one."""
    made = TokenEnvironment()
    made.filters["random_string"] = random_string
    return made


def test_a_text_is_compiled_once() -> None:
    """The same patch goes into many files."""
    text = "{{ LMS_HOST }}:{% if ENABLE_HTTPS %}443{% else %}80{% endif %}"
    assert environment().compile(text) is environment().compile(text)
    values = [
        {"LMS_HOST": "a.test", "ENABLE_HTTPS": True},
        {"LMS_HOST": "b.test", "ENABLE_HTTPS": False},
    ]
    rendered = [environment().from_string(text).render(each) for each in values]
    assert rendered == ["a.test:443", "b.test:80"]


def test_what_is_made_up_is_made_up_each_time() -> None:
    """Jinja applies a filter to a constant while it compiles; two passwords must differ."""
    made_up = {environment().from_string("{{ 24|random_string }}").render() for _ in range(5)}
    assert len(made_up) == 5
