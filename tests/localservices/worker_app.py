"""The Celery application of a worker's pod: an instance's rendered settings, and one task.

    python -m tests.localservices.worker_app <name> <seconds> [<name> <seconds> …]

sends tasks. TUTOR_ROOT names the instance; WORKER and JOURNAL who writes down what where.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from tests.localservices import tenant

app = tenant.celery(tenant.with_platform_settings(Path(os.environ["TUTOR_ROOT"])))


@app.task(name="wait")  # type: ignore[untyped-decorator]
def wait(name: str, seconds: float) -> None:
    """Writes down when it begins and when it is done."""
    _note("begun", name)
    time.sleep(seconds)
    _note("done", name)


def _note(what: str, name: str) -> None:
    # One write of a line at the end of a file is never torn by another process's.
    with open(os.environ["JOURNAL"], "a") as journal:
        journal.write(f"{os.environ['WORKER']} {what} {name}\n")


def main() -> None:
    names, seconds = sys.argv[1::2], sys.argv[2::2]
    for name, each in zip(names, seconds, strict=True):
        app.send_task("wait", (name, float(each)), queue=tenant.QUEUE)


if __name__ == "__main__":
    main()
