"""Recording: what a template does to a secret is written down in its stand-in, or refused."""

from __future__ import annotations

import re
from typing import Any

import jinja2
import pytest
from tutor import utils
from tutorplatform.errors import ConfigError
from tutorsecrets.recording import Filter, RecordingEnvironment, recording_filters
from tutorsecrets.rewriting.resolve import Values, resolved
from tutorsecrets.tokens import TOKEN, Step, parse, token

FILTERS: list[tuple[str, Filter]] = [
    ("encrypt", utils.encrypt),
    ("long_to_base64", utils.long_to_base64),
    ("rsa_import_key", utils.rsa_import_key),
    ("uid_master_hash", utils.uid_master_hash),
    ("random_string", utils.random_string),
    ("list_if", utils.list_if),
]

# Everything that a URL, HTML, JSON or a shell would mind.
VALUE = "p4ß w:@/?#&%+\"'<\\"


def rendered(template: str, **variables: Any) -> str:
    environment = RecordingEnvironment(undefined=jinja2.StrictUndefined)
    environment.filters.update(recording_filters(FILTERS))
    environment.globals["function_of_a_plugin"] = str.upper
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
        pytest.param("redis://:{{ A|urlencode }}@host", id="a URL with a password"),
        pytest.param("{{ A|upper }}", id="upper"),
        pytest.param("{{ A|length }}", id="length"),
        pytest.param("{{ A|replace('4', 'x')|truncate(5) }}", id="with arguments"),
        pytest.param("{{ A|list|first }}", id="first letter"),
        pytest.param("{{ A|default('x') }}{{ A|string }}{{ A|trim }}", id="changes nothing"),
        pytest.param("{{ [A, 'x']|map('upper')|join(',') }}", id="one of a list"),
        pytest.param("{{ [A, 'x']|join('-') }} {{ [A, 'x']|length }}", id="in a list"),
        pytest.param("{{ ('a ' ~ A ~ '\nb')|indent(4) }}", id="the text around it"),
        pytest.param("{{ ('a ' ~ A).replace('a ', 'b ') }}", id="a method that minds the text"),
        pytest.param("{{ '{} {}'.format(A, 1) }}", id="format"),
        pytest.param("{{ ','.join([A]) }}", id="join of Python"),
        pytest.param("{% set all = [] %}{{ all.append(A) or '' }}{{ all[0] }}", id="in and out"),
        pytest.param("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(A) }}", id="macro"),
        pytest.param("{% if A %}{{ {'a': A}.a }}{% endif %}", id="in use"),
        pytest.param("{{ 'yes' if '@host' in URL else 'no' }} {{ URL[:8] }}", id="around it"),
        pytest.param("{{ URL.startswith('redis://') }}", id="a question about the text around it"),
    ],
)
def test_what_a_template_does_is_done_to_the_value(template: str) -> None:
    """Rendered with a token, then resolved, it is what it would have been with the value."""
    text = rendered(template, A=token("A"), URL=f"redis://{token('A')}@host")
    values = Values("the store", {"A": VALUE})
    result = TOKEN.sub(lambda match: resolved(match[0], values, dict(FILTERS)), text)
    assert result == rendered(template, A=VALUE, URL=f"redis://{VALUE}@host")


def test_json_is_left_to_who_writes_the_value() -> None:
    """Quotes and escapes of JSON are made when the value is known, for the file it is in."""
    assert rendered("{{ {'a': A}|tojson }}", A=token("A")) == f'{{"a": "{token("A")}"}}'


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("{{ ('x' ~ A)|encrypt }}", id="text around it"),
        pytest.param("{{ (A ~ A)|encrypt }}", id="two of them"),
        pytest.param("{{ 'x'|uid_master_hash(A) }}", id="as an argument"),
        pytest.param("{{ [(A, true)]|list_if }}", id="in a list"),
        pytest.param("{{ A|uid_master_hash(range) }}", id="an argument that is no data"),
        pytest.param("{{ ('x' ~ A)|urlencode }}", id="Jinja's own, text around it"),
        pytest.param("{{ ('x' ~ A)|upper }}", id="letters"),
        pytest.param("{{ ('x' ~ A)|length }}", id="length"),
        pytest.param("{{ A[:8] }}", id="slice"),
        pytest.param("{{ A[0] }}", id="letter"),
        pytest.param("{{ ['x', A][1][:8] }}", id="slice of an item"),
        pytest.param("{{ {'a': A}.a[:8] }}", id="slice of an attribute"),
        pytest.param("{{ URL[:20] }}", id="slice of a text with it"),
        pytest.param("{{ A.upper() }}", id="method"),
        pytest.param("{{ URL.split('-')[0] }}", id="method of a text with it"),
        pytest.param("{{ 'a'.join(A) }}", id="method with it as argument"),
        pytest.param("{{ function_of_a_plugin(A) }}", id="function"),
        pytest.param("{% for letter in A %}{{ letter }}{% endfor %}", id="loop"),
        pytest.param("{% if 'x' in A %}a{% endif %}", id="part"),
    ],
)
def test_what_cannot_be_recorded_is_refused(template: str) -> None:
    """What would work on the token's own text is an error that names the setting."""
    with pytest.raises(ConfigError, match=r"^template, .+: would look into a secret \(A\)"):
        rendered(template, A=token("A"), URL=f"redis://{token('A')}@host")


def test_a_filter_with_jinjas_context_is_refused_a_token_only() -> None:
    """The context is full of tokens, and no reason to refuse a filter that takes it."""

    @jinja2.pass_context
    def greet(_context: jinja2.runtime.Context, text: str) -> str:
        return f"hello {text}"

    environment = RecordingEnvironment()
    environment.filters.update(recording_filters([("greet", greet)]))
    assert environment.from_string("{{ 'you'|greet }}").render(A=token("A")) == "hello you"
    with pytest.raises(ConfigError, match="greet"):
        environment.from_string("{{ A|greet }}").render(A=token("A"))
