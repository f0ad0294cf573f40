"""Edge: gives settings new values while the instance runs; `rotation` has the plan.

Before anything else, the store gets a journal with all that is to be done. Each step after it can
be repeated, so an interrupted rotation is simply carried out once more, with the same values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol

import click
from tutor import fmt
from tutorplatform.errors import ConfigError
from tutorplatform.instance import has_made_users

from tutorsecrets.deploying.session import Session
from tutorsecrets.managing import generation, rotation, tables, turns, upkeep, usage
from tutorsecrets.managing.databases import DatabaseUser
from tutorsecrets.managing.journal import NOTHING, Journal, parsed
from tutorsecrets.managing.rotation import Plan
from tutorsecrets.stores import entries
from tutorsecrets.stores.store import Content
from tutorsecrets.tokens import token

# A question → whether to go on.
Ask = Callable[[str], bool]


class Operations(Protocol):
    """What a rotation does to the instance. Whatever was done may be done again."""

    def require_cluster(self) -> None:
        """Raise an error unless the instance's cluster answers."""

    def run_sql(self, script: str) -> None:
        """Run a shell script with the client of MySQL, as a job; TutorError if it fails."""

    def save_settings(self, changes: Mapping[str, str]) -> None:
        """Change settings in config.yml, and render env/."""

    def deploy(self, workloads: Collection[str]) -> None:
        """Deploy, and wait until these workloads, `kind/name`, have new pods."""

    def initialise(self, applications: Iterable[str]) -> None:
        """Run the init tasks of these applications."""

    def wait_for_old_pods(self, keys: Collection[str]) -> None:
        """Return when nothing uses old values of these settings; PlatformError if that is never."""


def rotate(session: Session, keys: list[str], ask: Ask, operations: Operations) -> None:
    """Show the plan, ask, and carry it out; one that was interrupted comes first."""
    # Without it, nothing could be finished that is begun.
    operations.require_cluster()
    unfinished = pending(session)
    if unfinished:
        finish(session, unfinished, keys, ask, operations)
        session, keys = session.anew(), [key for key in keys if key not in unfinished.values]
    if keys or not unfinished:
        start(session, keys, ask, operations)


def finish(
    session: Session, unfinished: Journal, keys: list[str], ask: Ask, operations: Operations
) -> None:
    """Go on with a rotation, before one of `keys`."""
    rest = ", ".join(key for key in keys if key not in unfinished.values)
    after = f"; after it comes {rest}" if rest else ""
    fmt.echo_alert(
        f"The rotation of {', '.join(unfinished.keys)} was interrupted. It is finished first, "
        f"with the values made up then{after}"
    )
    _confirm(_plan(session, unfinished.keys, unfinished.users), ask)
    carry_out(session, unfinished, operations)


def start(session: Session, keys: list[str], ask: Ask, operations: Operations) -> None:
    """Make up values for these settings and take them into use."""
    if not keys:
        raise ConfigError("tutor secrets rotate", "no setting is named", "name one or more")
    plan = planned(session, keys)
    _confirm(plan, ask)
    carry_out(session, begin(session, plan), operations)


def _confirm(plan: Plan, ask: Ask) -> None:
    tables.show(("step", "what happens"), rotation.steps(plan))
    if not ask("Go on?"):
        raise click.Abort


def pending(session: Session) -> Journal | None:
    """The rotation that has not come to its end; DeployError if what is left of it is broken."""
    return parsed(_values(session).get(entries.PENDING))


def takes_effect(session: Session) -> bool:
    """Whether the store has new values of a rotation that has not come to its end."""
    unfinished, known = pending(session), _values(session)
    if not unfinished:
        return False
    # Parameter Store takes one entry after the other, this one first.
    users = entries.users(known.get(entries.USERS))
    return any(users.get(user.user_key) == user.new for user in unfinished.users) or any(
        known.get(key) == value for key, value in unfinished.values.items()
    )


