"""Wiring: `python -m localservices`: fetches and builds, once, all that the local cluster needs.

With `--all`, also what only some tests need. Whoever runs tests calls it first: it takes
minutes, and says what it does.
"""

from __future__ import annotations

import signal
import sys

from localcluster import binaries
from localcluster.errors import LocalClusterError

from localservices import aws


def main() -> int:
    """0 when everything is there."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        aws.ensure_environment(binaries.cache_directory(), print_at_once)
        # Caddy is quickly built, and tried out by tests that take seconds.
        usual = (*binaries.CLUSTER, "caddy")
        names = binaries.PROGRAMS if "--all" in sys.argv[1:] else usual
        binaries.ensure(names, print_at_once)
    except LocalClusterError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def print_at_once(text: str) -> None:
    """Progress is of no use in a buffer."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
