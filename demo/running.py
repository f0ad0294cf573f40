"""Edge: a program on a local cluster that always ends by itself, and says why."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

from localcluster.errors import LocalClusterError
from rich.console import Console


def run(name: str, work: Callable[[Console], int]) -> int:
    """The exit status of `work`, or 1 if it had to end; then `name` and the reason are printed."""
    console = Console()
    # A polite end, as with Ctrl-C, so that everything that was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(f"{name}: stopped by SIGTERM"))
    # A shell starts what is in the background with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return work(console)
    except LocalClusterError as error:
        console.print(f"[bold red]Error:[/] {error}", highlight=False)
    except subprocess.CalledProcessError as error:
        console.print(f"[bold red]Error:[/] {error}\n{error.stdout or ''}{error.stderr or ''}")
    except KeyboardInterrupt:
        console.print(f"{name}: stopped; everything that was started is gone")
    return 1
