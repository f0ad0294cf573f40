"""Values in manifests for another namespace: they come from the store, and from us, in any mode."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from tutorplatform.errors import DeployError
from tutorsecrets.managing import elsewhere
from tutorsecrets.managing.databases import DatabaseUser
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


USER = DatabaseUser(
    *("OPENEDX_MYSQL_PASSWORD", "OPENEDX_MYSQL_USERNAME"),
    *("acmeopenedx", "acmeopenedx", "acmeopenedx_2"),
)
TURN = {"OPENEDX_MYSQL_PASSWORD": "new"}


@pytest.mark.parametrize(
    ("journal", "stored"),
    [
        (Journal({"SMTP_PASSWORD": "new"}), {"SMTP_PASSWORD": "new"}),
        (Journal(TURN, (USER,)), {entries.USERS: '{"OPENEDX_MYSQL_USERNAME": "acmeopenedx_2"}'}),
    ],
    ids=["value", "user"],
)
def test_while_a_rotation_takes_effect_nothing_goes(
    journal: Journal, stored: dict[str, str], tmp_path: Path
) -> None:
    """Old pods would lose the password that they have."""
    keeper = Keeper(tmp_path, {**VALUES, **stored, entries.PENDING: journal.text})
    with pytest.raises(DeployError, match="a rotation of passwords is under way; finish it with"):
        elsewhere.filled(keeper.session, [SECRET])


def test_a_rotation_that_nobody_notices_yet_is_no_hindrance(tmp_path: Path) -> None:
    """It may have failed for want of what these manifests make."""
    journal = Journal(TURN, (USER,)).text
    stored = {entries.PENDING: journal, "OPENEDX_MYSQL_PASSWORD": "old"}
    keeper = Keeper(tmp_path, {**VALUES, **stored})
    [secret] = elsewhere.filled(keeper.session, [SECRET])
    assert "passwords.json" in secret["data"]


def test_without_a_value_nothing_goes(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, {})
    with pytest.raises(DeployError, match="run `tutor secrets init`"):
        elsewhere.filled(keeper.session, [SECRET])
