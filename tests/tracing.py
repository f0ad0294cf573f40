"""What a command and all its children write to files, and what they are called with: by strace."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

# Every call that can bring data into a file, and the one that starts a program.
CALLS = (
    "write,pwrite64,writev,pwritev,pwritev2,sendfile,copy_file_range,splice,"
    "symlink,symlinkat,rename,renameat,renameat2,setxattr,fsetxattr,execve"
)
# `4</tmp/x>`: pipes and sockets have no path, and what goes to a device stays nowhere.
TO_FILE = re.compile(r"^\d+\s+\w+\(\d+<(?P<path>/(?!dev/)[^>]*)>")
STARTED = re.compile(r"^\d+\s+execve\(")
# An open file without a name yet, or that was deleted, is a file as well.
NAMELESS = re.compile(r"^\d+\s+(symlink|rename|setxattr)\w*\(")


@dataclass(frozen=True)
class Trace:
    """Calls that write to files, calls that start programs, and what the command printed."""

    returncode: int
    output: str
    writes: list[str]
    starts: list[str]


def run(argv: Sequence[str], environment: Mapping[str, str], log: Path) -> Trace:
    """Run a command under strace, with the trace in the file `log`, which is deleted afterwards.

    Skips the test where there is no strace.
    """
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace: is not on this machine; run `apt-get install strace`")
    options = ["-f", "-qq", "-y", "-s", "4000000", "-e", f"trace={CALLS}", "-o", str(log)]
    done = subprocess.run(
        [strace, *options, *argv],
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    log.unlink()
    return Trace(
        done.returncode,
        done.stdout,
        [line for line in lines if TO_FILE.match(line) or NAMELESS.match(line)],
        [line for line in lines if STARTED.match(line)],
    )
