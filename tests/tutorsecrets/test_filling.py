"""Filling the store: what it lacks and nothing else, and never for an instance that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tutorplatform.errors import ConfigError
from tutorsecrets.managing.filling import Filled, fill
from tutorsecrets.rewriting.pods import GATE
from tutorsecrets.tokens import stored_name, token

from tests.tutorsecrets.keeper import EXTERNAL, Keeper

COMPLETE = {"OPENEDX_SECRET_KEY": "s3cret", "SECRETS_HASH_KEY": "k", "SMTP_PASSWORD": "p"}
REVERSED = "tutor-secret.OPENEDX_SECRET_KEY.f_reverse_host.end"
DERIVED = stored_name(REVERSED)


def without(*keys: str) -> dict[str, str]:
    return {key: value for key, value in COMPLETE.items() if key not in keys}


def filled(keeper: Keeper, *, force: bool = False) -> Filled:
    return fill(keeper.session, keeper.cluster, force=force)


def test_what_is_lacking_is_made_up(tmp_path: Path) -> None:
    """But for what somebody else chooses; and nothing that is there is changed."""
    keeper = Keeper(tmp_path, {"SECRETS_HASH_KEY": "k"})
    found = filled(keeper)
    assert found.done == "added OPENEDX_SECRET_KEY"
    assert found.left == [
        "SMTP_PASSWORD is chosen by somebody else: run `tutor secrets set SMTP_PASSWORD`"
    ]
    assert set(keeper.store.values) == {"SECRETS_HASH_KEY", "OPENEDX_SECRET_KEY"}
    assert keeper.store.values["SECRETS_HASH_KEY"] == "k"


def test_what_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    """Somebody else may have deployed with it already."""
    keeper = Keeper(tmp_path, without("OPENEDX_SECRET_KEY"), meanwhile=COMPLETE)
    assert filled(keeper).done == "kept OPENEDX_SECRET_KEY, just added by somebody else"
    assert keeper.store.values == COMPLETE


def test_complete_is_said_of_what_is_complete_only(tmp_path: Path) -> None:
    assert filled(Keeper(tmp_path, COMPLETE)).done == "complete"
    assert filled(Keeper(tmp_path, without("SMTP_PASSWORD"))).done == "nothing to add"
    empty = filled(Keeper(tmp_path, {**COMPLETE, "OPENEDX_SECRET_KEY": ""}))
    assert empty.done == "nothing to add"
    assert empty.left == ["OPENEDX_SECRET_KEY is empty: run `tutor secrets set OPENEDX_SECRET_KEY`"]


def test_nothing_derives_from_an_empty_value(tmp_path: Path) -> None:
    """It is named, as ever, and the rest is done."""
    before = {**without("SECRETS_HASH_KEY"), "OPENEDX_SECRET_KEY": ""}
    keeper = Keeper(tmp_path, before, settings=EXTERNAL, rendered=USE)
    found = filled(keeper)
    assert (found.added, found.empty) == (["SECRETS_HASH_KEY"], ["OPENEDX_SECRET_KEY"])
    assert DERIVED not in keeper.store.values


USE = [{"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"f": REVERSED}}]


def test_what_derives_is_renewed(tmp_path: Path) -> None:
    """For External Secrets, which cannot derive it; of a new value it goes without saying."""
    before = {**COMPLETE, "OPENEDX_SECRET_KEY": "a.b", DERIVED: "old"}
    keeper = Keeper(tmp_path, before, settings=EXTERNAL, rendered=USE)
    assert filled(keeper).done == "renewed what derives from OPENEDX_SECRET_KEY"
    assert keeper.store.values == {**before, DERIVED: "b.a"}
    assert filled(Keeper(tmp_path, keeper.store.values, rendered=USE)).done == "complete"
    new = Keeper(tmp_path, {}, settings=EXTERNAL, rendered=USE)
    assert filled(new).done == "added OPENEDX_SECRET_KEY, SECRETS_HASH_KEY"
    assert new.store.values[DERIVED]


def test_what_derives_follows_the_value_that_was_kept(tmp_path: Path) -> None:
    """And not the one that was made up for nothing."""
    theirs = {"OPENEDX_SECRET_KEY": "c.d"}
    before = without("OPENEDX_SECRET_KEY")
    keeper = Keeper(tmp_path, before, settings=EXTERNAL, meanwhile=theirs, rendered=USE)
    filled(keeper)
    assert keeper.store.values == {**before, **theirs, DERIVED: "d.c"}


def test_an_instance_that_runs_is_not_locked_out(tmp_path: Path) -> None:
    """Its databases know the passwords that are in its Secrets, and no new ones."""
    keeper = Keeper(tmp_path, {}, secrets="secret/openedx-config-0123456789\n")
    with pytest.raises(ConfigError) as raised:
        filled(keeper)
    assert str(raised.value).startswith(
        "SECRETS_NAME: there is no secret openedx/acme in eu-west-1, but namespace acme runs with"
    )
    assert keeper.store.values == {}
    assert filled(keeper, force=True).added == ["OPENEDX_SECRET_KEY", "SECRETS_HASH_KEY"]


@pytest.mark.parametrize("secrets", ["", None], ids=["nothing runs", "no cluster"])
def test_a_new_instance_needs_no_force(tmp_path: Path, secrets: str | None) -> None:
    keeper = Keeper(tmp_path, {}, secrets=secrets)
    assert filled(keeper).added == ["OPENEDX_SECRET_KEY", "SECRETS_HASH_KEY"]


def test_a_store_that_lacks_something_only_needs_no_force_either(tmp_path: Path) -> None:
    """A plugin was enabled."""
    keeper = Keeper(tmp_path, without("OPENEDX_SECRET_KEY"), secrets="secret/a\n")
    assert filled(keeper).added == ["OPENEDX_SECRET_KEY"]


def test_references_may_lead_nowhere_yet(tmp_path: Path) -> None:
    """They are somebody else's, and never made up."""
    references = {"SECRETS_REFERENCES": {"OPENEDX_SECRET_KEY": "platform#key"}}
    keeper = Keeper(tmp_path, {}, settings=references)
    assert filled(keeper).added == ["SECRETS_HASH_KEY"]


def deployment(name: str, key: str) -> dict[str, Any]:
    container = {"name": name, "env": [{"name": "E", "value": token(key)}]}
    pod = {"containers": [container], "schedulingGates": [{"name": GATE}]}
    return {
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"template": {"spec": pod}},
    }


def test_a_user_who_is_logged_in_keeps_the_password(tmp_path: Path) -> None:
    """The store has lost it, and the server has not."""
    key = "OPENEDX_MYSQL_PASSWORD"
    keeper = Keeper(
        tmp_path,
        COMPLETE,
        settings={key: token(key)},
        rendered=[deployment("lms", key)],
        secrets="secret/lms-secrets-0123456789\n",
    )
    with pytest.raises(ConfigError) as raised:
        filled(keeper)
    assert str(raised.value).startswith(
        f"secret openedx/acme: has no {key}, but lms runs with one, which the server knows"
    )
    assert keeper.store.values == COMPLETE
    assert filled(keeper, force=True).added == [key]


def test_a_new_user_gets_a_password_beside_what_runs(tmp_path: Path) -> None:
    """A plugin was enabled, and is not deployed yet."""
    key = "OPENEDX_MYSQL_PASSWORD"
    keeper = Keeper(
        tmp_path,
        COMPLETE,
        settings={key: token(key)},
        rendered=[deployment("caddy", "OPENEDX_SECRET_KEY")],
        secrets="secret/a\n",
    )
    assert filled(keeper).added == [key]
