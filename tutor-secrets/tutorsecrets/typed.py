"""Edge: passwords that somebody types for a job: kept in memory, tokens everywhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
            for parameter in command.params if isinstance(command, click.Command) else ():
                if _is_secret(parameter):
                    # Commands live as long as the process, and plugins may be loaded again.
                    known = parameter.callback
                    before = known.before if isinstance(known, _Hiding) else known
                    parameter.callback = _Hiding(self, before)

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


@dataclass(frozen=True)
class _Hiding:
    """What click calls with a value, once it has asked for what is missing."""

    typed: Typed
    before: Callable[[click.Context, click.Parameter, Any], Any] | None

    def __call__(self, context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        value = self.before(context, parameter, value) if self.before else value
        if isinstance(value, (list, tuple)):
            return type(value)(self._hidden(parameter, item) for item in value)
        return self._hidden(parameter, value)

    def _hidden(self, parameter: click.Parameter, value: Any) -> Any:
        return self.typed.hidden(parameter.name or "", str(value)) if value else value


def _is_secret(parameter: click.Parameter) -> bool:
    hidden = isinstance(parameter, click.Option) and parameter.hide_input
    is_switch = isinstance(parameter, click.Option) and parameter.is_flag
    return hidden or (not is_switch and like_a_secret(parameter.name or ""))


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
