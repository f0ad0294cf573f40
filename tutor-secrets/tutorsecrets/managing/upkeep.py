"""Edge: what an operator does with the values in the store: fill it, set one, list them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tutorplatform.errors import ConfigError

from tutorsecrets.deploying.session import Session
from tutorsecrets.managing import generation, usage
from tutorsecrets.stores import entries
from tutorsecrets.stores.documents import KEY
from tutorsecrets.stores.store import Content
from tutorsecrets.tokens import parse, stored_name


def initialise(session: Session) -> tuple[list[str], list[str]]:
    """Make up what the store lacks; (what was added, what is still missing).

    What is there is never changed. Whenever it is interrupted, repeat it.
    """
    content = session.content or Content({})
    lacking = sorted(session.keys - set(content.values) - set(session.settings.references))
    new = generation.new_values(session.config, lacking)
    write(session, content, new)
    return sorted(new), [key for key in lacking if key not in new]


def write(session: Session, content: Content, changes: Mapping[str, str]) -> None:
    """Write changes to the store and, for External Secrets, what derives from all its values."""
    changes = {**changes}
    if session.is_external:
        values = {**content.values, **changes}
        derived = generation.derived_values(session.tokens, values)
        changes |= {key: text for key, text in derived.items() if values.get(key) != text}
    if changes:
        session.store.write(changes)


def set_value(session: Session, key: str, value: str) -> None:
    """Put a value that somebody else has chosen into the store.

    Raises ConfigError for a setting that is no secret or is kept elsewhere, and for no value.
    """
    require_setting(session, key)
    if not value:
        raise ConfigError(
            key, "cannot be empty: templates count on a value", "remove what uses it instead"
        )
    write(session, session.content or Content({}), {key: value})


def require_setting(session: Session, key: str) -> None:
    """Raise ConfigError unless `key` is a secret setting that is kept in the instance's store."""
    reference = session.settings.references.get(key)
    if reference:
        raise ConfigError(key, f"is kept in {reference.partition('#')[0]}", "change it there")
    known = {*session.keys, *session.settings.keys, *generation.generators()}
    if key not in known or not KEY.fullmatch(key):
        raise ConfigError(
            key,
            "is no secret setting of this instance",
            f"correct its name, or run `tutor config save --append SECRETS_KEYS={key}` first",
        )


@dataclass(frozen=True)
class Row:
    """A setting: where its value is (empty: nowhere), since when, and who uses it."""

    key: str
    place: str
    changed: datetime | None
    workloads: list[str]
    applications: list[str]


def listed(session: Session) -> list[Row]:
    """Every secret setting that the instance uses or the store has; never a value."""
    content = session.content or Content({})
    workloads = usage.by_workload(session.rendered)
    applications = usage.by_application(session.tasks)
    references = session.settings.references

    def row(key: str) -> Row:
        here = session.store.title if key in content.values else ""
        return Row(
            key,
            references.get(key, here),
            content.changed.get(key),
            workloads.get(key, []),
            applications.get(key, []),
        )

    derived = {stored_name(text) for text in session.tokens if parse(text).steps}
    keys = (session.keys | set(content.values)) - derived - {entries.PENDING, entries.USERS}
    return [row(key) for key in sorted(keys)]
