"""Tutor's configuration → frozen dataclasses; whatever does not fit is a ConfigError.

A package describes its settings once, as a dataclass of types, rules and defaults, and reads
them all in one go:

    @dataclass(frozen=True)
    class Cache:
        host: Annotated[str, Form(r"[a-z.]+", "a host name", "cache.acme.internal")] = ""
        port: Annotated[int, Between(1, 65535)] = 6379

    @dataclass(frozen=True)
    class Settings:
        region: str = ""
        cache: Cache = Cache()

    read(Settings, config, "AWS_")     # from AWS_REGION and AWS_CACHE: {host: …}

Every field needs a default: a mapping in config.yml holds only what differs from it.
"""

from __future__ import annotations

import functools
import re
from collections import abc
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from tutorplatform.errors import ConfigError

T = TypeVar("T")

TYPE_NAMES = {str: "text", int: "a whole number", bool: "true or false"}


@dataclass(frozen=True)
class Form:
    """A rule for text: it is empty, which means "not set", or all of it matches the pattern."""

    pattern: str
    noun: str
    example: str

    def check(self, value: str, where: str) -> None:
        """Raise ConfigError unless `value` keeps the rule."""
        if value and not re.fullmatch(self.pattern, value):
            raise ConfigError(
                where, f"{value!r} is not {self.noun}", f"write one like {self.example!r}"
            )


@dataclass(frozen=True)
class Between:
    """A rule for numbers: both ends are allowed."""

    low: int
    high: int

    def check(self, value: int, where: str) -> None:
        """Raise ConfigError unless `value` keeps the rule."""
        if not self.low <= value <= self.high:
            raise ConfigError(
                where, f"{value} is out of range", f"write a number from {self.low} to {self.high}"
            )


@dataclass(frozen=True)
class OneOf:
    """A rule for text: it is one of these words."""

    words: tuple[str, ...]

    def check(self, value: str, where: str) -> None:
        """Raise ConfigError unless `value` keeps the rule."""
        if value not in self.words:
            raise ConfigError(
                where, f"{value!r} is unknown", f"write {' or '.join(map(repr, self.words))}"
            )


def read(kind: type[T], config: Mapping[str, Any], prefix: str) -> T:
    """An instance of the dataclass `kind`, each field from the setting `<prefix><FIELD>`.

    Raises ConfigError, naming the full path (`AWS_MYSQL.port`), for any setting with this
    prefix that the dataclass does not know, and for any value of the wrong type or form.
    """
    names = _setting_names(kind, prefix)
    for key in config:
        if key.startswith(prefix) and key not in names:
            raise _unknown(key, sorted(names))
    return kind(
        **{
            field: _value(hint, config[key], key)
            for key, (field, hint) in names.items()
            if key in config
        }
    )


def defaults(kind: type[Any], prefix: str) -> dict[str, Any]:
    """The settings that `read` reads, as Tutor's defaults: `{}` for a mapping."""
    return {f"{prefix}{field.name.upper()}": _default(field) for field in fields(kind)}


def _default(field: Field[Any]) -> Any:
    # A mapping cannot be a default of a dataclass, but may come from a factory.
    if field.default_factory is not MISSING:
        return field.default_factory()
    if isinstance(field.default, tuple):
        return list(field.default)
    return {} if is_dataclass(field.default) else field.default


@functools.cache
def _hints(kind: Any) -> Mapping[str, Any]:
    # Templates have settings read again and again, and to look these up takes longest.
    return get_type_hints(kind, include_extras=True)


def _setting_names(kind: Any, prefix: str) -> dict[str, tuple[str, Any]]:
    return {f"{prefix}{field.upper()}": (field, hint) for field, hint in _hints(kind).items()}


def _value(hint: Any, value: Any, where: str) -> Any:
    if get_origin(hint) is Annotated:
        bare, *rules = get_args(hint)
        checked = _value(bare, value, where)
        for rule in rules:
            rule.check(checked, where)
        return checked
    if get_origin(hint) is tuple:
        return _items(get_args(hint)[0], value, where)
    if get_origin(hint) is abc.Mapping:
        key_hint, value_hint = get_args(hint)
        return _entries(key_hint, value_hint, value, where)
    if is_dataclass(hint):
        return _mapping(hint, value, where)
    # Not isinstance: for Python, `true` is a number too.
    if type(value) is not hint:
        raise ConfigError(
            where, f"{value!r} is not {TYPE_NAMES[hint]}", f"write {TYPE_NAMES[hint]} there"
        )
    return value


def _items(hint: Any, value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ConfigError(where, f"{value!r} is not a list", f"write `{where}: [{value}]`")
    return tuple(_value(hint, item, f"{where}[{index}]") for index, item in enumerate(value))


def _entries(key_hint: Any, value_hint: Any, value: Any, where: str) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(where, f"{value!r} is not a mapping", f"write `{where}: {{…}}`")
    return {
        _value(key_hint, key, f"{where}, the key {key!r}"): _value(
            value_hint, item, f"{where}.{key}"
        )
        for key, item in value.items()
    }


def _mapping(kind: Any, value: Any, where: str) -> Any:
    hints = _hints(kind)
    if not isinstance(value, Mapping):
        raise ConfigError(
            where,
            f"{value!r} is not a mapping",
            f"write `{where}: {{…}}` with any of {', '.join(hints)}",
        )
    for key in value:
        if key not in hints:
            raise _unknown(f"{where}.{key}", list(hints))
    return kind(**{key: _value(hints[key], item, f"{where}.{key}") for key, item in value.items()})


def _unknown(where: str, known: list[str]) -> ConfigError:
    return ConfigError(where, "there is no such setting", f"use one of {', '.join(known)}")
