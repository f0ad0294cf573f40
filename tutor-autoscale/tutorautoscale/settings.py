"""Readers of single values, and how a mapping of differences changes a tuple with names.

A profile is made of NamedTuples: they hold values like frozen dataclasses, and ten of them cost
a tenth of the time to define, which every `tutor` command would wait for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from tutorplatform import quantity
from tutorplatform.errors import ConfigError

T = TypeVar("T")

# A setting's value and its full path → the value to keep; raises ConfigError.
Reader = Callable[[Any, str], Any]


# What the largest machines of AWS have, and a little more.
MOST_CPUS, MOST_MEMORY = 2000, 40 * 2**40


class Each(NamedTuple):
    """The readers of a setting that is a mapping of NamedTuples, by names that are given."""

    readers: Mapping[str, Any]


def cpu(value: Any, where: str) -> str:
    """An amount of CPU as text: `500m`, or `2` for the number 2."""
    _within(quantity.cpu_millicores(value, where), 1000 * MOST_CPUS, value, where, "500m")
    return str(value)


def memory(value: Any, where: str) -> str:
    """An amount of memory as text: `2Gi`."""
    _within(quantity.memory_bytes(value, where), MOST_MEMORY, value, where, "2Gi")
    return str(value)


def traffic(value: Any, where: str) -> str:
    """An amount of bytes per second as text: `5M`."""
    quantity.traffic_bytes(value, where)
    return str(value)


def _within(size: int, most: int, value: Any, where: str, example: str) -> None:
    if size > most:
        raise ConfigError(where, f"{value!r} is more than any node has", f"write {example!r}")


def flag(value: Any, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ConfigError(where, f"{value!r} is neither true nor false", "write one of them")
    return value


def text(value: Any, where: str) -> str:
    """Text that is not empty."""
    if not isinstance(value, str) or not value:
        raise ConfigError(where, f"{value!r} is not a text", "write one, in quotes if need be")
    return value


def form(pattern: str, noun: str, example: str) -> Reader:
    """A reader of text that the pattern matches as a whole; `noun` says in errors what it is."""

    def read(value: Any, where: str) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ConfigError(where, f"{value!r} is not {noun}", f"write one like {example!r}")
        return value

    return read


def listed(read: Reader) -> Reader:
    """A reader of a list of what `read` reads, as a tuple."""

    def each(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise ConfigError(where, f"{value!r} is not a list", f"write [{value}]")
        return tuple(read(item, f"{where}[{number}]") for number, item in enumerate(value))

    return each


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


def overlaid(default: T, differences: Any, where: str, readers: Mapping[str, Any]) -> T:
    """`default`, a NamedTuple, with `differences` in place of its own values, at any depth.

    `readers` has a Reader for each setting, the readers of a setting that is a NamedTuple itself,
    or Each. `null` for a NamedTuple that has a default for everything is those defaults.
    ConfigError for anything else in `differences`, and for values that a reader refuses.
    """
    checked_keys(differences, readers, where)
    changed = {
        key: _value(readers[key], getattr(default, key), value, f"{where}.{key}")
        for key, value in differences.items()
    }
    return default._replace(**changed)  # type: ignore[attr-defined, no-any-return]


def checked_keys(value: Any, known: Iterable[str], where: str) -> Mapping[str, Any]:
    """`value` if it is a mapping with known keys only, else ConfigError."""
    names = ", ".join(sorted(known))
    use = f"use one of {names}" if names else "remove it"
    if not isinstance(value, Mapping):
        write = f"write any of {names} in it" if names else "remove it"
        raise ConfigError(where, f"{value!r} is not a mapping", write)
    for key in value:
        if key not in known:
            raise ConfigError(f"{where}.{key}", "there is no such setting", use)
    return value


def flat(values: Any, readers: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """The path (`cpu.target`) and value of each setting of a NamedTuple."""
    for key, read in readers.items():
        value, here = getattr(values, key), f"{path}{key}"
        if isinstance(read, Each):
            for name, part in value.items():
                yield from flat(part, read.readers, f"{here}.{name}.")
        elif isinstance(read, Mapping):
            yield from flat(value, read, f"{here}.")
        else:
            yield here, value


def _value(read: Any, default: Any, value: Any, where: str) -> Any:
    if isinstance(read, Each):
        checked_keys(value, default, where)
        parts = {
            name: _value(read.readers, default[name], value[name], f"{where}.{name}")
            for name in value
        }
        return {**default, **parts}
    if not isinstance(read, Mapping):
        return read(value, where)
    # Where everything has a default, that is how the whole is switched off.
    if value is None and set(default._fields) == set(default._field_defaults):
        return type(default)()
    return overlaid(default, value, where, read)
