"""`tutor secrets check`, as far as it needs no cluster."""

from __future__ import annotations

from pathlib import Path

from tutorsecrets.managing import inspection

from tests.tutorsecrets.keeper import Keeper


def found(keeper: Keeper) -> list[tuple[str, str]]:
    return [(each.problem, each.remedy) for each in inspection.findings(keeper.session)]


def test_what_the_store_lacks_is_said_once(tmp_path: Path) -> None:
    """With what to do; what runs is looked at when something could be deployed at all."""
    keeper = Keeper(tmp_path, {"SECRETS_HASH_KEY": "k", "SMTP_PASSWORD": ""})
    assert found(keeper) == [
        ("has no OPENEDX_SECRET_KEY", "run `tutor secrets init`"),
        ("SMTP_PASSWORD is empty", "run `tutor secrets set SMTP_PASSWORD`"),
    ]


def test_a_rotation_that_is_not_finished_is_said_besides(tmp_path: Path) -> None:
    entry = '{"values": {"SMTP_PASSWORD": "s3cret"}, "users": []}'
    keeper = Keeper(tmp_path, {"SECRETS_HASH_KEY": "k", "SECRETS_ROTATION": entry})
    assert found(keeper)[-1] == (
        "the rotation of SMTP_PASSWORD is not finished",
        "run `tutor secrets rotate`",
    )


def test_a_store_that_is_not_there_may_be_elsewhere(tmp_path: Path) -> None:
    """Its values are not to be made up for an instance that has some."""
    [(problem, remedy)] = found(Keeper(tmp_path, {}))
    assert problem == "does not exist in eu-west-1"
    assert remedy.startswith("correct SECRETS_NAME or the region")
