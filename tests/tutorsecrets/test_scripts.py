"""Scripts: a real shell, given the variables, hands every value on exactly as it is."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tutorsecrets.rewriting import scripts
from tutorsecrets.rewriting.encodings import Encoding, encoded
from tutorsecrets.tokens import token

A, B = token("A"), token("B")

# What an environment variable can hold.
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)
HOSTILE = 'it\'s "$HOME" `id` $(id) \\ {x}; rm -rf *\n\tand é🔑 '

# Prints its arguments, one JSON list per call.
PROGRAM = "#!{python}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the programs that scripts call; each prints what it is given."""
    folder = tmp_path_factory.mktemp("bin")
    for name in ("mysql", "python", "curl", "manage.py", "show"):
        (folder / name).write_text(PROGRAM.format(python=sys.executable))
        (folder / name).chmod(0o755)
    return folder


def run(script: str, programs: Path, **values: str) -> list[list[str]]:
    """The arguments of each program call, by a real `sh -e -c` with the variables set."""
    variables: dict[str, str] = {}

    def variable(text: str, encoding: Encoding) -> str:
        key = text.split(".")[1]
        name = f"{key}_{encoding.value}"
        value = encoded(values[key], encoding)
        assert value is not None, f"{key} cannot be written as {encoding}"
        variables[name] = value
        return name

    filled = scripts.with_variables(script, variable)
    done = subprocess.run(
        ["sh", "-e", "-c", filled],
        env={"PATH": f"{programs}:{os.environ['PATH']}", **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@settings(max_examples=40, deadline=None)
@given(a=VALUES, b=VALUES)
def test_arguments_arrive_in_any_quotes(programs: Path, a: str, b: str) -> None:
    """Bare, quoted in both ways, with other text around, two in one word."""
    script = f"""
    # {A} in a comment
    show {A} "{A}" '{A}' --password={A} --url="redis://u:{A}@$HOST/{B}" 'x:{B}'y
    if [ "{A}" = {A} ]; then PW={B} sh -c 'show "$PW"'; fi
    show "$(show {A} | head -c 0)" {B}
    """
    first, second, third = run(script, programs, A=a, B=b)
    assert first == [a, a, a, f"--password={a}", f"--url=redis://u:{a}@/{b}", f"x:{b}y"]
    assert second == [b]
    assert third == ["", b]


@settings(max_examples=40, deadline=None)
@given(a=VALUES)
def test_python_in_a_script_has_the_value(programs: Path, a: str) -> None:
    """As `createuser` writes it."""
    script = f"""./manage.py lms shell -c "
u.set_password('{A}')
u.x(\\"{A}\\")"
python3 -c 'f("{A}")' || python -c "f('{A}')"
"""
    script = script.replace("./manage.py", "manage.py").replace("python3 -c", "python -c")
    for words in run(script.replace(" || ", "\n"), programs, A=a):
        literals = [
            node.value for node in ast.walk(ast.parse(words[-1])) if isinstance(node, ast.Constant)
        ]
        assert set(literals) == {a}


def test_sql_in_a_script_has_the_value(programs: Path) -> None:
    """MySQL takes backslashes for escapes; `tests/render` runs such a script on a server."""
    script = f"""mysql -u root -e "ALTER USER 'u' IDENTIFIED BY '{A}';"
mysql --execute="SELECT '{A}'" -e 'SELECT '"'"'{A}'"'"
"""
    calls = run(script, programs, A="a'b\\c\"d\ne")
    escaped = "a\\'b\\\\c\\\"d\\ne"
    assert calls[0][-1] == f"ALTER USER 'u' IDENTIFIED BY '{escaped}';"
    assert calls[1] == [f"--execute=SELECT '{escaped}'", "-e", f"SELECT '{escaped}'"]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(f'sh -c "show {A}"', id="a script in a script"),
        pytest.param(f"eval show {A}", id="eval"),
        pytest.param(f"show -e {A}", id="code as a whole"),
        pytest.param(f"cat <<END\n{A}\nEND", id="here-document"),
        pytest.param(f'curl -d \'{{"password": "{A}"}}\' x', id="JSON"),
        pytest.param(f"{A} x", id="a command's name"),
        pytest.param(f'mysql -e "SELECT {A}"', id="SQL outside of a string"),
        pytest.param(f"python -c \"f(r'{A}')\"", id="raw string in Python"),
        pytest.param(f"show ${{X:-{A}}}", id="default of a variable"),
        pytest.param(f"show $'{A}'", id="ANSI-C quotes"),
        pytest.param(f'show "{A}', id="no shell script"),
    ],
)
def test_elsewhere_only_harmless_values_can_be(script: str) -> None:
    """Kubernetes pastes them before the shell sees the script."""
    seen: list[Encoding] = []

    def variable(_token: str, encoding: Encoding) -> str:
        seen.append(encoding)
        return "NAME"

    assert scripts.with_variables(script, variable) == script.replace(A, "$(NAME)")
    assert seen == [Encoding.ANYTHING]


def test_a_script_that_is_hostile_in_every_way(programs: Path) -> None:
    """One example to read."""
    assert run(f"show '{A}'", programs, A=HOSTILE) == [[HOSTILE]]


@pytest.mark.parametrize(
    ("words", "position"),
    [
        (["sh", "-e", "-c", "x"], 3),
        (["/bin/bash", "-ec", "x", "arg"], 2),
        (["docker-entrypoint", "sh", "-c", "x"], 3),
        (["celery", "-c", "2"], None),
        (["sh", "script.sh"], None),
        (["sh", "-c"], None),
        ([], None),
    ],
    ids=str,
)
def test_the_script_among_the_words_of_a_container(words: list[str], position: int | None) -> None:
    assert scripts.position(words) == position
