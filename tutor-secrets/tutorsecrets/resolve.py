"""Tokens + values → text, such that every value arrives exactly as it is in the store.

A value is written with escapes that mean the same in Python, YAML and JSON strings. The file is
then parsed with tokens and with values: unless the two differ by just the values, it is refused.
https://docs.python.org/3/reference/lexical_analysis.html#escape-sequences
https://yaml.org/spec/1.2.2/#57-escaped-characters
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import yaml
from tutorplatform.errors import DeployError

from tutorsecrets.tokens import TOKEN, Filter, Recording, keys_in, parse

# A token → its value.
Lookup = Callable[[str], str]

# Nothing here is special in a shell, in SQL, or in any configuration language we know of.
HARMLESS = re.compile(r"[A-Za-z0-9_.:,@/+=-]*")

# Braces would open an expression inside an f-string.
SPECIAL = frozenset("\\\"'{}")


@dataclass(frozen=True)
class Values:
    """Setting → value, as they are in `source`; never shown."""

    source: str
    by_key: Mapping[str, str] = field(repr=False)

    def get(self, key: str) -> str:
        """The value of `key`; DeployError if there is none, or an empty one.

        A template has already taken the branch for "there is a password", so an empty value
        would not mean what it means to Tutor.
        """
        if key not in self.by_key:
            raise DeployError(
                f"secret {self.source}",
                f"the key {key} is missing",
                "run `tutor secrets init`, or add the key there",
            )
        if not self.by_key[key]:
            raise DeployError(
                f"secret {self.source}",
                f"the key {key} is empty",
                "give it a value there, or delete it and run `tutor secrets init`",
            )
        return self.by_key[key]


def resolved(token: str, values: Values, filters: Mapping[str, Filter]) -> str:
    """The value that `token` stands for, after the filters and attributes recorded on it.

    Raises DeployError if the value is missing, or if a filter cannot take it.
    """
    recording = parse(token)
    value: Any = values.get(recording.key)
    try:
        return str(_after_steps(value, recording, filters))
    except Exception as error:
        # Not chained: whatever a filter says may quote the value.
        raise DeployError(
            f"secret {values.source}",
            f"the value of {recording.key} does not suit the template "
            f"({type(error).__name__} after {', '.join(step.name for step in recording.steps)})",
            "correct the value there",
        ) from None


def _after_steps(value: Any, recording: Recording, filters: Mapping[str, Filter]) -> Any:
    for step in recording.steps:
        if step.arguments is None:
            value = getattr(value, step.name)
        else:
            args, kwargs = step.arguments
            value = filters[step.name](value, *args, **kwargs)
    return value


def filled(text: str, file: str, lookup: Lookup) -> str:
    """`text` with values in place of its tokens, escaped as the kind of `file` demands.

    A text that is nothing but a token becomes the value itself. Raises DeployError where a
    value would not arrive unchanged.
    """
    if TOKEN.fullmatch(text):
        return lookup(text)
    result = TOKEN.sub(lambda match: _escaped(lookup(match[0])), text)
    arrives = _arrives(text, result, SYNTAXES.get(PurePosixPath(file).suffix), lookup)
    if arrives is None:
        for match in TOKEN.finditer(text):
            require_harmless(match[0], file, lookup)
    elif not arrives:
        raise DeployError(
            file,
            f"a value would not arrive unchanged ({', '.join(sorted(keys_in(text)))})",
            "put double quotes around it in the template, or choose a value of letters and digits",
        )
    return result


def require_harmless(token: str, where: str, lookup: Lookup) -> None:
    """Raise DeployError unless the token's value can stand anywhere, in any language."""
    if not HARMLESS.fullmatch(lookup(token)):
        raise DeployError(
            where,
            f"the value of {parse(token).key} cannot be written there unchanged",
            "choose a value of letters, digits and _ . : , @ / + = - in the store",
        )


def _escaped(value: str) -> str:
    return "".join(
        f"\\u{ord(character):04x}" if _needs_escape(character) else character for character in value
    )


def _needs_escape(character: str) -> bool:
    # Characters beyond U+FFFF may stand in all three languages, and JSON has no single escape.
    return character in SPECIAL or (not character.isprintable() and ord(character) <= 0xFFFF)


@dataclass(frozen=True)
class Syntax:
    """A language: text → tree, the tree with values in place of tokens, and a tree as text."""

    parse: Callable[[str], Any]
    fill: Callable[[Any, Callable[[str], str]], Any]
    dump: Callable[[Any], str]


def _arrives(text: str, result: str, syntax: Syntax | None, lookup: Lookup) -> bool | None:
    # None: we cannot read this file, be it for its language or for a newer version of it.
    if syntax is None:
        return None
    try:
        tree = syntax.parse(text)
    except (ValueError, SyntaxError, yaml.YAMLError):
        return None
    expected = syntax.fill(tree, lambda part: TOKEN.sub(lambda match: lookup(match[0]), part))
    try:
        return syntax.dump(expected) == syntax.dump(syntax.parse(result))
    except (ValueError, SyntaxError, yaml.YAMLError):
        return False


def _parse_python(text: str) -> ast.Module:
    with warnings.catch_warnings():
        # About other people's settings, and it would come twice.
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        return ast.parse(text)


class _FillStrings(ast.NodeTransformer):
    def __init__(self, fill: Callable[[str], str]) -> None:
        self.fill = fill

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, str):
            return ast.Constant(self.fill(node.value), kind=node.kind)
        if isinstance(node.value, bytes):
            text = node.value.decode("utf-8", "surrogateescape")
            return ast.Constant(self.fill(text).encode("utf-8", "surrogateescape"))
        return node


def _fill_tree(tree: Any, fill: Callable[[str], str]) -> Any:
    if isinstance(tree, str):
        return fill(tree)
    if isinstance(tree, list):
        return [_fill_tree(item, fill) for item in tree]
    if isinstance(tree, dict):
        return {_fill_tree(key, fill): _fill_tree(value, fill) for key, value in tree.items()}
    return tree


_YAML = Syntax(lambda text: list(yaml.safe_load_all(text)), _fill_tree, repr)

SYNTAXES = {
    ".py": Syntax(_parse_python, lambda tree, fill: _FillStrings(fill).visit(tree), ast.dump),
    ".yml": _YAML,
    ".yaml": _YAML,
    ".json": Syntax(json.loads, _fill_tree, repr),
}
