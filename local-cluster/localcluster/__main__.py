"""Wiring: `python -m localcluster`: a cluster to play with, until Ctrl-C."""

from __future__ import annotations

import signal
import sys

from localcluster.cluster import LocalCluster
from localcluster.errors import LocalClusterError


def main() -> int:
    """0 after Ctrl-C, 1 when the cluster could not be started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # A shell starts what is in the background with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with LocalCluster() as cluster:
            for name, value in cluster.environment.items():
                print(f"export {name}='{value}'")
            print("Ctrl-C stops the cluster", flush=True)
            signal.pause()
    except LocalClusterError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
