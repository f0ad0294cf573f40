"""The scan finds a value in whichever form it leaked; a scan that cannot find is no proof."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tutor import utils

from demo import scan

VALUES = {"KEY": 's3cr"et/pass word', "OTHER": "never-there"}


@pytest.mark.parametrize(
    "leak",
    [
        VALUES["KEY"],
        b64encode(VALUES["KEY"].encode()).decode(),
        quote(VALUES["KEY"], safe=""),
        json.dumps(VALUES["KEY"]),
    ],
    ids=["plain", "base64", "url", "json"],
)
def test_a_planted_value_is_found(leak: str) -> None:
    assert scan.leaks({"place": f"before {leak} after"}, VALUES) == {"place": {"KEY"}}


@given(before=st.binary(max_size=9), after=st.binary(max_size=9))
def test_a_value_inside_of_base64_is_found(before: bytes, after: bytes) -> None:
    """As a whole Secret has it, whatever stands around."""
    code = b64encode(before + VALUES["KEY"].encode() + after).decode()
    assert scan.found_in(code, VALUES) == {"KEY"}


def test_a_clean_text_has_no_leak() -> None:
    assert scan.leaks({"place": "nothing here", "empty": ""}, VALUES) == {}


def test_numbers_of_an_rsa_key_are_looked_for_too() -> None:
    """Templates never write the key itself, only its numbers."""
    key = utils.rsa_private_key(2048)
    values = scan.with_derived({"JWT": key})
    number = utils.long_to_base64(utils.rsa_import_key(key).d)
    assert scan.found_in(f'"d": "{number}"', values) == {"JWT.d"}


def test_objects_are_searched_all_but_secrets() -> None:
    leaky = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"x": VALUES["KEY"]}}
    secret = {
        "kind": "Secret",
        "metadata": {"name": "s"},
        "data": {"x": b64encode(VALUES["KEY"].encode()).decode()},
    }
    assert scan.leaks(scan.object_texts([leaky, secret]), VALUES) == {"ConfigMap/c": {"KEY"}}
    assert scan.leaks(scan.secret_texts([leaky, secret]), VALUES) == {"s": {"KEY"}}


def test_files_are_searched_in_every_folder(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "f").write_bytes(b"\xff" + VALUES["KEY"].encode())
    assert scan.leaks(dict(scan.files_below(tmp_path)), VALUES) == {
        str(tmp_path / "a" / "b" / "f"): {"KEY"}
    }
