"""How a value is written, so that it arrives exactly as it is, where its token stood."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum


class Encoding(Enum):
    """What is around the token."""

    # Nothing: the value is a whole file.
    FILE = "file"
    # Nothing: the value is an environment variable, or a program's argument.
    VARIABLE = "variable"
    # The quotes of a string in Python, in JSON, or (double quotes) in YAML.
    STRING = "string"
    # The quotes of a string in MySQL's SQL.
    SQL = "sql"
    # Whatever it may be: nothing can be escaped for sure.
    ANYTHING = "anything"


# (token, what is around it, where that is, for errors) → what to write there.
Write = Callable[[str, Encoding, str], str]

# Nothing here is special in a shell, in SQL, or in any configuration language we know of.
HARMLESS = re.compile(r"[A-Za-z0-9_.:,@/+=-]*")
HARMLESS_WORDS = "letters, digits and _ . : , @ / + = -"

# Braces would open an expression inside an f-string.
SPECIAL = frozenset("\\\"'{}")

# https://dev.mysql.com/doc/refman/8.4/en/string-literals.html
SQL_ESCAPES = {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\x1a": "\\Z"}


def encoded(value: str, encoding: Encoding) -> str | None:
    """The text that means `value` there; None if no text does."""
    if encoding is Encoding.FILE:
        return value
    if encoding is Encoding.ANYTHING:
        return value if HARMLESS.fullmatch(value) else None
    if encoding is Encoding.STRING:
        return "".join(map(_in_string, value))
    if "\0" in value:
        # Neither a variable nor an argument can hold it.
        return None
    if encoding is Encoding.SQL:
        if not value.isascii():
            # What it would arrive as depends on the character set that the client assumes.
            return None
        return "".join(SQL_ESCAPES.get(character, character) for character in value)
    return value


def _in_string(character: str) -> str:
    # The one escape that means the same in Python, YAML and JSON. Characters beyond U+FFFF may
    # stand in all three languages, and JSON has no single escape for them.
    # https://docs.python.org/3/reference/lexical_analysis.html#escape-sequences
    # https://yaml.org/spec/1.2.2/#57-escaped-characters
    escape = character in SPECIAL or (not character.isprintable() and ord(character) <= 0xFFFF)
    return f"\\u{ord(character):04x}" if escape else character
