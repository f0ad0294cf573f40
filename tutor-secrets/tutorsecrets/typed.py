"""Edge: passwords that somebody types for a job: kept in memory, tokens everywhere else."""

from __future__ import annotations

from typing import Any

import click
from tutor.hooks import Filters
from tutorplatform.errors import DeployError, PlatformError

from tutorsecrets.naming import like_a_secret
from tutorsecrets.tokens import TYPED, parse, token


class Typed:
    """The passwords typed for one `tutor` command."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def hide_options(self) -> None:
        """From now on, give tokens for passwords to the jobs of `tutor k8s do`.

        Tutor pastes them into a script, and that into a file. Runs when all plugins are loaded.
        """
        for command in Filters.CLI_DO_COMMANDS.iterate():
            for option in command.params if isinstance(command, click.Command) else ():
                if isinstance(option, click.Option) and _is_secret(option):
                    option.callback = self._hide

    def hidden(self, name: str, value: str) -> str:
        """A token that stands for `value` until the command ends."""
        key = f"{TYPED}{name}_{len(self._values)}"
        self._values[key] = value
        return token(key)

    def lookup(self, text: str) -> str:
        """The value that a token stands for; DeployError if it was typed for another command."""
        key = parse(text).key
        if key not in self._values:
            raise DeployError("password", "was typed for another command", "run that command again")
        return self._values[key]

    def _hide(self, _context: click.Context, option: click.Parameter, value: Any) -> Any:
        # Click asks for what is missing before it calls us.
        if not value:
            return value
        return self.hidden(option.name or "", str(value))


def _is_secret(option: click.Option) -> bool:
    return option.hide_input or like_a_secret(option.name or "")


def refuse_test_setup(job: str, *_: Any, **arguments: Any) -> None:
    """Raise PlatformError for the one job of Tutor's that makes up a password by itself.

    It needs the password here, for its tests, and would paste it into a script and a file.
    """
    if job == "tests" and arguments.get("setup"):
        raise PlatformError(
            "tutor k8s do tests --setup",
            "would leave an administrator's password in a job",
            "make the account with `tutor k8s do createuser`, and run the tests without --setup",
        )
