"""Edge: secrets in plain text in config.yml → the store, and back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from tutor import config as tutor_config
from tutor.types import Config
from tutorplatform.errors import ConfigError, DeployError

from tutorsecrets import classification, configuration, settings
from tutorsecrets.deploying.session import Session
from tutorsecrets.managing import generation, upkeep
from tutorsecrets.stores.store import Content
from tutorsecrets.tokens import keys_in, token


@dataclass(frozen=True)
class Plan:
    """What is to move: setting → value, never shown; and settings that derive from others."""

    values: Mapping[str, str] = field(repr=False)
    derived: list[str]
    # Of `values`, those that are called like a secret, but that nobody has declared.
    undeclared: list[str]


def plan(root: str) -> Plan:
    """The secrets in plain text in config.yml."""
    present = configuration.stored(root)
    rendered = tutor_config.load_minimal(root)
    known = configuration.known_secrets()
    derived = configuration.derived_settings()
    plain = classification.plain_secrets(
        {key: rendered[key] for key in present}, known, settings.plain_names(present)
    )
    moving = [key for key in plain if key not in derived]
    declared = {*known, *settings.keys(present), *classification.PASSWORDS}
    return Plan(
        {key: str(rendered[key]) for key in moving},
        [key for key in plain if key in derived],
        [key for key in moving if key not in declared],
    )


def to_store(session: Session, moving: Plan) -> None:
    """Write the values to the store, with what it lacks besides, and read them back.

    Raises ConfigError if the store has another value for one of them, before anything changes.
    """
    content = session.content or Content({})
    others = [
        key for key, value in moving.values.items() if content.values.get(key, value) != value
    ]
    if others:
        raise ConfigError(
            session.store.title,
            f"has another value than config.yml for {', '.join(others)}",
            "to keep the store's run `tutor config save --unset …` with the name; "
            "to keep that of config.yml, delete the one in the store",
        )
    lacking = session.keys - set(moving.values) - set(content.values)
    new = generation.new_values(session.config, sorted(lacking - set(session.settings.references)))
    changes = {**moving.values, **new}
    upkeep.write(session, content, {k: v for k, v in changes.items() if k not in content.values})
    stored = session.store.read(session.settings.references)
    if stored is None or any(stored.values.get(key) != value for key, value in changes.items()):
        raise DeployError(
            session.store.title,
            "did not keep what was written",
            "look at it; config.yml is as it was",
        )


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
    """config.yml with the values from the store in place of tokens."""
    values = {key: session.values.get(key) for key in restored_keys(session)}
    # What derives from them Tutor makes anew.
    kept = {
        key: value
        for key, value in configuration.stored(session.root).items()
        if not keys_in(value)
    }
    return {**kept, **values}


def save(root: str, config: Config) -> None:
    """Write config.yml, readable by its owner only."""
    path = tutor_config.config_path(root)
    # Before there is anything in it that others must not read.
    os.chmod(path, 0o600)
    tutor_config.save_config_file(root, config)
