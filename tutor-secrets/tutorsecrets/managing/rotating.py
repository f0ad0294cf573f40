"""Edge: gives settings new values while the instance runs; `rotation` has the plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import click
from tutor import config as tutor_config
from tutor import fmt
from tutor.env import save as save_env
from tutorplatform.errors import ConfigError

from tutorsecrets.deploying.session import Session
from tutorsecrets.managing import generation, rollout, rotation, tables, upkeep, usage
from tutorsecrets.managing.rotation import DatabaseUser, Plan
from tutorsecrets.stores import entries
from tutorsecrets.stores.store import Content


def rotate(session: Session, keys: list[str], ask: Callable[[str], bool]) -> None:
    """Show the plan, ask, and carry it out; or go on with one that was interrupted."""
    left = interrupted(session)
    if left:
        fmt.echo_alert(f"The rotation of {', '.join(left.keys)} was interrupted; it goes on now")
        take_into_use(session, left)
        return
    if not keys:
        raise ConfigError("tutor secrets rotate", "no setting is named", "name one or more")
    plan = planned(session, keys)
    tables.show(("step", "what happens"), rotation.steps(plan))
    if not ask("Go on?"):
        raise click.Abort
    run(session, plan)


def planned(session: Session, keys: list[str]) -> Plan:
    """How to rotate these settings. ConfigError for one that is not ours to choose."""
    for key in keys:
        upkeep.require_setting(session, key)
    return _plan(session, keys, session.config)


def interrupted(session: Session) -> Plan | None:
    """What is left of a rotation that did not come to its end; None if there is none."""
    values = (session.content or Content({})).values
    keys = json.loads(values.get(entries.PENDING, "[]"))
    if not keys:
        return None
    return _plan(session, keys, rotation.before(session.config, values.get(entries.USERS)))


def _plan(session: Session, keys: list[str], config: Mapping[str, Any]) -> Plan:
    return rotation.plan(
        keys,
        config,
        generation.generators(),
        usage.by_workload(session.rendered),
        usage.by_application(session.tasks),
    )


def run(session: Session, plan: Plan) -> None:
    """Make the values up, put them into the store and take them into use."""
    values = generation.new_values(session.config, plan.keys)
    for user in plan.users:
        fmt.echo_info(f"MySQL: user {user.new} gets the rights of {user.old}; both are valid")
        password = session.typed.hidden(user.user_key, values[user.password_key])
        rollout.run(session.root, "mysql", user.creation(password))
    content = session.content or Content({})
    users = rotation.recorded(plan.users, content.values.get(entries.USERS))
    # In one step: whoever reads the new values also reads whose they are.
    beside = {entries.USERS: users, entries.PENDING: json.dumps(plan.keys)}
    upkeep.write(session, content, {**values, **beside})
    fmt.echo_info(f"{session.store.title}: new values of {', '.join(plan.keys)}")
    take_into_use(session.anew(), plan)


def take_into_use(session: Session, plan: Plan) -> None:
    """Deploy what is in the store, and remove the users that nobody is any more."""
    if plan.users:
        _save_users(session, plan.users)
    rollout.start(session.root)
    if session.is_external:
        rollout.restart(session, plan.workloads)
    rollout.wait(session, plan.workloads)
    rollout.initialise(session.root, plan.applications)
    if plan.users:
        rollout.wait_for_old_pods(session, plan.workloads)
    for user in plan.users:
        fmt.echo_info(f"MySQL: user {user.old} is removed")
        rollout.run(session.root, "mysql", user.removal)
    session.store.write({entries.PENDING: "[]"})


def _save_users(session: Session, users: list[DatabaseUser]) -> None:
    config = tutor_config.load_minimal(session.root)
    config.update({user.user_key: user.new for user in users})
    tutor_config.save_config_file(session.root, config)
    save_env(session.root, tutor_config.load_full(session.root))
