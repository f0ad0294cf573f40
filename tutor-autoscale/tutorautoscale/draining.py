"""How a container ends without cutting what it works on. Pure."""

from __future__ import annotations

from tutorplatform.manifests import Manifest

# States of /proc/net/tcp: established, and closed by the server with an answer still on its way.
_OPEN = "0[14]"
_TABLES = "/proc/net/tcp /proc/net/tcp6"

# Bit 14, of signal 15, in the hexadecimal mask of those that a process has handlers for.
_HANDLES_SIGTERM = "^SigCgt:.*[4-7c-f][0-9a-f]{3}$"


def after_requests(port: int, drain_s: int) -> Manifest:
    """A container's `preStop`: its server gets SIGTERM when no request is left at its `port`.

    First new requests go on for `drain_s` seconds, while the pod's address is taken out of use.
    Then the hook lasts as long as a connection is open; the pod's grace bounds it, of which 2
    seconds are left for the server. The image needs `sh` and `grep`.

    The uWSGI of the platform's image cannot do this itself: whatever the signal, its HTTP router
    ends at once. https://github.com/unbit/uwsgi/blob/2.0.24/core/uwsgi.c#L1339
    """
    command = f"sleep {drain_s}; while {_has_connections(port)}; do sleep 1; done"
    return {"exec": {"command": ["sh", "-c", command]}}


def after_start() -> Manifest:
    """A container's `preStop`: its process gets SIGTERM when it has a handler for it.

    The kernel drops signals that a container's first process has no handler for. Celery's comes
    once the platform is imported; told to end before, it would take tasks until the end of the
    grace, and be killed at work. The image needs `sh` and `grep`.
    https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
    """
    command = f"until grep -Eqs '{_HANDLES_SIGTERM}' /proc/1/status; do sleep 1; done"
    return {"exec": {"command": ["sh", "-c", command]}}


def _has_connections(port: int) -> str:
    # Columns: local address and port, remote ones, state. Addresses differ in length by family.
    return f"grep -Eqs ':{port:04X} [0-9A-F]+:[0-9A-F]+ {_OPEN} ' {_TABLES}"
