"""Edge: config.yml and Tutor's hooks: tokens instead of values, from the first save on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
from tutor import config as tutor_config
from tutor import hooks as tutor_hooks
from tutor.types import Config
from tutorplatform.errors import ConfigError, PlatformError

from tutorsecrets import hooks, settings
from tutorsecrets.tokens import keys_in, token

PLUGIN = "secrets"


def current_root() -> str | None:
    """The Tutor root of the `tutor` command that is running; None outside of any."""
    context = click.get_current_context(silent=True)
    root = context.find_root().params.get("root") if context else None
    return root if isinstance(root, str) else None


def known_secrets() -> dict[str, str]:
    """Every secret setting of Tutor and of the loaded plugins → the template of its value."""
    return {**settings.generators(_unique()), **dict(hooks.SECRET_KEYS.iterate())}


def _unique() -> list[tuple[str, Any]]:
    # What Tutor makes up once and then keeps in config.yml.
    base = tutor_config.get_template("base.yml")
    return [*base.items(), *tutor_hooks.Filters.CONFIG_UNIQUE.iterate()]


class Tokens:
    """The configuration of one Tutor root, with tokens for its secrets."""

    def __init__(self, root: str | None) -> None:
        """Raise ConfigError when the plugin is being enabled on a root with secrets in plain text.

        `tutor plugins enable` makes up the values that config.yml lacks before it loads this
        plugin, and saves them. Nobody has ever used them: we put tokens in their place.
        """
        self._root = root
        self._made_up: dict[str, str] = {}
        if root is None or PLUGIN in tutor_config.get_enabled_plugins(self._stored()):
            return
        stored, known = self._stored(), known_secrets()
        if plain := settings.plain_secrets(stored, known):
            raise settings.plain_text_error("config.yml", plain)
        tokens = {**settings.derived(_unique(), known), **{key: token(key) for key in known}}
        self._made_up = {key: text for key, text in tokens.items() if key not in stored}

    @property
    def root(self) -> str:
        """The Tutor root. PlatformError outside of a command: whose secrets would it be?"""
        if self._root is None:
            raise PlatformError(
                "secrets plugin", "no Tutor root is known", "use it through the `tutor` command"
            )
        return self._root

    def provide(self, items: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        """For Tutor's CONFIG_USER: a token for each secret that config.yml does not mention.

        These items win over config.yml. Were there one for a plain value in it, the next
        save would replace the value, and it would be lost; so we leave it to `refuse_plain`.
        """
        stored = self._stored()
        own = {key: value for key, value in stored.items() if key.startswith("SECRETS_")}
        secrets = {**known_secrets(), **dict.fromkeys(settings.read(own).keys)}
        absent = {key: token(key) for key in secrets if key not in stored}
        return [*items, *absent.items(), *self._made_up.items()]

    def keep(self, _config: Config) -> None:
        """After `tutor plugins enable` has saved values it made up, save tokens instead."""
        if self._made_up:
            tutor_config.save_config_file(self.root, tutor_config.load_minimal(self.root))
            self._made_up = {}

    def refuse_plain(self, config: Config) -> None:
        """Raise ConfigError if config.yml, the environment or a default has a secret in plain text.

        Each is reported apart, since what derives from the one shows in the next.
        """
        settings.read(config)
        known = known_secrets()
        stored = {key: config[key] for key in self._stored() if key in config}
        environment = {
            key: os.environ[f"TUTOR_{key}"] for key in config if f"TUTOR_{key}" in os.environ
        }
        if plain := settings.plain_secrets(environment, known):
            raise settings.override_error(plain)
        if plain := settings.plain_secrets(stored, known):
            raise settings.plain_text_error("config.yml", plain)
        if plain := settings.plain_secrets(config, known):
            raise settings.plain_text_error("default settings", plain)

    def leave(self, plugin: str, _root: str, config: Config) -> None:
        """Raise ConfigError if the plugin is disabled while config.yml has tokens in it."""
        if plugin != PLUGIN:
            return
        kept = sorted(keys_in(self._stored()))
        if kept:
            raise ConfigError(
                "config.yml",
                f"without this plugin, tokens stand for nothing ({', '.join(kept)})",
                "put the values from the store in their place, then disable the plugin",
            )
        for key in [key for key, value in config.items() if keys_in(value)]:
            del config[key]

    def _stored(self) -> Config:
        path = tutor_config.config_path(self.root)
        return tutor_config.get_yaml_file(path) if Path(path).exists() else {}


def refuse_compose(*_: object) -> None:
    """Raise PlatformError: Docker Compose would start with tokens for passwords."""
    raise PlatformError(
        "tutor local and dev",
        "the secrets plugin works on Kubernetes only: this environment holds no passwords",
        "use another Tutor root, without the secrets plugin",
    )
