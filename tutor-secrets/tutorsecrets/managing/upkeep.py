"""Edge: what an operator does with the values in the store: set one, list them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime

from tutorplatform.errors import ConfigError

from tutorsecrets.deploying.session import Session
from tutorsecrets.managing import generation, rotation, usage
from tutorsecrets.stores import entries
from tutorsecrets.stores.documents import KEY
from tutorsecrets.stores.store import Content
from tutorsecrets.tokens import TRACE, keys_in, parse, stored_name


def write(session: Session, content: Content, changes: Mapping[str, str]) -> None:
    """Write changes to the store and, for External Secrets, what derives from all its values."""
    changes = {**changes, **stale(session, {**content.values, **changes}, set(changes))}
    if changes:
        session.store.write(changes)


def stale(
    session: Session, values: Mapping[str, str], changed: Set[str] = frozenset()
) -> dict[str, str]:
    """For External Secrets: what derives from `values`, where they have it otherwise or not.

    What a filter makes anew each time (`encrypt` has a salt) is fit for as long as what it
    derives from is not among `changed`.
    """
    if not session.is_external:
        return {}
    tokens = {stored_name(token): token for token in session.tokens}
    derived = generation.derived_values(tokens.values(), values)
    different = {name: text for name, text in derived.items() if values.get(name) != text}
    again = generation.derived_values([tokens[name] for name in different], values)
    return {
        name: text
        for name, text in different.items()
        if name not in values or parse(tokens[name]).key in changed or again[name] == text
    }


def set_value(session: Session, key: str, ask: Callable[[], str], *, force: bool = False) -> None:
    """Put a value that somebody else has chosen into the store. `ask` is for it, after all checks.

    Raises ConfigError for a setting that is no secret or is kept elsewhere, for no value or one
    that is no text and, without `force`, for one that a database server would have to know too.
    """
    require_setting(session, key)
    content = session.content or Content({})
    if not force and content.values.get(key):
        _require_no_user(session, key)
    value = ask()
    if not value:
        raise ConfigError(
            key, "cannot be empty: templates count on a value", "remove what uses it instead"
        )
    if TRACE.search(value):
        raise ConfigError(key, "would be a token itself", "give it the value that it stands for")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ConfigError(key, "is not text in UTF-8", "convert it, or store its base64")
    write(session, content, {key: value})


def _require_no_user(session: Session, key: str) -> None:
    user = rotation.database_user(key, session.config)
    if user:
        raise ConfigError(
            key,
            f"is the password of MySQL user {user.old}, whom the server would turn away",
            f"run `tutor secrets rotate {key}`, which changes it there too; if you have done so "
            "yourself, add --force",
        )


def require_setting(session: Session, key: str) -> None:
    """Raise ConfigError unless `key` is a secret setting that is kept in the instance's store."""
    reference = session.settings.references.get(key)
    if reference:
        raise ConfigError(key, f"is kept in {reference.partition('#')[0]}", "change it there")
    sources = sorted(keys_in(session.config.get(key)))
    if sources and key not in sources:
        raise ConfigError(
            key, f"derives from {', '.join(sources)}", f"run `tutor secrets rotate {sources[0]}`"
        )
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
