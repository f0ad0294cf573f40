"""Edge: config.yml and Tutor's hooks: tokens instead of values, from the first save on."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import yaml
from tutor import config as tutor_config
from tutor import fmt, plugins, serialize
from tutor import hooks as tutor_hooks
from tutor.types import Config, cast_config
from tutorplatform.errors import ConfigError, PlatformError

from tutorsecrets import classification, hooks, settings
from tutorsecrets.tokens import keys_in, token

PLUGIN = "secrets"

# Each command reads config.yml several times. In C, where PyYAML has it, that takes no time.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def stored(root: str) -> Config:
    """What is in config.yml; empty if there is none."""
    path = Path(tutor_config.config_path(root))
    if not path.exists():
        return {}
    return cast_config(yaml.load(path.read_text(encoding="utf-8"), Loader=_SafeLoader))


def known_secrets() -> Mapping[str, str]:
    """Every secret setting of Tutor and of the loaded plugins → the template of its value."""
    return _known_secrets(tuple(sorted(plugins.iter_loaded())))


@functools.cache
def _known_secrets(plugins: tuple[str, ...]) -> Mapping[str, str]:
    return {
        **classification.generators([*_defaults(plugins).items(), *_unique()]),
        **dict(hooks.SECRET_KEYS.iterate()),
    }


# Tutor loads its configuration several times per command, and YAML is slow to parse.
@functools.cache
def _defaults(_plugins: tuple[str, ...]) -> Mapping[str, Any]:
    return dict(tutor_hooks.Filters.CONFIG_DEFAULTS.iterate())


def _unique() -> list[tuple[str, Any]]:
    # What Tutor makes up once and then keeps in config.yml.
    base = tutor_config.get_template("base.yml")
    return [*base.items(), *tutor_hooks.Filters.CONFIG_UNIQUE.iterate()]


def derived_settings() -> dict[str, str]:
    """The settings that Tutor derives from secret ones → their template."""
    return classification.derived(_unique(), known_secrets())


class Tokens:
    """The configuration of one Tutor root, with tokens for its secrets."""

    def __init__(self, root: str | None) -> None:
        """Note what `tutor plugins enable`, if this is it, makes up for what config.yml lacks.

        It does so before it loads this plugin, and saves it. Nobody has ever used these values:
        we put tokens in their place.
        """
        self._root = root
        self._enabling = False
        self._made_up: dict[str, str] = {}
        if root is None or PLUGIN in tutor_config.get_enabled_plugins(stored(root)):
            return
        self._enabling = True
        present = stored(root)
        tokens = {**derived_settings(), **{key: token(key) for key in known_secrets()}}
        self._made_up = {key: text for key, text in tokens.items() if key not in present}

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
        Raises ConfigError for a secret in the environment or on the command line, and for lists
        of this plugin's that cannot be, before Tutor writes them to config.yml.
        """
        present = stored(self.root)
        arguments = _arguments()
        lists = arguments.applied_to(present)
        secrets = {*known_secrets(), *settings.keys(lists)}
        plain = settings.plain_names(lists)
        _refuse_environment(secrets, plain, present)
        _refuse_arguments(secrets, plain, arguments)
        absent = {key: token(key) for key in sorted(secrets) if key not in present}
        return [*items, *absent.items(), *self._made_up.items()]

    def keep(self, _config: Config) -> None:
        """After `tutor plugins enable` has saved values it made up, save tokens instead."""
        if self._made_up:
            tutor_config.save_config_file(self.root, tutor_config.load_minimal(self.root))
            self._made_up = {}

    def refuse_plain(self, config: Config) -> None:
        """Raise ConfigError if config.yml or a default has a secret in plain text.

        Each is reported apart, since what derives from the one shows in the next. A root that
        the plugin is just being enabled on is none the worse for it: that is only said.
        """
        own = settings.read(config)
        known = {*known_secrets(), *own.keys, *own.references}
        present = {key: config[key] for key in stored(self.root) if key in config}
        if plain := classification.plain_secrets(present, known, own.plain):
            if not self._enabling:
                raise classification.config_error(plain)
            fmt.echo_alert(str(classification.config_error(plain)))
            return
        if plain := classification.plain_secrets(config, known, own.plain):
            raise classification.default_error(plain)
        classification.require_whole_tokens(present, {*known, *classification.PASSWORDS})

    def leave(self, plugin: str, _root: str, config: Config) -> None:
        """Raise ConfigError if the plugin is disabled while config.yml has tokens in it."""
        if plugin != PLUGIN:
            return
        kept = sorted(keys_in(stored(self.root)))
        if kept:
            raise ConfigError(
                "config.yml",
                f"without this plugin, tokens stand for nothing ({', '.join(kept)})",
                "run `tutor secrets restore`, which puts the values in their place",
            )
        for key in [key for key, value in config.items() if keys_in(value)]:
            del config[key]


@dataclass(frozen=True)
class Arguments:
    """Those of `tutor config save`."""

    values: list[tuple[str, Any]] = field(default_factory=list)
    appended: list[tuple[str, Any]] = field(default_factory=list)
    removed: list[tuple[str, Any]] = field(default_factory=list)
    unset: list[str] = field(default_factory=list)

    def applied_to(self, present: Config) -> Config:
        """This plugin's own settings in config.yml, as they will be."""
        own = {
            key: value for key, value in {**present, **dict(self.values)}.items() if _is_own(key)
        }
        for key, item in self.appended:
            if _is_own(key) and isinstance(own.get(key, []), list):
                own[key] = [*own.get(key, []), item]
        for key, item in self.removed:
            if isinstance(own.get(key), list):
                own[key] = [each for each in own[key] if each != item]
        return {key: value for key, value in own.items() if key not in self.unset}


def _is_own(key: str) -> bool:
    return key.startswith(settings.PREFIX)


def _arguments() -> Arguments:
    context = click.get_current_context(silent=True)
    given = context.params if context else {}
    names = ("set_vars", "append_vars", "remove_vars", "unset_vars")
    return Arguments(*(list(given.get(name) or ()) for name in names))


def _refuse_environment(secrets: set[str], plain: Iterable[str], present: Config) -> None:
    # Tutor takes `TUTOR_X` for each setting X that it knows; all others are no business of ours.
    variables = {
        key: serialize.parse(os.environ[f"TUTOR_{key}"])
        for key in {*present, *_defaults(tuple(sorted(plugins.iter_loaded()))), *secrets}
        if f"TUTOR_{key}" in os.environ
    }
    if found := classification.plain_secrets(variables, secrets, plain):
        raise classification.override_error(found)


def _refuse_arguments(secrets: set[str], plain: Iterable[str], arguments: Arguments) -> None:
    found = {
        name
        for key, value in (*arguments.values, *arguments.appended)
        for name in classification.plain_secrets({key: value}, secrets, plain)
    }
    if found:
        raise classification.argument_error(sorted(found), secrets)


def refuse_compose(*_: object) -> None:
    """Raise PlatformError: Docker Compose would start with tokens for passwords."""
    raise PlatformError(
        "tutor local and dev",
        "the secrets plugin works on Kubernetes only: this environment holds no passwords",
        "use another Tutor root, without the secrets plugin",
    )
