"""Wiring: `tutor secrets …`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click
from tutor import fmt
from tutoraws.policies import ROLES

if TYPE_CHECKING:
    from tutorsecrets.deploying.session import Session

YES = click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation")


def group(new_session: Callable[[str], Session]) -> click.Group:
    """The commands, for the session that `new_session` makes of a Tutor root."""

    @click.group(name="secrets", short_help="Manage the secrets of this instance")
    @click.pass_context
    def secrets(context: click.Context) -> None:
        """Manage the secrets of this instance, which are kept in AWS."""
        context.obj = new_session(context.obj.root)

    for command in COMMANDS:
        secrets.add_command(command)
    return secrets


@click.command()
@click.option("--force", is_flag=True, help="Even if the instance runs with another store's values")
@click.pass_obj
def init(session: Session, force: bool) -> None:
    """Make up the secrets that are missing in the store.

    Values that are there are never changed or shown: run it as often as you like.
    """
    from tutorsecrets.deploying.kubectl import QuietKubectl
    from tutorsecrets.managing import filling

    filled = filling.fill(session, QuietKubectl(), force=force)
    fmt.echo_info(f"{session.store.title}: {filled.done}")
    for sentence in filled.left:
        fmt.echo_alert(sentence)


@click.command(name="set")
@click.argument("key")
@click.option("--force", is_flag=True, help="Also a password that you have changed in MySQL")
@click.pass_obj
def set_command(session: Session, key: str, force: bool) -> None:
    """Put a value that somebody else has chosen into the store.

    It is asked for, or read from the standard input if that is no terminal.
    """
    from tutorsecrets.managing import upkeep

    def ask() -> str:
        if sys.stdin.isatty():
            return str(click.prompt(key, hide_input=True, confirmation_prompt=True))
        # As bytes, or Python would change line ends. What `echo` adds goes.
        return sys.stdin.buffer.read().decode(errors="surrogateescape").removesuffix("\n")

    upkeep.set_value(session, key, ask, force=force)
    fmt.echo_info(f"{session.store.title}: {key} is set; run `tutor k8s start` to use it")


@click.command(name="list")
@click.pass_obj
def list_command(session: Session) -> None:
    """List the secret settings, their age, and who uses them; never a value."""
    from tutorsecrets.managing import tables, upkeep

    if session.content is None:
        fmt.echo_alert(f"There is no {session.store.title} in {session.store.region}")
    tables.secrets(upkeep.listed(session))


@click.command()
@click.pass_obj
def check(session: Session) -> None:
    """Compare the store, the Tutor root and the cluster. Exits with 1 if something is wrong."""
    from tutorsecrets.managing import inspection, tables

    found = list(inspection.findings(session))
    if not found:
        fmt.echo_info("Every secret is where it has to be, and nowhere else.")
        return
    tables.findings(found)
    sys.exit(1)


@click.command()
@click.pass_obj
def diff(session: Session) -> None:
    """Show what a deployment would change, values masked."""
    from tutorsecrets.managing import comparison

    comparison.show(session)


@click.command()
@click.argument("keys", nargs=-1, metavar="KEY...")
@YES
@click.pass_obj
def rotate(session: Session, keys: tuple[str, ...], yes: bool) -> None:
    """Give settings new values while the instance runs.

    A MySQL password gets a second user, so that old and new pods both work meanwhile. A rotation
    that was interrupted is finished first; without KEY, nothing else is done.
    """
    from tutorsecrets.managing import rollout, rotating

    operations = rollout.TutorOperations(session)
    rotating.rotate(session, [*keys], lambda text: yes or click.confirm(text), operations)


@click.command()
@YES
@click.pass_obj
def migrate(session: Session, yes: bool) -> None:
    """Move secrets in plain text from config.yml to the store.

    Then deploy, and delete what is left of them in the cluster. Whenever it is interrupted,
    repeat it.
    """
    from tutorsecrets.managing import migrating

    migrating.migrate(session, lambda question: yes or click.confirm(question))


@click.command()
@YES
@click.pass_obj
def restore(session: Session, yes: bool) -> None:
    """Put the values back into config.yml, in plain text, to leave this plugin."""
    from tutorsecrets.managing import migrating

    migrating.restore(session, lambda question: yes or click.confirm(question))


@click.command()
@click.argument("role", type=click.Choice(ROLES))
@click.option("--account", default="*", help="AWS account; any, if it is left out")
@click.pass_obj
def policy(session: Session, role: str, account: str) -> None:
    """Print the IAM policy that one who deploys, the operator or a keeper of the secrets needs."""
    import json

    from tutorsecrets.managing import access
    from tutorsecrets.stores import choice

    # Who still has to migrate needs it first.
    instance = session.unchecked()
    region = choice.region(instance.config) or "*"
    found = access.policy(instance.settings, region, role, account)
    click.echo(json.dumps(found, indent=2))


@click.command()
@click.pass_obj
def manifests(session: Session) -> None:
    """Print the manifests as they are deployed with external-secrets, to commit them to Git."""
    from tutorsecrets.managing import comparison

    click.echo(comparison.manifests(session))


COMMANDS = (
    *(check, diff, init, list_command, manifests, migrate, policy, restore, rotate, set_command),
)
