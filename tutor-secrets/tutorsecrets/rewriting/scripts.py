"""Shell scripts with tokens → scripts with variables, such that every value arrives exactly.

In an ordinary argument the shell's own `${NAME}` can stand for any value. Where the argument is
code, and the token is in a string of a language that we know, it stands for the value with that
language's escapes. Anywhere else Kubernetes' `$(NAME)` pastes the value before a shell sees it,
so only a value can be there that means nothing but itself in any language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tutorsecrets.rewriting.encodings import Encoding
from tutorsecrets.tokens import TOKEN

if TYPE_CHECKING:
    from tree_sitter import Node

# (token, what is around it) → the name of the variable that holds it.
NameVariable = Callable[[str, Encoding], str]

SHELLS = frozenset({"ash", "bash", "dash", "sh"})
SHELL_OPTION = re.compile(r"-[a-z]*c[a-z]*")

# An argument of nothing else, tokens apart, is no code.
DATA = re.compile(r"[\w.:,@/+=%~{}$-]*", re.ASCII)
CODE_OPTIONS = frozenset({"-c", "-e", "--command", "--execute"})
MYSQL = frozenset({"mariadb", "mysql"})
PYTHON = re.compile(r"python[0-9.]*", re.ASCII)

# What a token in each of these nodes of the syntax tree becomes.
REFERENCES = {
    "comment": "${%s}",
    "raw_string": "'\"${%s}\"'",
    "string_content": "${%s}",
    "word": '"${%s}"',
}
PARTS = frozenset({"concatenation", "raw_string", "string", "string_content", "word"})
ARGUMENT_OF = frozenset({"binary_expression", "command", "variable_assignment"})


def position(words: Sequence[str]) -> int | None:
    """Which of a container's `command` and `args` is a shell script; None if none is."""
    for number in range(2, len(words)):
        shells = {PurePosixPath(word).name for word in words[: number - 1]} & SHELLS
        if shells and SHELL_OPTION.fullmatch(words[number - 1]):
            return number
    return None


def with_variables(script: str, variable: NameVariable) -> str:
    """The script with a reference to a variable in place of each token."""
    root = _tree(script)

    def reference(match: re.Match[bytes]) -> bytes:
        token = match[0].decode()
        leaf = root.descendant_for_byte_range(match.start(), match.end())
        encoding = Encoding.ANYTHING if root.has_error or not leaf else _encoding(leaf, token)
        if encoding is Encoding.ANYTHING or not leaf:
            return pasted(variable(token, Encoding.ANYTHING)).encode()
        return (REFERENCES[leaf.type] % variable(token, encoding)).encode()

    return re.sub(TOKEN.pattern.encode(), reference, script.encode()).decode()


def pasted(name: str) -> str:
    """What Kubernetes replaces by the variable's value, in a container's command, args and env.

    https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/
    """
    return f"$({name})"


def _tree(script: str) -> Node:
    # They take a tenth of a second that most `tutor` commands have no use for.
    import tree_sitter
    import tree_sitter_bash

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))
    return parser.parse(script.encode()).root_node


def _encoding(leaf: Node, token: str) -> Encoding:
    if leaf.type == "comment":
        return Encoding.VARIABLE
    argument = leaf
    while argument.parent and argument.parent.type in PARTS:
        argument = argument.parent
    owner = argument.parent
    if leaf.type not in REFERENCES or not owner or owner.type not in ARGUMENT_OF:
        return Encoding.ANYTHING
    text = _unquoted(argument)
    before = [
        _unquoted(word)
        for word in owner.children
        if word.end_byte <= argument.start_byte and word.type != "variable_assignment"
    ]
    language = _language(text, before)
    if language:
        return language if _is_in_strings(token, text) else Encoding.ANYTHING
    is_data = DATA.fullmatch(TOKEN.sub("", text)) and CODE_OPTIONS.isdisjoint(before[-1:])
    return Encoding.VARIABLE if is_data and before[:1] != ["eval"] else Encoding.ANYTHING


def _language(argument: str, before: Sequence[str]) -> Encoding | None:
    program = PurePosixPath(before[0]).name if before else ""
    if before[-1:] == ["-c"] and (PYTHON.fullmatch(program) or "shell" in before):
        # `manage.py lms shell -c` is Python too.
        return Encoding.STRING
    if program in MYSQL and (
        before[-1] in {"-e", "--execute"} or argument.startswith("--execute=")
    ):
        return Encoding.SQL
    return None


def _is_in_strings(token: str, code: str) -> bool:
    # A letter before the quotes would make it another kind of string.
    in_string = re.compile(rf"""(?<!\w)(['"]){re.escape(token)}\1""")
    return len(in_string.findall(code)) == code.count(token)


def _unquoted(node: Node) -> str:
    text = (node.text or b"").decode()
    if node.type == "raw_string":
        return text[1:-1]
    if node.type == "string":
        return re.sub(r"""\\(["\\$`])""", r"\1", text[1:-1])
    if node.type == "concatenation":
        return "".join(map(_unquoted, node.children))
    return text
