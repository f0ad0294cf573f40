"""Resolve: every value arrives exactly as it is in the store, or not at all."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tutor import utils
from tutorplatform.errors import DeployError
from tutorsecrets.resolve import Values, filled, resolved
from tutorsecrets.tokens import token

A, B = token("A"), token("B")

PYTHON = f"""
plain = "{A}"
single = '{A}'
url = "redis://user:{A}@host/{B}"
block = \"\"\"
{A}\"\"\"
joined = f"<{{1 + 1}}{A}>"
keys = {{"{A}": ["{B}"]}}
encoded = b"ascii only"
# {A}
"""

YAML = f"""
plain: "{A}"
url: "redis://user:{A}@host/{B}"
nested: [{{"{A}": "{B}"}}]
# not a secret
date: 2001-01-01
"""

JSON = json.dumps({"plain": A, "url": f"redis://user:{A}@host/{B}"})

# Any text that has a UTF-8 form, so no halves of surrogate pairs.
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1)


def lookup(**values: str) -> Callable[[str], str]:
    by_token = {token(key): value for key, value in values.items()}
    return by_token.__getitem__


def python_values(text: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(compile(text, "settings.py", "exec"), namespace)
    return namespace


@given(a=TEXTS, b=TEXTS)
def test_python_settings_hold_any_value(a: str, b: str) -> None:
    """Whatever the value, the settings file that Python runs has it in every kind of string."""
    settings = python_values(filled(PYTHON, "production.py", lookup(A=a, B=b)))
    assert settings["plain"] == settings["single"] == a
    assert settings["url"] == f"redis://user:{a}@host/{b}"
    assert settings["block"] == f"\n{a}"
    assert settings["joined"] == f"<2{a}>"
    assert settings["keys"] == {a: [b]}


@given(a=TEXTS, b=TEXTS)
def test_yaml_settings_hold_any_value(a: str, b: str) -> None:
    """Whatever the value, a YAML parser finds it between the double quotes."""
    settings = yaml.safe_load(filled(YAML, "lms.env.yml", lookup(A=a, B=b)))
    assert settings["plain"] == a
    assert settings["url"] == f"redis://user:{a}@host/{b}"
    assert settings["nested"] == [{a: b}]


@given(a=TEXTS, b=TEXTS)
def test_json_files_hold_any_value(a: str, b: str) -> None:
    """Whatever the value, a JSON parser finds it."""
    settings = json.loads(filled(JSON, "settings.json", lookup(A=a, B=b)))
    assert settings == {"plain": a, "url": f"redis://user:{a}@host/{b}"}


@given(a=TEXTS)
def test_a_file_that_is_a_token_is_the_value(a: str) -> None:
    """With nothing around it there is nothing to escape."""
    assert filled(A, "production.py", lookup(A=a)) == a


@pytest.mark.parametrize(
    ("file", "text"),
    [
        pytest.param("a.py", PYTHON, id="python"),
        pytest.param("a.yml", YAML, id="yaml"),
        pytest.param("a.yaml", YAML, id="yaml"),
        pytest.param("a.ini", f"[x]\npassword = {A}, {B}\n", id="ini"),
        pytest.param("Caddyfile", f"basic_auth {A} {B}", id="caddy"),
        pytest.param("a.py", f"print '{A} {B}'", id="a Python we cannot parse"),
        pytest.param("a.yml", f"a: !reference [{A}, {B}]", id="a YAML we cannot parse"),
    ],
)
def test_ordinary_values_are_pasted(file: str, text: str) -> None:
    """Tutor's own generated values come out byte for byte as Tutor itself would write them."""
    result = filled(text, file, lookup(A="s3cretA", B="x/y=+"))
    assert result == text.replace(A, "s3cretA").replace(B, "x/y=+")


@pytest.mark.parametrize(
    ("file", "text", "value"),
    [
        pytest.param("a.ini", f"password = {A}", "with space", id="unknown language"),
        pytest.param("init.sh", f"mysql -p'{A}'", "it's", id="shell"),
        pytest.param("a.py", f"x = r'{A}'", "it's", id="raw string"),
        pytest.param("a.py", f"x = b'{A}'", "ä\n", id="bytes"),
        pytest.param("a.py", f"x = {A}", "12345678", id="no string at all"),
        pytest.param("a.py", f"print '{A}'", "it's", id="a Python we cannot parse"),
        pytest.param("a.yml", f"x: {A}", "12345678", id="would become a number"),
        pytest.param("a.yml", f"x: '{A}'", "it's", id="single quotes"),
        pytest.param("a.yml", f"x: |\n  {A}\n", "two\nlines", id="block"),
    ],
)
def test_what_would_not_arrive_is_refused(file: str, text: str, value: str) -> None:
    """The error names the file and the setting, and never the value."""
    with pytest.raises(DeployError) as caught:
        filled(text, file, lookup(A=value))
    where, _, message = str(caught.value).partition(": ")
    assert where == file
    assert re.search(r"\bA\b", message)
    assert value not in message


def test_derived_values_are_what_tutor_makes_of_them() -> None:
    """Filters and attributes recorded on a token are applied to the value."""
    key = utils.rsa_private_key(1024)
    values = Values("openedx/acme", {"JWT": key, "MASTER": "m"})
    filters = {
        name: getattr(utils, name)
        for name in ("rsa_import_key", "long_to_base64", "uid_master_hash")
    }
    start = "tutor-secret.JWT.f_rsa_import_key"
    numbers = utils.rsa_import_key(key)
    assert resolved(token("JWT"), values, filters) == key
    assert resolved(f"{start}.a_e.end", values, filters) == str(numbers.e)
    assert resolved(f"{start}.a_d.f_long_to_base64.end", values, filters) == utils.long_to_base64(
        numbers.d
    )
    arguments = json.dumps([["uid"], {}]).encode().hex()
    assert resolved(
        f"tutor-secret.MASTER.f_uid_master_hash-{arguments}.end", values, filters
    ) == utils.uid_master_hash("m", "uid")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param({}, "the key A is missing", id="missing"),
        pytest.param({"A": ""}, "the key A is empty", id="empty"),
    ],
)
def test_a_value_must_be_there(content: dict[str, str], problem: str) -> None:
    """A missing or empty value is an error: templates count on it being there."""
    with pytest.raises(DeployError) as caught:
        resolved(A, Values("openedx/acme", content), {})
    assert str(caught.value).startswith(f"secret openedx/acme: {problem}; ")
    assert "tutor secrets init" in str(caught.value)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(".f_rsa_import_key", id="not a key"),
        pytest.param(".f_gone", id="filter of a plugin that is not enabled"),
        pytest.param(".a_nothing", id="attribute"),
    ],
)
def test_an_unsuitable_value_is_named_but_not_shown(steps: str) -> None:
    """No part of the value is in the error or in the errors it follows from."""
    values = Values("openedx/acme", {"A": "no RSA key"})
    with pytest.raises(DeployError, match="the value of A does not suit") as caught:
        resolved(f"tutor-secret.A{steps}.end", values, {"rsa_import_key": utils.rsa_import_key})
    assert "no RSA key" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_values_hide_themselves() -> None:
    """Printing the values, as a debugger or a traceback does, shows none of them."""
    assert "s3cret" not in repr(Values("openedx/acme", {"A": "s3cret"}))


def test_python_stays_python() -> None:
    """Filling changes strings only: the rest of the file parses to the same tree."""
    values = lookup(A='"\\', B="\n")
    before, after = ast.parse(PYTHON), ast.parse(filled(PYTHON, "a.py", values))
    assert [type(node) for node in ast.walk(before)] == [type(node) for node in ast.walk(after)]
