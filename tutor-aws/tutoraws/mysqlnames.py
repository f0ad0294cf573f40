"""MySQL users and databases that somebody has named in config.yml. Those we derive always fit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tutorplatform.errors import ConfigError
from tutorplatform.names import SECOND_USER

from tutoraws.workloads import plugins_with_database

# https://dev.mysql.com/doc/refman/8.4/en/identifier-length.html
LONGEST_USER, LONGEST_DATABASE = 32, 64
# Scripts have users in quotes, but databases without, where `-` is a minus and a number no name.
USER = re.compile(r"[\w.-]+", re.ASCII)
DATABASE = re.compile(r"(?!\d+$)\w+", re.ASCII)


def check(config: Mapping[str, Any]) -> None:
    """Raise ConfigError for a name that MySQL would refuse, now or when a password changes."""
    if config["RUN_MYSQL"]:
        return
    for service in ("OPENEDX", *map(str.upper, plugins_with_database(config))):
        user, database = f"{service}_MYSQL_USERNAME", f"{service}_MYSQL_DATABASE"
        name = str(config[user]).removesuffix(SECOND_USER)
        _check(user, name, USER, "letters, digits and _ . -", LONGEST_USER - len(SECOND_USER))
        characters = "letters, digits and _, not digits alone"
        _check(database, str(config[database]), DATABASE, characters, LONGEST_DATABASE)


def _check(key: str, name: str, form: re.Pattern[str], characters: str, longest: int) -> None:
    if form.fullmatch(name) and len(name) <= longest:
        return
    raise ConfigError(
        key,
        f"{name!r} is no name for MySQL",
        f"use {characters}, {longest} at most, or `tutor config save --unset {key}` for the one "
        "that follows from the instance's",
    )