def planned(session: Session, keys: list[str]) -> Plan:
    """How to rotate these settings.

    Raises ConfigError for one that is not ours to choose, and for an old config.yml: the user
    who is not in it may be the one in use.
    """
    for key in keys:
        upkeep.require_setting(session, key)
    rotation.require_ours(keys, generation.generators())
    entries.require_users(session.config, _values(session).get(entries.USERS))
    return _plan(session, keys, rotation.changing_users(keys, session.config))


def _plan(session: Session, keys: Iterable[str], users: Iterable[DatabaseUser]) -> Plan:
    return rotation.plan(
        keys,
        users,
        usage.by_workload(session.rendered),
        usage.by_application(session.tasks),
        made=has_made_users(session.config),
    )


def begin(session: Session, plan: Plan) -> Journal:
    """Make up the values and write the journal; ConfigError if it is too long for the store."""
    known = _values(session)
    previous = {user.password_key: known.get(user.password_key, "") for user in plan.users}
    new = Journal(generation.new_values(session.config, plan.keys), tuple(plan.users), previous)
    try:
        session.store.write({entries.PENDING: new.text})
    except ConfigError as error:
        raise ConfigError(
            "tutor secrets rotate",
            f"the new values of {', '.join(plan.keys)} do not fit into one entry of the store",
            "rotate fewer at once; nothing has changed",
        ) from error
    return new


def carry_out(session: Session, journal: Journal, operations: Operations) -> None:
    """Do all that the journal says, whatever of it is done already, and clear it."""
    plan = _plan(session, journal.keys, journal.users)
    make_new_users(session, journal, operations)
    store_values(session, journal)
    fmt.echo_info(f"{session.store.title}: new values of {', '.join(journal.keys)}")
    if journal.users:
        operations.save_settings({user.user_key: user.new for user in journal.users})
    operations.deploy(plan.workloads)
    operations.initialise(plan.applications)
    if journal.users:
        end_old_passwords(session, journal, operations)
    # Only now: whatever fails before is done again.
    session.store.write({entries.PENDING: NOTHING})
    fmt.echo_info(f"Rotated: {', '.join(journal.keys)}")


def make_new_users(session: Session, journal: Journal, operations: Operations) -> None:
    """Give those users the new passwords that the store does not name yet."""
    # Those that it names have them; and with the config.yml from before, no job would run.
    known = entries.users(_values(session).get(entries.USERS))
    for user in journal.users:
        if known.get(user.user_key) != user.new:
            fmt.echo_info(f"MySQL: {user.new} gets the new password, {user.old} keeps the old one")
            password = session.typed.hidden(user.user_key, journal.values[user.password_key])
            if has_made_users(session.config):
                operations.run_sql(turns.script(user.new, token(user.password_key), password))
            else:
                operations.run_sql(user.creation(password))


def end_old_passwords(session: Session, journal: Journal, operations: Operations) -> None:
    """Take the old passwords away, once nothing has them."""
    operations.wait_for_old_pods([user.password_key for user in journal.users])
    for user in journal.users:
        if has_made_users(session.config):
            fmt.echo_info(f"MySQL: {user.old} gets the new password as well")
            before = session.typed.hidden(user.user_key, journal.previous[user.password_key])
            operations.run_sql(turns.script(user.old, before, token(user.password_key)))
        else:
            fmt.echo_info(f"MySQL: user {user.old} is removed")
            operations.run_sql(user.removal)


def store_values(session: Session, journal: Journal) -> None:
    """Put the new values into the store, and whose they are."""
    content = session.content or Content({})
    changes = {**journal.values}
    if journal.users:
        whose = {user.user_key: user.new for user in journal.users}
        # First: Parameter Store writes one entry after the other, and from this one on a
        # deployment is refused until config.yml has the new users, when all entries are there.
        changes = {
            entries.USERS: entries.with_users(content.values.get(entries.USERS), whose),
            **journal.values,
        }
    known = content.values
    upkeep.write(session, content, {k: v for k, v in changes.items() if known.get(k) != v})


def _values(session: Session) -> Mapping[str, str]:
    return (session.content or Content({})).values
