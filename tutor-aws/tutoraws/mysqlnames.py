"""MySQL users and databases that somebody has named in config.yml. Those we derive always fit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tutorplatform.errors import ConfigError

from tutoraws.workloads import plugins_with_database

# A second user takes its turn when the password changes: acmeopenedx, acmeopenedx_2.
SECOND = "_2"
# https://dev.mysql.com/doc/refman/8.4/en/identifier-length.html
LONGEST_USER, LONGEST_DATABASE = 32, 64
# They stand in scripts for a shell and for MySQL.
CHARACTERS = re.compile(r"[\w.-]+", re.ASCII)


def check(config: Mapping[str, Any]) -> None:
    """Raise ConfigError for a name that MySQL would refuse, now or when a password changes."""
    if config["RUN_MYSQL"]:
        return
    for service in ("OPENEDX", *map(str.upper, plugins_with_database(config))):
        user, database = f"{service}_MYSQL_USERNAME", f"{service}_MYSQL_DATABASE"
        _check(user, str(config[user]).removesuffix(SECOND), LONGEST_USER - len(SECOND))
        _check(database, str(config[database]), LONGEST_DATABASE)


def _check(key: str, name: str, longest: int) -> None:
    if CHARACTERS.fullmatch(name) and len(name) <= longest:
        return
    raise ConfigError(
        key,
        f"{name!r} is no name for MySQL",
        f"use letters, digits and _ . -, {longest} at most, or `tutor config save --unset {key}` "
        "for the one that follows from the instance's",
    )
