"""Where Tutor's own settings say that services outside the cluster are.

They follow from the AWS_… settings, whose forms are checked; what is in config.yml wins, and is
checked here. Tutor pastes it into URLs and files, whatever it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutorplatform.config import Between, Form
from tutorplatform.errors import ConfigError

from tutoraws.forms import HOST

SERVICES = ("MYSQL", "REDIS", "MONGODB", "SMTP")

ONE_HOST = Form(HOST, "a host name (without scheme and port)", "db.acme.internal")
# The whole address: users, passwords and options have settings of their own, or come by DNS.
MONGODB_HOSTS = Form(
    rf"mongodb\+srv://{HOST}|{HOST}(,{HOST})*",
    "a list of host names (without ports), or mongodb+srv:// and one name alone",
    "mongo-a.acme.internal,mongo-b.acme.internal",
)
PORTS = Between(1, 65535)


def check(config: Mapping[str, Any]) -> None:
    """Raise ConfigError for an address, port or database index that nobody could connect to."""
    for service in SERVICES:
        if not config[f"RUN_{service}"]:
            form = MONGODB_HOSTS if service == "MONGODB" else ONE_HOST
            form.check(str(config[f"{service}_HOST"] or ""), f"{service}_HOST")
            PORTS.check(_number(config, f"{service}_PORT"), f"{service}_PORT")
    if not config["RUN_REDIS"]:
        _check_redis_databases(config)


def _check_redis_databases(config: Mapping[str, Any]) -> None:
    tasks = _number(config, "OPENEDX_CELERY_REDIS_DB")
    for key in ("OPENEDX_CACHE_REDIS_DB", "DISCOVERY_CACHE_REDIS_DB"):
        if key in config and _number(config, key) == tasks:
            # Django clears a cache with FLUSHDB.
            raise ConfigError(
                key,
                f"is {tasks}, as OPENEDX_CELERY_REDIS_DB is, and clearing the cache would delete "
                "queued tasks",
                "give each a database index of its own: AWS_REDIS.cache_database and "
                "celery_database, unless config.yml has these two as well",
            )


def _number(config: Mapping[str, Any], key: str) -> int:
    # Tutor's defaults are text, where they are templates.
    text = str(config[key])
    if not (text.isascii() and text.isdigit()):
        raise ConfigError(key, f"{config[key]!r} is not a whole number", "write a whole number")
    return int(text)
