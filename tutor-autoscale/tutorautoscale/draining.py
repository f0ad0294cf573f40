"""How a web server's container ends without cutting requests. Pure."""

from __future__ import annotations

from tutorplatform.manifests import Manifest

# States of /proc/net/tcp: established, and closed by the server with an answer still on its way.
_OPEN = "0[14]"
_TABLES = "/proc/net/tcp /proc/net/tcp6"


def after_requests(port: int, drain_s: int) -> Manifest:
    """A container's `lifecycle`: its server gets SIGTERM when no request is left at its `port`.

    First new requests go on for `drain_s` seconds, while the pod's address is taken out of use.
    Then the hook lasts as long as a connection is open; the pod's grace bounds it, of which 2
    seconds are left for the server. The image needs `sh` and `grep`.

    The uWSGI of the platform's image cannot do this itself: whatever the signal, its HTTP router
    ends at once. https://github.com/unbit/uwsgi/blob/2.0.24/core/uwsgi.c#L1339
    """
    command = f"sleep {drain_s}; while {_has_connections(port)}; do sleep 1; done"
    return {"preStop": {"exec": {"command": ["sh", "-c", command]}}}


def _has_connections(port: int) -> str:
    # Columns: local address and port, remote ones, state. Addresses differ in length by family.
    return f"grep -Eqs ':{port:04X} [0-9A-F]+:[0-9A-F]+ {_OPEN} ' {_TABLES}"
