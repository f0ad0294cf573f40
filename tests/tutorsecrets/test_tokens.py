"""Tokens: what a template does to a secret is written down in its stand-in."""

from __future__ import annotations

import re
from typing import Any

import jinja2
import pytest
from tutor import utils
from tutorplatform.errors import ConfigError
from tutorsecrets.tokens import Filter, Step, keys_in, parse, recording_filters, token

FILTERS: list[tuple[str, Filter]] = [
    ("encrypt", utils.encrypt),
    ("long_to_base64", utils.long_to_base64),
    ("rsa_import_key", utils.rsa_import_key),
    ("uid_master_hash", utils.uid_master_hash),
    ("random_string", utils.random_string),
    ("list_if", utils.list_if),
]


def rendered(template: str, **variables: Any) -> str:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.filters.update(recording_filters(FILTERS))
    return environment.from_string(template).render(**variables)


def test_a_token_is_plain_text() -> None:
    """A token means nothing special to Compose, YAML or a shell, whatever happened to it."""
    text = rendered("{{ KEY|uid_master_hash('a $ \"b\" {c}') }}", KEY=token("MASTER"))
    assert re.fullmatch(r"[A-Za-z0-9._-]+", text)


def test_the_private_key_survives_a_set_block() -> None:
    """Tutor's own way with the JWT key is recorded: filter, attribute, filter."""
    text = rendered(
        "{% set key | rsa_import_key %}{{ JWT }}{% endset %}{{ key.d|long_to_base64 }}",
        JWT=token("JWT"),
    )
    assert text == "tutor-secret.JWT.f_rsa_import_key.a_d.f_long_to_base64.end"
    assert parse(text).steps == (
        Step("rsa_import_key", ([], {})),
        Step("d", None),
        Step("long_to_base64", ([], {})),
    )


def test_arguments_of_a_filter_are_recorded() -> None:
    """A filter's positional and named arguments come back as they were."""
    text = rendered("{{ KEY|uid_master_hash(uid='ä-1') }}", KEY=token("KEY"))
    assert parse(text).steps == (Step("uid_master_hash", ([], {"uid": "ä-1"})),)


def test_a_filter_works_on_everything_else() -> None:
    """Text without a token passes through a filter as ever."""
    assert rendered("{{ 'master'|uid_master_hash('uid') }}") == utils.uid_master_hash(
        "master", "uid"
    )
    assert len(rendered("{{ 12|random_string }}")) == 12


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("{{ ('x' ~ A)|encrypt }}", id="text around it"),
        pytest.param("{{ (A ~ A)|encrypt }}", id="two of them"),
        pytest.param("{{ 'x'|uid_master_hash(A) }}", id="as an argument"),
        pytest.param("{{ [(A, true)]|list_if }}", id="in a list"),
    ],
)
def test_what_cannot_be_recorded_is_refused(template: str) -> None:
    """A filter that would work on the token's own text is an error that names the filter."""
    with pytest.raises(ConfigError, match=r"template filter \w+: is given more than just one"):
        rendered(template, A=token("A"))


def test_a_filter_with_jinjas_context_is_refused_a_token_only() -> None:
    """The context is full of tokens, and no reason to refuse a filter that takes it."""

    @jinja2.pass_context
    def greet(_context: jinja2.runtime.Context, text: str) -> str:
        return f"hello {text}"

    environment = jinja2.Environment()
    environment.filters.update(recording_filters([("greet", greet)]))
    assert environment.from_string("{{ 'you'|greet }}").render(A=token("A")) == "hello you"
    with pytest.raises(ConfigError, match="greet"):
        environment.from_string("{{ A|greet }}").render(A=token("A"))


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
