"""What somebody types for a job stays in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner
from tutor import hooks
from tutorplatform.errors import DeployError
from tutorsecrets.tokens import TOKEN, TYPED, token
from tutorsecrets.typed import Typed


def _no_spaces(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if " " in value:
        raise click.BadParameter("no spaces")
    return value.upper()


@click.command()
@click.argument("name")
@click.argument("api_token", required=False)
@click.option("-p", "--password", hide_input=True)
@click.option("--secret-key", callback=_no_spaces, default="x")
@click.option("--access-token", multiple=True)
@click.option("--keep-password", is_flag=True)
def job(**given: object) -> None:
    click.echo(json.dumps(given))


@pytest.fixture
def typed() -> Iterator[Typed]:
    """Knows the command above, twice: as after plugins were loaded again."""
    found = Typed()
    with hooks.Contexts.app("test").enter():
        hooks.Filters.CLI_DO_COMMANDS.add_item(job)
    Typed().hide_options()
    found.hide_options()
    yield found
    hooks.clear_all(context=hooks.Contexts.app("test").name)


def run(*arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(job, arguments)
    assert result.exit_code == 0, result.output
    given: dict[str, object] = json.loads(result.output)
    return given


def test_jobs_get_tokens_for_what_is_secret(typed: Typed) -> None:
    """Options and arguments, one or several of them; a switch and a name are none."""
    given = run(
        *("admin", "t-1", "-p", "p 1", "--secret-key", "k", "--keep-password"),
        *("--access-token", "a-1", "--access-token", "a-2"),
    )
    assert {
        name: [typed.lookup(match[0]) for match in TOKEN.finditer(str(value))]
        for name, value in given.items()
    } == {
        "name": [],
        "api_token": ["t-1"],
        "password": ["p 1"],
        # The option's own callback came first.
        "secret_key": ["K"],
        "access_token": ["a-1", "a-2"],
        "keep_password": [],
    }
    assert (given["name"], given["keep_password"]) == ("admin", True)


def test_what_was_not_typed_is_left_alone(typed: Typed) -> None:
    given = run("admin")
    assert (given["password"], given["api_token"], given["access_token"]) == (None, None, [])


def test_an_options_own_check_still_refuses(typed: Typed) -> None:
    result = CliRunner().invoke(job, ["admin", "--secret-key", "a b"])
    assert "no spaces" in result.output


def test_what_another_command_was_given_is_unknown(typed: Typed) -> None:
    with pytest.raises(DeployError, match="typed for another command"):
        typed.lookup(token(f"{TYPED}password_0"))
