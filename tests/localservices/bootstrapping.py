"""A bootstrap of a Tutor root without a cluster: what its Job would find, and the Job's program.

    python -m tests.localservices.bootstrapping <Tutor root> <folder>

As a program, since Tutor loads the plugins of one root per process. Writes what the Job's volumes
have below the folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutor import config as tutor_config
from tutor import hooks
from tutoraws import settings as aws
from tutoraws.bootstrap import needs, objects, running
from tutoraws.certificates import certificates

from demo.tutor import TutorRoot

HERE = Path(__file__).parent
DRIVERS = str(HERE / "drivers")


@dataclass(frozen=True)
class Bootstrap:
    """The volumes of an instance's Job, and what its program runs with."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *, expected: int = 0, reset_passwords: bool = False) -> str:
        """What the program says; it is the one in the volume."""
        told = json.dumps({**self.plan, "reset_passwords": reset_passwords})
        (self.folder / objects.PLAN_FILE).write_text(told)
        done = subprocess.run(
            [
                *(sys.executable, "-B", "-m", f"{objects.PROGRAM}.job"),
                *(str(self.folder), str(self.folder / "passwords")),
            ],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": DRIVERS,
                "PYTHONWARNINGS": "ignore",
                **self.environment,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == expected, done.stdout + done.stderr
        assert done.stderr == ""
        return done.stdout

    @property
    def plan(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / objects.PLAN_FILE).read_text())
        return found

    def change(self, **passwords: str) -> None:
        """Give the instance other passwords."""
        path = self.folder / "passwords" / objects.PASSWORDS_FILE
        path.write_text(json.dumps({**json.loads(path.read_text()), **passwords}))


def bootstrap(root: TutorRoot, folder: Path, environment: Mapping[str, str]) -> Bootstrap:
    """The bootstrap of this Tutor root."""
    subprocess.run(
        [sys.executable, "-m", __name__, str(root.path), str(folder)],
        cwd=HERE.parents[1],
        env=root.variables,
        check=True,
        timeout=60,
    )
    return Bootstrap(folder, environment)


def main(root: str, folder: str) -> None:
    hooks.Actions.CORE_READY.do()
    hooks.Actions.PROJECT_ROOT_READY.do(root)
    config = tutor_config.load_full(root)
    plan = needs.plan(config)
    files = objects.files(plan, certificates(aws.read(config), config), running.program())
    # As seen from the folder that the Job runs in.
    text = files[objects.PLAN_FILE].replace(needs.CA_FOLDER, "ca")
    passwords = json.dumps(needs.passwords(config, plan))
    for path, content in {
        **files,
        objects.PLAN_FILE: text,
        f"passwords/{objects.PASSWORDS_FILE}": passwords,
    }.items():
        (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
        (Path(folder) / path).write_text(content)


if __name__ == "__main__":
    main(*sys.argv[1:])
