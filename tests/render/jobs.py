"""The scripts of Tutor's jobs, rendered for a Tutor root.

    python -m tests.render.jobs <Tutor root> [application]

As a program, since Tutor loads the plugins of one root per process. Prints JSON: [service, script]
for each init task, of one application or all, and for `sqlshell`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from tutor import config as tutor_config
from tutor import env, hooks
from tutor.commands import jobs  # noqa: F401  # adds Tutor's own tasks and commands
from tutor.commands.context import Context

from demo.tutor import TutorRoot

Scripts = list[tuple[str, str]]


def scripts(root: TutorRoot, *application: str) -> Scripts:
    """The scripts of this Tutor root."""
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(root.path), *application],
        cwd=Path(__file__).parents[2],
        env=root.variables,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [(service, script) for service, script in json.loads(done.stdout)]


def main(root: str, application: str = "") -> None:
    tutor = click.Context(click.Command("tutor"), obj=Context(root))
    tutor.params["root"] = root
    with tutor:
        print(json.dumps(found(root, application)))


def found(root: str, application: str) -> Scripts:
    hooks.Actions.CORE_READY.do()
    hooks.Actions.PROJECT_ROOT_READY.do(root)
    config = tutor_config.load_full(root)
    context = hooks.Contexts.app(application).name if application else None
    tasks = [*hooks.Filters.CLI_DO_INIT_TASKS.iterate_from_context(context)]
    if not application:
        tasks += sqlshell(root)
    return [(service, env.render_str(config, script)) for service, script in tasks]


def sqlshell(root: str) -> Scripts:
    # What is patched around it runs the scripts.
    commands: Iterable[Any] = hooks.Filters.CLI_DO_COMMANDS.iterate()
    [callback] = [
        each.callback.__wrapped__ for each in commands if getattr(each, "name", "") == "sqlshell"
    ]
    with click.Context(click.Command("sqlshell"), obj=Context(root)):
        return [*callback(["-e", "SELECT 1"])]


if __name__ == "__main__":
    main(*sys.argv[1:])
