"""Values are found in texts, however they were written."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
import yaml
from tutorsecrets.managing.search import keys_found
from tutorsecrets.tokens import token

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIabc+/1\nMIIdef=\n-----END RSA PRIVATE KEY-----"
VALUES = {token("PASSWORD"): 'p"4ß/w+ord', token("KEY"): PEM, token("SHORT"): "x"}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param(f"a = {VALUES[token('PASSWORD')]}", "PASSWORD", id="as it is"),
        pytest.param(json.dumps(VALUES[token("PASSWORD")]), "PASSWORD", id="JSON, ASCII"),
        pytest.param(
            json.dumps(VALUES[token("PASSWORD")], ensure_ascii=False), "PASSWORD", id="JSON"
        ),
        pytest.param(f"u:{quote(VALUES[token('PASSWORD')], safe='')}@", "PASSWORD", id="URL"),
        pytest.param(
            base64.b64encode(VALUES[token("PASSWORD")].encode()).decode(), "PASSWORD", id="base64"
        ),
        pytest.param(f"    {PEM}", "KEY", id="lines"),
        pytest.param(yaml.safe_dump({"a": {"b": PEM}}, indent=8), "KEY", id="folded YAML"),
        pytest.param(json.dumps(PEM), "KEY", id="JSON, lines"),
        pytest.param("\n".join(f"        {x}" for x in PEM.split("\n")), "KEY", id="indented"),
        pytest.param(base64.b64encode(PEM.encode()).decode(), "KEY", id="base64 of lines"),
    ],
)
def test_a_value_is_found(text: str, key: str) -> None:
    assert keys_found(["nothing", f"before\n{text}\nafter"], VALUES) == [key]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x = y", id="short values are found by chance"),
        pytest.param(token("PASSWORD"), id="token"),
        pytest.param("-----BEGIN RSA PRIVATE KEY-----", id="a part"),
        pytest.param("", id="nothing"),
    ],
)
def test_nothing_else_is_found(text: str) -> None:
    assert keys_found([text], VALUES) == []
