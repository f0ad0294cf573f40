"""Edge: secrets in plain text in config.yml → the store, and back."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tutor import config as tutor_config
from tutor import serialize
from tutor.types import Config
from tutorplatform.errors import ConfigError, DeployError

from tutorsecrets import classification, configuration, settings
from tutorsecrets.deploying.session import Session
from tutorsecrets.managing import generation, upkeep
from tutorsecrets.stores.store import Content
from tutorsecrets.tokens import TOKEN, keys_in, token

CHANGED_BY_JINJA = re.compile(r"\{[{%#]|\r|\n\Z")


@dataclass(frozen=True)
class Plan:
    """What is to move: setting → value, never shown; and settings that derive from others."""

    values: Mapping[str, str] = field(repr=False)
    derived: list[str]
    # Of `values`, those that are called like a secret, but that nobody has declared.
    undeclared: list[str]


def plan(root: str) -> Plan:
    """The secrets in plain text in config.yml. ConfigError for one that is no single value."""
    present = configuration.stored(root)
    rendered = tutor_config.load_minimal(root)
    known = {*configuration.known_secrets(), *settings.keys(present)}
    derived = configuration.derived_settings()
    plain = classification.plain_secrets(
        {key: rendered[key] for key in present}, known, settings.plain_names(present)
    )
    moving = [key for key in plain if key not in derived]
    _require_texts({key: rendered[key] for key in moving})
    declared = {*known, *classification.PASSWORDS}
    return Plan(
        {key: str(rendered[key]) for key in moving},
        [key for key in plain if key in derived],
        [key for key in moving if key not in declared],
    )


def _require_texts(values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        # As text, templates would take a list, a mapping or `false` for something else.
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ConfigError(
                key,
                f"is a {type(value).__name__}, and the store keeps texts",
                "put what is secret in it into a setting of its own, or, if nothing is, "
                f"run `tutor config save --append SECRETS_PLAIN={key}`",
            )


def require_no_conflict(session: Session, moving: Plan) -> None:
    """Raise ConfigError if the store has another value for one of them."""
    known = (session.content or Content({})).values
    others = [key for key, value in moving.values.items() if known.get(key, value) != value]
    if others:
        raise ConfigError(
            session.store.title,
            f"has another value than config.yml for {', '.join(others)}",
            f"to keep the store's, run `tutor config save --unset {others[0]}`; to keep that of "
            "config.yml, delete the one in the store, with AWS' console or CLI",
        )


def to_store(session: Session, moving: Plan) -> None:
    """Write the values to the store, with what it lacks besides, and read them back."""
    content = session.content or Content({})
    lacking = session.keys - set(moving.values) - set(content.values)
    new = generation.new_values(session.config, sorted(lacking - set(session.settings.references)))
    changes = {**moving.values, **new}
    added = {key: text for key, text in changes.items() if key not in content.values}
    if added:
        session.store.write(added)
    stored = session.store.read(session.settings.references)
    if stored is None or any(stored.values.get(key) != value for key, value in changes.items()):
        raise DeployError(
            session.store.title,
            "did not keep what was written",
            "look at it; config.yml is as it was",
        )


def derived_to_store(session: Session) -> None:
    """Write what External Secrets needs beside the values, once env/ has the tokens."""
    if session.is_external:
        upkeep.write(session, session.content or Content({}), {})


def with_tokens(config: Config, moving: Plan) -> Config:
    """config.yml with tokens in place of the values that have moved."""
    kept = {key: value for key, value in config.items() if key not in moving.derived}
    keys = [*(config.get("SECRETS_KEYS") or []), *moving.undeclared]  # type: ignore[misc]
    return {
        **kept,
        **{key: token(key) for key in moving.values},
        **({"SECRETS_KEYS": sorted(set(keys))} if moving.undeclared else {}),
    }


def restored_keys(session: Session) -> list[str]:
    """The settings whose token stands in the configuration as it is."""
    return sorted(key for key in session.keys if session.config.get(key) == token(key))


def restored(session: Session) -> Config:
    """config.yml with the values from the store in place of tokens.

    ConfigError for values that cannot stand there.
    """
    derived = configuration.derived_settings()
    present = {
        **{key: token(key) for key in restored_keys(session)},
        **configuration.stored(session.root),
    }
    config = {
        key: _restored(session, key, value)
        for key, value in present.items()
        # What Tutor derives from them it makes anew.
        if key not in derived or not keys_in(value)
    }
    changing = sorted(key for key in config if keys_in(present[key]) and is_changed(config[key]))
    if changing:
        raise ConfigError(
            ", ".join(changing),
            "has a value that Tutor would not read unchanged from config.yml",
            "give it another one, without `{{`, `{%`, `{#`, control characters or a newline at "
            "the end, and put that into the store with `tutor secrets set`",
        )
    return config


def _restored(session: Session, key: str, value: Any) -> Any:
    if not keys_in(value):
        return value
    if not isinstance(value, str):
        raise ConfigError(
            key, "has secrets in a list or mapping", "take it out of config.yml before"
        )
    return TOKEN.sub(lambda match: session.lookup(match[0]), value)


def is_changed(text: str) -> bool:
    """Whether Tutor would read something else, or nothing, where `text` stands in config.yml.

    It cannot be escaped: Tutor saves what it has rendered, and renders it again.
    """
    read = serialize.load(serialize.dumps({"_": text}))["_"]
    return read != text or bool(CHANGED_BY_JINJA.search(text))


def save(root: str, config: Config) -> None:
    """Write config.yml, readable by its owner only."""
    path = tutor_config.config_path(root)
    # Before there is anything in it that others must not read.
    os.chmod(path, 0o600)
    tutor_config.save_config_file(root, config)
