"""Wiring: what Tutor's jobs do on MySQL, as the instance's own users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from tutor import config as tutor_config
from tutor import plugins
from tutor.commands.context import Context
from tutor.hooks import Contexts, Filters, priorities

from tutoraws import mysql_tasks

# After those of all plugins.
LAST = priorities.LOW + 50


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("args", nargs=-1)
@click.pass_obj
def sqlshell(context: Context, args: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Run MySQL's client as the instance's own user.

    Extra arguments will be passed to the `mysql` command verbatim. The user is that of the
    database among them, or that of the platform's: `do sqlshell acmenotes -e 'show tables'`.
    """
    yield "lms", mysql_tasks.sqlshell(tutor_config.load(context.root), args)


def with_own_sqlshell(commands: list[Any]) -> list[Any]:
    """The commands of `tutor … do`, with ours in place of the one for an administrator."""
    return [sqlshell if command.name == sqlshell.name else command for command in commands]


def use_own_users() -> None:
    """Have the init tasks of Tutor and all plugins changed, also with `init --limit=…`.

    With that, Tutor runs only those callbacks of the filter that were added for one of them.
    """
    for application in ("mysql", *plugins.iter_loaded()):
        with Contexts.app("aws").enter(), Contexts.app(application).enter():
            Filters.CLI_DO_INIT_TASKS.add(priority=LAST)(mysql_tasks.with_own_users)
