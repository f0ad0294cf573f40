"""Where the tasks of the platform's Celery wait: lists in Redis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tutorplatform.errors import ConfigError

# Kombu has a list for each step of a task's priority; the first has the queue's own name.
# https://docs.celeryq.dev/projects/kombu/en/stable/reference/kombu.transport.redis.html
SEPARATOR = "\x06\x16"
STEPS = (0, 3, 6, 9)


class Broker(NamedTuple):
    """A database of a Redis server. `password` may be a token of the secrets plugin.

    `key_prefix` stands before the name of each list. `tls`: with a certificate of an authority
    that everybody knows.
    """

    host: str
    port: int
    database: int
    username: str = ""
    password: str = ""
    tls: bool = False
    key_prefix: str = ""


def broker(config: Mapping[str, Any]) -> Broker:
    """The one that Tutor's own settings lead to, as it is called from any namespace.

    https://github.com/overhangio/tutor/blob/v22.0.3/tutor/templates/apps/openedx/settings/partials/common_all.py
    """
    host = config["REDIS_HOST"]
    if not isinstance(host, str):
        raise ConfigError("REDIS_HOST", f"{host!r} is not a host", "write its name")
    return Broker(
        host=host if "." in host else f"{host}.{config['K8S_NAMESPACE']}",
        port=_number(config, "REDIS_PORT"),
        database=_number(config, "OPENEDX_CELERY_REDIS_DB"),
        username=str(config["REDIS_USERNAME"] or ""),
        password=str(config["REDIS_PASSWORD"] or ""),
    )


def lists(broker: Broker, queue: str) -> tuple[str, ...]:
    """The keys of all lists of a queue, that for tasks without a priority first."""
    steps = (f"{queue}{SEPARATOR}{step}" if step else queue for step in STEPS)
    return tuple(f"{broker.key_prefix}{name}" for name in steps)


def _number(config: Mapping[str, Any], key: str) -> int:
    try:
        return int(config[key])
    except (TypeError, ValueError):
        raise ConfigError(key, f"{config[key]!r} is not a whole number", "write one") from None
