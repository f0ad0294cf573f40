"""Edge: virtual environments for programs whose requirements would clash with our own."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock
from localcluster.binaries import Progress
from localcluster.errors import LocalClusterError


def python_with(requirements: Sequence[str], cache: Path, what: str, progress: Progress) -> Path:
    """The Python of an environment that has exactly these `name==version`, made once in `cache`.

    `what` names them in messages. LocalClusterError if they cannot be installed.
    """
    folder = cache / _name(requirements)
    complete = folder / "complete"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{requirements[0].partition('==')[0]}.lock"):
        if not complete.is_file():
            progress(f"installing {', '.join(requirements)}, {what} (once; then cached)")
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=True)
            _install(folder / "bin" / "python", requirements, what)
            complete.touch()
    return folder / "bin" / "python"


def _name(requirements: Sequence[str]) -> str:
    tag = f"py{sys.version_info.major}.{sys.version_info.minor}"
    first, *others = requirements
    digest = f"-{hashlib.sha256(' '.join(others).encode()).hexdigest()[:12]}" if others else ""
    return f"{first.replace('==', '-')}{digest}-{tag}"


def _install(python: Path, requirements: Sequence[str], what: str) -> None:
    result = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", *requirements],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        reason = (result.stderr.splitlines() or ["?"])[-1]
        raise LocalClusterError(
            what,
            f"{', '.join(requirements)} cannot be installed ({reason})",
            "check that PyPI can be reached, then run it again",
        )
