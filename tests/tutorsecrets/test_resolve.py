"""Resolve: a token and the values give the value that it stands for."""

from __future__ import annotations

import json

import pytest
from tutor import utils
from tutorplatform.errors import DeployError
from tutorsecrets.rewriting.resolve import Values, resolved
from tutorsecrets.tokens import token

A = token("A")


def test_derived_values_are_what_tutor_makes_of_them() -> None:
    """Filters and attributes recorded on a token are applied to the value."""
    key = utils.rsa_private_key(1024)
    values = Values("secret openedx/acme", {"JWT": key, "MASTER": "m"})
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
        resolved(A, Values("secret openedx/acme", content), {})
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
    values = Values("secret openedx/acme", {"A": "no RSA key"})
    with pytest.raises(DeployError, match="the value of A does not suit") as caught:
        resolved(f"tutor-secret.A{steps}.end", values, {"rsa_import_key": utils.rsa_import_key})
    assert "no RSA key" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_values_hide_themselves() -> None:
    """Printing the values, as a debugger or a traceback does, shows none of them."""
    assert "s3cret" not in repr(Values("secret openedx/acme", {"A": "s3cret"}))
