"""Readers of single values, and how a mapping of differences changes a frozen dataclass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from tutorplatform import quantity
from tutorplatform.errors import ConfigError

T = TypeVar("T")

# A setting's value and its full path → the value to keep; raises ConfigError.
Reader = Callable[[Any, str], Any]


def cpu(value: Any, where: str) -> str:
    """An amount of CPU as text: `500m`, or `2` for the number 2."""
    quantity.cpu_millicores(value, where)
    return str(value)


def memory(value: Any, where: str) -> str:
    """An amount of memory as text: `2Gi`."""
    quantity.memory_bytes(value, where)
    return str(value)


def whole_number(low: int, high: int) -> Reader:
    """A reader of whole numbers; both ends are allowed."""

    def read(value: Any, where: str) -> int:
        # Not isinstance: for Python, `true` is a number too.
        if type(value) is not int:
            raise ConfigError(where, f"{value!r} is not a whole number", f"write {low} to {high}")
        if not low <= value <= high:
            raise ConfigError(where, f"{value} is out of range", f"write {low} to {high}")
        return value

    return read


def choice(*words: str) -> Reader:
    """A reader of one of these words."""

    def read(value: Any, where: str) -> str:
        if value not in words:
            raise ConfigError(where, f"{value!r} is unknown", f"write {' or '.join(words)}")
        return str(value)

    return read


def optional(read: Reader) -> Reader:
    """A reader that also takes `null`, which switches the setting off."""
    return lambda value, where: None if value is None else read(value, where)


def by(read: Reader) -> Mapping[str, Any]:
    """The metadata of a dataclass field that is a setting."""
    return {"read": read}


def overlaid(default: T, differences: Any, where: str) -> T:
    """`default`, a dataclass instance, with `differences` in place of its own values, at any depth.

    Settings are the fields that have a reader and those that hold a dataclass. ConfigError for
    anything else in `differences`, and for values that a reader refuses.
    """
    settings = _settings(default)
    checked_keys(differences, settings, where)
    return replace(
        default,  # type: ignore[type-var]
        **{
            key: _value(settings[key], getattr(default, key), value, f"{where}.{key}")
            for key, value in differences.items()
        },
    )


def checked_keys(value: Any, known: Iterable[str], where: str) -> Mapping[str, Any]:
    """`value` if it is a mapping with known keys only, else ConfigError."""
    names = ", ".join(sorted(known))
    if not isinstance(value, Mapping):
        raise ConfigError(where, f"{value!r} is not a mapping", f"write any of {names} in it")
    for key in value:
        if key not in known:
            raise ConfigError(f"{where}.{key}", "there is no such setting", f"use one of {names}")
    return value


def _settings(default: Any) -> dict[str, Reader | None]:
    return {
        field.name: field.metadata.get("read")
        for field in fields(default)
        if "read" in field.metadata or is_dataclass(getattr(default, field.name))
    }


def _value(read: Reader | None, default: Any, value: Any, where: str) -> Any:
    return read(value, where) if read else overlaid(default, value, where)
