"""Edge: waiting with something to read meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console

# Between two lines of progress where the output is no terminal.
QUIET_S = 15


def until(
    console: Console,
    done: Callable[[], bool],
    progress: Callable[[], str],
    timeout_s: float,
    interval_s: float = 1,
) -> bool:
    """Wait, with one line of progress; whether it was done before `timeout_s`."""
    start = said = time.monotonic()
    with console.status("") as status:
        while not done():
            now = time.monotonic()
            if now - start > timeout_s:
                return False
            if console.is_terminal:
                status.update(progress())
            elif now - said > QUIET_S:
                said = now
                console.print(f"  {now - start:.0f} s: {progress()}", highlight=False)
            time.sleep(interval_s)
    return True
