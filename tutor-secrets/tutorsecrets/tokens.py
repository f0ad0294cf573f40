"""A secret's stand-in at render time: text that says which value, and what was done to it.

    tutor-secret.JWT_RSA_PRIVATE_KEY.f_rsa_import_key.a_d.f_long_to_base64.end

is the setting JWT_RSA_PRIVATE_KEY, filtered, its attribute `d`, filtered again. A filter's
arguments follow it as hexadecimal JSON. Letters, digits and `._-` only: other characters would
mean something to Docker Compose, to YAML or to a shell.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

PREFIX = "tutor-secret."
# Of the keys of what somebody typed on the command line: it is in no store.
TYPED = "typed_"
SUFFIX = ".end"

TOKEN = re.compile(
    r"tutor-secret\.(?P<key>\w+)(?P<steps>(?:\.[fa]_\w+(?:-[0-9a-f]+)?)*)\.end", re.ASCII
)

# In any case of letters: what a program made of a token is to be noticed as well.
TRACE = re.compile(re.escape(PREFIX), re.IGNORECASE)


@dataclass(frozen=True)
class Step:
    """One thing a template did to a value: read an attribute or, with arguments, apply a filter."""

    name: str
    arguments: tuple[list[Any], dict[str, Any]] | None


@dataclass(frozen=True)
class Recording:
    """What a token stands for: the setting `key`, after `steps`."""

    key: str
    steps: tuple[Step, ...]


def token(key: str) -> str:
    """The token of the setting `key`."""
    return f"{PREFIX}{key}{SUFFIX}"


def is_typed(text: str) -> bool:
    """Whether the token stands for something that was typed on the command line."""
    return text.startswith(PREFIX + TYPED)


def parse(text: str) -> Recording:
    """What the token `text` stands for. ValueError if it is none."""
    match = TOKEN.fullmatch(text)
    if not match:
        raise ValueError("not a token")
    return Recording(match["key"], tuple(_step(part) for part in match["steps"].split(".")[1:]))


def stored_name(text: str) -> str:
    """What the store calls the value of a token: the setting, or a name of its own if derived.

    Letters, digits and `_` only: to External Secrets a dot would be a step into the JSON.
    """
    recording = parse(text)
    if not recording.steps:
        return recording.key
    return f"{recording.key}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def keys_in(value: Any) -> set[str]:
    """The settings whose tokens stand anywhere in a text, list or mapping."""
    if isinstance(value, str):
        return {match["key"] for match in TOKEN.finditer(value)}
    if isinstance(value, dict):
        return keys_in([*value.keys(), *value.values()])
    if isinstance(value, (list, tuple)):
        return {key for item in value for key in keys_in(item)}
    return set()


def _step(text: str) -> Step:
    kind_and_name, _, arguments = text.partition("-")
    kind, name = kind_and_name[0], kind_and_name[2:]
    if kind == "a":
        return Step(name, None)
    args, kwargs = json.loads(bytes.fromhex(arguments)) if arguments else ([], {})
    return Step(name, (args, kwargs))
