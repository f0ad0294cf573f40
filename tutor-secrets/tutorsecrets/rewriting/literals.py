"""Names and texts beside each other in a file: `DB_PASSWORD = "…"`, `password: …`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

from tutorsecrets.rewriting.syntaxes import NOT_PARSED, syntax_of

# Files of lines like these; in scripts they would be found where they are harmless.
LINES = frozenset({".cfg", ".conf", ".env", ".ini", ".properties", ".toml"})
LINE = re.compile(
    r"""^[ \t]*(?:export )?([A-Za-z][\w.-]*)[ \t]*[=:][ \t]*["']?([^\s"'#;$].*)""", re.MULTILINE
)

Named = tuple[str, str]


def named(text: str, file: str) -> Iterator[Named]:
    """(name, text) of each assignment, key and argument in a file of a language that we know."""
    syntax = syntax_of(file)
    if syntax:
        # Others will say what is wrong with a file that is not in its language.
        with suppress(*NOT_PARSED):
            tree = syntax.parse(text)
            yield from _in_python(tree) if isinstance(tree, ast.AST) else _in_tree(tree)
    elif PurePosixPath(f"x{file}").suffix in LINES:
        yield from LINE.findall(text)


def _in_python(tree: ast.AST) -> Iterator[Named]:
    pairs = [pair for node in ast.walk(tree) for pair in _pairs(node)]
    # Plugins override each other's variables: the last assignment is the one that counts.
    last = {target.id: value for target, value in pairs if isinstance(target, ast.Name)}
    others = [(_name(target), value) for target, value in pairs if not isinstance(target, ast.Name)]
    for name, value in (*last.items(), *others):
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield name, value.value


def _pairs(node: ast.AST) -> Iterator[tuple[ast.AST | str | None, ast.AST | None]]:
    if isinstance(node, ast.Assign):
        yield from ((target, node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign):
        yield node.target, node.value
    elif isinstance(node, ast.keyword):
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        yield from zip(node.keys, node.values, strict=True)


def _name(target: ast.AST | str | None) -> str:
    if isinstance(target, ast.Subscript):
        target = target.slice
    if isinstance(target, ast.Constant):
        return str(target.value)
    if isinstance(target, ast.Attribute):
        return target.attr
    return target if isinstance(target, str) else ""


def _in_tree(tree: Any) -> Iterator[Named]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            if isinstance(value, str):
                yield str(key), value
            else:
                yield from _in_tree(value)
    elif isinstance(tree, list):
        for item in tree:
            yield from _in_tree(item)
