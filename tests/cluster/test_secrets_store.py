"""`tutor secrets init`, `list` and `set`, beside an instance that runs."""

from __future__ import annotations

import json
import subprocess

import pytest

from demo.tutor import TUTOR, TutorRoot
from tests.cluster.keeper import api, refused, stored
from tests.conftest import NewRoot

pytestmark = [pytest.mark.cluster, pytest.mark.proof]


def test_init_is_complete_at_once(instance: TutorRoot) -> None:
    """And changes nothing when it is repeated."""
    assert "secret openedx/keeper: complete" in instance.run("secrets", "init").stdout


def test_init_names_what_somebody_else_has_to_choose(
    new_root: NewRoot, environment: dict[str, str]
) -> None:
    settings = {"K8S_NAMESPACE": "mailer", "SMTP_USERNAME": "mail"}
    root = new_root("secrets", environment=environment, **settings)
    root.run("config", "save")
    said = root.run("secrets", "init").stdout
    assert "SMTP_PASSWORD is chosen by somebody else: run `tutor secrets set SMTP_PASSWORD`" in said
    assert "SMTP_PASSWORD" not in stored(environment, "openedx/mailer")


def test_init_does_not_lock_an_instance_out(
    instance: TutorRoot, environment: dict[str, str]
) -> None:
    """With a wrong name, the store looks as if nothing was ever written to it."""
    wrong = {**instance.environment, "TUTOR_SECRETS_NAME": "openedx/keper"}
    said = refused(TutorRoot(instance.path, wrong), "secrets", "init")
    assert "there is no secret openedx/keper in eu-west-1, but namespace keeper runs with" in said
    with pytest.raises(api(environment).exceptions.ResourceNotFoundException):
        stored(environment, "openedx/keper")


def test_the_list_says_where_since_when_and_for_whom(
    instance: TutorRoot, environment: dict[str, str]
) -> None:
    """And no value."""
    said = instance.run("secrets", "list").stdout
    [row] = [line for line in said.splitlines() if "NOTES_MYSQL_PASSWORD" in line]
    cells = [part.strip() for part in row.strip("│").split("│")]
    assert cells == ["NOTES_MYSQL_PASSWORD", "secret openedx/keeper", "0 h", "notes", "notes"]
    assert not [value for value in stored(environment, "openedx/keeper").values() if value in said]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("SMTP_USERNAME", "x", "SMTP_USERNAME: is no secret setting of this instance"),
        ("a/b", "x", "a/b: is no secret setting"),
        ("SMTP_PASSWORD", "", "SMTP_PASSWORD: cannot be empty"),
        ("SMTP_PASSWORD", "x" * 70_000, "would have more than the 65536 bytes that fit"),
    ],
    ids=["no secret", "no name", "empty", "too long"],
)
def test_bad_values_are_refused(
    key: str, value: str, message: str, instance: TutorRoot, environment: dict[str, str]
) -> None:
    before = stored(environment, "openedx/keeper")
    assert message in refused(instance, "secrets", "set", key, given=value)
    assert stored(environment, "openedx/keeper") == before


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_what_is_no_text_is_refused(
    locale: str, instance: TutorRoot, environment: dict[str, str]
) -> None:
    """And not shown, wherever Python would stumble over it."""
    before = stored(environment, "openedx/keeper")
    answer = subprocess.run(
        [TUTOR, "secrets", "set", "SMTP_PASSWORD"],
        env={**instance.variables, "LC_ALL": locale},
        input=b"s3cret\xe9",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = answer.stdout.decode()
    assert answer.returncode == 1
    assert "SMTP_PASSWORD: is not text in UTF-8" in said
    assert "s3cret" not in said
    assert "Traceback" not in said
    assert stored(environment, "openedx/keeper") == before


def test_a_database_password_is_not_set_behind_the_servers_back(
    instance: TutorRoot, environment: dict[str, str]
) -> None:
    before = stored(environment, "openedx/keeper")
    argv = ("secrets", "set", "OPENEDX_MYSQL_PASSWORD")
    said = refused(instance, *argv, given="another-s3cret")
    assert "`tutor secrets rotate OPENEDX_MYSQL_PASSWORD`" in said
    instance.run(*argv, "--force", given=before["OPENEDX_MYSQL_PASSWORD"])
    changed_at = json.loads(stored(environment, "openedx/keeper")["SECRETS_CHANGED"])
    assert changed_at != json.loads(before["SECRETS_CHANGED"])
