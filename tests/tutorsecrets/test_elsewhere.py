"""Values in manifests for another namespace: they come from the store, and from us, in any mode."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from tutorplatform.errors import DeployError
from tutorsecrets.managing import elsewhere
from tutorsecrets.managing.journal import Journal
from tutorsecrets.stores import entries
from tutorsecrets.tokens import token

from tests.tutorsecrets.keeper import EXTERNAL, Keeper

PASSWORD = 'it\'s "$(id)" \\ {{x}}\né🔑'
VALUES = {"SMTP_PASSWORD": PASSWORD, "SECRETS_HASH_KEY": "k"}
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "bootstrap", "namespace": "platform"},
    "type": "Opaque",
    "stringData": {"passwords.json": json.dumps({"SMTP_PASSWORD": token("SMTP_PASSWORD")})},
}


@pytest.mark.parametrize("settings", [{}, EXTERNAL], ids=["direct", "external-secrets"])
def test_every_value_arrives_as_it_is(settings: dict[str, Any], tmp_path: Path) -> None:
    """The operator's store is of the instance's namespace, and no other can use it."""
    keeper = Keeper(tmp_path, VALUES, settings=settings)
    [secret] = elsewhere.filled(keeper.session, [SECRET])
    assert secret["kind"] == "Secret"
    assert secret["metadata"]["namespace"] == "platform"
    assert json.loads(b64decode(secret["data"]["passwords.json"])) == {"SMTP_PASSWORD": PASSWORD}


def test_during_a_rotation_nothing_goes(tmp_path: Path) -> None:
    """Old pods would lose the password that they have."""
    pending = {entries.PENDING: Journal({"SMTP_PASSWORD": "new"}).text}
    keeper = Keeper(tmp_path, {**VALUES, **pending})
    with pytest.raises(DeployError, match="a rotation of passwords is under way; finish it with"):
        elsewhere.filled(keeper.session, [SECRET])


def test_without_a_value_nothing_goes(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, {})
    with pytest.raises(DeployError, match="run `tutor secrets init`"):
        elsewhere.filled(keeper.session, [SECRET])
