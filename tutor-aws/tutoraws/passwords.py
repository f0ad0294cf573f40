"""Passwords in plain text that Tutor's templates, which paste them as they are, cannot hold.

What the secrets plugin keeps in the store is a token here, and escaped for its place later.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tutorplatform.errors import ConfigError

# Python and YAML files have these between double quotes.
IN_QUOTES = re.compile(r"[\"\\\x00-\x1f]")
# MySQL's init job has these in a shell's double quotes, and there in SQL's single ones.
IN_SHELL = re.compile(r"[\"\\'`$\x00-\x1f]")

UNFIT = {
    "MONGODB_PASSWORD": (IN_QUOTES, "double quotes and backslashes"),
    "OPENSEARCH_PASSWORD": (IN_QUOTES, "double quotes and backslashes"),
    "REDIS_PASSWORD": (IN_QUOTES, "double quotes and backslashes"),
    "SMTP_PASSWORD": (IN_QUOTES, "double quotes and backslashes"),
    "MYSQL_ROOT_PASSWORD": (IN_SHELL, "quotes, backslashes, ` and $"),
    "OPENEDX_MYSQL_PASSWORD": (IN_SHELL, "quotes, backslashes, ` and $"),
}


def check(config: Mapping[str, Any]) -> None:
    """Raise ConfigError, which never says the value, for a password that would not arrive."""
    for name, (unfit, characters) in UNFIT.items():
        if unfit.search(str(config.get(name) or "")):
            raise ConfigError(
                name,
                "has a character that would end the quotes which Tutor writes around it",
                f"choose one without {characters}, or enable the secrets plugin, which escapes it",
            )
