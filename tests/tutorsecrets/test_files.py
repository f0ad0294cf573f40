"""Files: every value arrives exactly as it is in the store, or not at all."""

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
from tutorplatform.errors import DeployError
from tutorsecrets.rewriting.sealing import Contents, Direct, from_base64
from tutorsecrets.tokens import token

A, B = token("A"), token("B")

PYTHON = f"""
plain = "{A}"
single = '{A}'
url = "redis://user:{A}@host/{B}"
block = \"\"\"
{A}\"\"\"
joined = f"<{{1 + 1}}{A}>"
raw = r"\\d{A}"; after = "é{A}"
glued = "a" r'{A}' \\
    "b"
keys = {{"{A}": ["{B}"]}}
encoded = b"ascii only"
# {A}
"""

YAML = f"""
plain: "{A}"
url: "redis://user:{A}@host/{B}"
nested: [{{"{A}": "{B}"}}]
bare: {A}
single: '<{A}>'
block: |
  {A}
  {B}
{B}: >-
  folded
# not a secret
date: 2001-01-01
"""

JSON = json.dumps({"plain": A, "url": f"redis://user:{A}@host/{B}"})

# Any text that has a UTF-8 form, so no halves of surrogate pairs.
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1)


def lookup(**values: str) -> Callable[[str], str]:
    by_token = {token(key): value for key, value in values.items()}
    return by_token.__getitem__


def filled(text: str, file: str, lookup: Callable[[str], str]) -> str:
    """The file as it comes out of the Secret."""
    secret = Direct(lookup).secret("ConfigMap c", {"name": "c"}, Contents({file: text}))
    return from_base64(secret["data"][file])


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
    assert settings["raw"] == f"\\d{a}"
    assert settings["after"] == f"é{a}"
    assert settings["glued"] == f"a{a}b"


@given(a=TEXTS, b=TEXTS)
def test_yaml_settings_hold_any_value(a: str, b: str) -> None:
    """Whatever the value, a YAML parser finds it in every kind of scalar."""
    settings = yaml.safe_load(filled(YAML, "lms.env.yml", lookup(A=a, B=b)))
    assert settings["plain"] == a
    assert settings["url"] == f"redis://user:{a}@host/{b}"
    assert settings["nested"] == [{a: b}]
    assert settings["bare"] == a
    assert settings["single"] == f"<{a}>"
    assert settings["block"] == f"{a}\n{b}\n"
    assert settings[b] == "folded"


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
        pytest.param("a.py", f"x = b'{A}'", "ä\n", id="bytes"),
        pytest.param("a.py", f"x = {A}", "it's", id="no string at all"),
        pytest.param("a.py", f"print '{A}'", "it's", id="a Python we cannot parse"),
        pytest.param("a.py", f"x = rf'{A}'", "it's", id="raw f-string"),
        pytest.param("a.yml", f"&x{A}: y", "it's", id="name of a YAML anchor"),
    ],
)
def test_what_would_not_arrive_is_refused(file: str, text: str, value: str) -> None:
    """The error names the file and the setting, and never the value."""
    with pytest.raises(DeployError) as caught:
        filled(text, file, lookup(A=value))
    where, _, message = str(caught.value).partition(": ")
    assert where == f"ConfigMap c, {file}, line 1"
    assert re.search(r"\bA\b", message)
    assert value not in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"x: {A}", {"x": "12345678"}, id="number"),
        pytest.param(f"x: '{A}'", {"x": "12345678"}, id="quoted number"),
    ],
)
def test_a_value_stays_text_in_yaml(text: str, expected: dict[str, str]) -> None:
    """Tutor itself would have made a number of the first."""
    assert yaml.safe_load(filled(text, "a.yml", lookup(A="12345678"))) == expected


def test_values_may_be_long() -> None:
    """8 kB, with everything that could go wrong in it."""
    value = "'\"\\\n\t $`{{%é🔑" * 500 + " "
    assert python_values(filled(f"x = '{A}'", "a.py", lookup(A=value)))["x"] == value
    assert yaml.safe_load(filled(f"x: {A}", "a.yml", lookup(A=value)))["x"] == value


def test_python_stays_python() -> None:
    """Filling changes strings only: the rest of the file parses to the same tree."""
    values = lookup(A='"\\', B="\n")
    before, after = ast.parse(PYTHON), ast.parse(filled(PYTHON, "a.py", values))
    assert [type(node) for node in ast.walk(before)] == [type(node) for node in ast.walk(after)]
