"""Edge: moves the secrets of an existing instance into the store, and out of it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import click
from tutor import config as tutor_config
from tutor import env as tutor_env
from tutor import fmt
from tutor.exceptions import TutorError

from tutorsecrets.configuration import stored
from tutorsecrets.deploying.session import Session
from tutorsecrets.managing import inspection, leftovers, migration, rollout, tables
from tutorsecrets.rewriting.rewrite import OWN_SELECTOR, title

# A question → whether to go on.
Ask = Callable[[str], bool]


def migrate(session: Session, ask: Ask) -> None:
    """Store, config.yml and env/, then the cluster; what is done already is passed over."""
    moving = migration.plan(session.root)
    if moving.values or moving.derived:
        unchecked = session.unchecked()
        migration.require_no_conflict(unchecked, moving)
        _show(session, moving)
        if not ask("Move them?"):
            raise click.Abort
        migration.to_store(unchecked, moving)
        fmt.echo_info(f"{unchecked.store.title} has all of them; it was read back and compared")
        config = migration.with_tokens(stored(session.root), moving)
        tutor_config.save_config_file(session.root, config)
        # As the next `config save` would have it, with tokens of what derives from others.
        tutor_config.save_config_file(session.root, tutor_config.load_minimal(session.root))
    else:
        fmt.echo_info("config.yml has no secret in plain text")
    # Always: somebody may have interrupted this command before.
    tutor_env.save(session.root, tutor_config.load_full(session.root))
    session = session.anew()
    migration.derived_to_store(session)
    _clean_cluster(session, ask)


def _show(session: Session, moving: migration.Plan) -> None:
    title = session.unchecked().store.title
    tables.show(
        ("config.yml", "becomes", "value goes to"),
        [
            *((key, "a token", title) for key in moving.values),
            *((key, "a token", "nowhere: it derives from another one") for key in moving.derived),
        ],
    )


def _clean_cluster(session: Session, ask: Ask) -> None:
    values = inspection.known_values(session)
    try:
        running = session.live("deployments")
    except TutorError as error:
        fmt.echo_alert(
            f"The cluster was not looked at ({error}). Run this command again when it answers."
        )
        return
    if running and ask("Deploy the instance with the secrets from the store now?"):
        rollout.start(session.root)
        names = [f"deployment/{each['metadata']['name']}" for each in session.live("deployments")]
        rollout.wait(session, names)
        rollout.wait_for_ending_pods(session)
    if running:
        _delete_remains(session, values, ask)
    left = list(inspection.plain_values(session, values))
    if left:
        fmt.echo_alert("Some of the values are still in plain text:")
        tables.findings(left)
    else:
        fmt.echo_info(
            "No value is left in plain text, neither in the Tutor root nor in the cluster"
        )


def _delete_remains(session: Session, values: Mapping[str, str], ask: Ask) -> None:
    remains = leftovers.look(session, values)
    if remains.foreign:
        names = ", ".join(title(each) for each in remains.foreign)
        fmt.echo_alert(f"Not of this instance, and so yours to delete: {names}")
    if not remains.own:
        return
    fmt.echo_info("No longer in use, with a value in plain text:")
    rows = ((each["kind"], each["metadata"]["name"]) for each in remains.own)
    tables.show(("kind", "name"), rows)
    if ask(f"Delete these {len(remains.own)} objects?"):
        leftovers.delete(session, remains.own)


def restore(session: Session, ask: Ask) -> None:
    """Values in place of tokens in config.yml; env/ is rendered once the plugin is disabled."""
    config = migration.restored(session)
    count = len(migration.restored_keys(session))
    if not (
        ask(f"Write {count} secrets in plain text into config.yml?")
        and ask("Whoever reads that file has them, and so has every copy of it. Go on?")
    ):
        raise click.Abort
    migration.save(session.root, config)
    fmt.echo_info(
        "config.yml has the values. Keep it out of Git, and run\n\n"
        "    tutor plugins disable secrets\n    tutor config save\n    tutor k8s start\n\n"
        "and, when all pods are new,\n\n"
        f"    kubectl delete secrets --namespace={session.namespace} --selector={OWN_SELECTOR}\n\n"
        f"{session.store.title} is as it was: delete it when you are sure."
    )
