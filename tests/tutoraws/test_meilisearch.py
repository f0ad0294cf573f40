"""The commands that fill Meilisearch, as a shell hands them to the platform's programs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tutoraws import meilisearch

MANAGE = f"""#!{sys.executable}
import json, os, sys
with open("calls", "a") as calls:
    print(json.dumps([os.environ["SERVICE_VARIANT"], *sys.argv[1:]]), file=calls)
"""


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        pytest.param(meilisearch.STUDIO_COMMAND, [["cms", "cms", "shell", "-c"]], id="Studio"),
        pytest.param(
            meilisearch.COURSES_COMMAND,
            [["cms", "cms", "shell", "-c"], ["cms", "cms", "reindex_course", "--active"]],
            id="courses",
        ),
        pytest.param(
            meilisearch.FORUM_COMMAND, [["lms", "lms", "rebuild_forum_indices"]], id="forum"
        ),
        pytest.param(meilisearch.NOTES_COMMAND, [["cms", "shell", "-c"]], id="notes"),
    ],
)
def test_each_program_gets_its_arguments(
    commands: str, expected: list[list[str]], tmp_path: Path
) -> None:
    """And where one is Python, it is; the forum is known to the LMS only."""
    program = tmp_path / "manage.py"
    program.write_text(MANAGE)
    program.chmod(0o755)
    subprocess.run(
        ["sh", "-e", "-c", commands], cwd=tmp_path, env={"SERVICE_VARIANT": "cms"}, check=True
    )
    calls = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    assert [call[: len(wanted)] for call, wanted in zip(calls, expected, strict=True)] == expected
    for call in calls:
        if "-c" in call:
            (code,) = call[call.index("-c") + 1 :]
            assert ast.parse(code).body
