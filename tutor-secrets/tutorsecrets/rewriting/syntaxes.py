"""The languages of files with strings in them: Python, YAML and JSON."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from tutorsecrets.tokens import TOKEN

# What parsers raise for a text that is not in their language.
NOT_PARSED = (ValueError, SyntaxError, yaml.YAMLError)

# (start, end, replacement) in a text.
Change = tuple[int, int, str]


@dataclass(frozen=True)
class Syntax:
    """A language.

    `parse`: text → tree. `fill`: the tree with its strings replaced. `dump`: a tree as text that
    is the same for equal trees only. `quoted`: the text with each string that has a token in it
    written between double quotes, the one form that can hold any value.
    """

    parse: Callable[[str], Any]
    fill: Callable[[Any, Callable[[str], str]], Any]
    dump: Callable[[Any], str]
    quoted: Callable[[str], str]

    def parses(self, text: str) -> bool:
        """Whether the text is in this language, or a newer version of it than ours."""
        try:
            self.parse(text)
        except NOT_PARSED:
            return False
        return True

    def differs_only_by(self, before: str, after: str, change: Callable[[str], str]) -> bool:
        """Whether `after` parses to what `before` does with `change` applied to its strings."""
        expected = self.dump(self.fill(self.parse(before), change))
        try:
            return self.dump(self.parse(after)) == expected
        except NOT_PARSED:
            return False


def syntax_of(file: str) -> Syntax | None:
    """The language of a file, by the ending of its name; None for one that we do not know."""
    return SYNTAXES.get(PurePosixPath(file).suffix)


def _changed(text: str, changes: Iterable[Change]) -> str:
    # From the end, so that positions stay right.
    for start, end, replacement in sorted(changes, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def _string(value: str) -> str:
    # What JSON writes between its quotes, Python and YAML read the same way.
    return json.dumps(value, ensure_ascii=False)


# Python


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


def _quoted_python(text: str) -> str:
    lines = text.encode().split(b"\n")

    def position(line: int, column: int) -> int:
        # Python counts columns in bytes.
        before = b"\n".join([*lines[: line - 1], lines[line - 1][:column]])
        return len(before.decode(errors="replace"))

    return _changed(
        text,
        (
            (
                position(node.lineno, node.col_offset),
                position(node.end_lineno or 1, node.end_col_offset or 0),
                _string(node.value),
            )
            for node in _plain_strings(_parse_python(text))
            if isinstance(node.value, str) and TOKEN.search(node.value)
        ),
    )


def _plain_strings(tree: ast.AST) -> Iterator[ast.Constant]:
    # The parts of an f-string have no quotes of their own.
    if isinstance(tree, ast.Constant):
        yield tree
    elif not isinstance(tree, ast.JoinedStr):
        for child in ast.iter_child_nodes(tree):
            yield from _plain_strings(child)


# YAML and JSON


def _fill_tree(tree: Any, fill: Callable[[str], str]) -> Any:
    if isinstance(tree, str):
        return fill(tree)
    if isinstance(tree, list):
        return [_fill_tree(item, fill) for item in tree]
    if isinstance(tree, dict):
        return {_fill_tree(key, fill): _fill_tree(value, fill) for key, value in tree.items()}
    return tree


def _parse_yaml(text: str) -> list[Any]:
    # The parser in C, where PyYAML has it, is ten times as fast.
    return list(yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def _quoted_yaml(text: str) -> str:
    return _changed(
        text,
        (
            (
                event.start_mark.index,  # type: ignore[union-attr]  # of parsed text it is known
                event.end_mark.index,  # type: ignore[union-attr]
                # A block ends with the line that it is on.
                _string(event.value) + ("\n" if event.style in ("|", ">") else ""),
            )
            for event in yaml.parse(text, Loader=yaml.SafeLoader)
            if isinstance(event, yaml.ScalarEvent)
            and event.style != '"'
            and TOKEN.search(event.value)
        ),
    )


SYNTAXES = {
    ".py": Syntax(
        _parse_python,
        lambda tree, fill: _FillStrings(fill).visit(tree),
        ast.dump,
        _quoted_python,
    ),
    ".yml": Syntax(_parse_yaml, _fill_tree, repr, _quoted_yaml),
    ".yaml": Syntax(_parse_yaml, _fill_tree, repr, _quoted_yaml),
    ".json": Syntax(json.loads, _fill_tree, repr, lambda text: text),
}
