"""What is called, or looks, like a secret, in settings and files of any plugin."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tutorsecrets.tokens import TRACE

WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
SECRET = re.compile(
    r"((^|_)(SECRET|TOKEN|CREDENTIAL|(SECRET|PRIVATE|MASTER|ACCESS|ENCRYPTION|SIGNING)_?KEY)"
    # Run together with other words, as in PGPASSWORD.
    r"|PASSWORD|PASSWD|PASSPHRASE|PASSCODE|API_?KEY|_PWD)S?(_\d+)?$"
)

# What stands beside a secret, and is none.
OPEN = re.compile(r"(^|_)(USER(NAME)?|LOGIN|HOST|PORT|NAME(SPACE)?|EMAIL|REGION|CRT|CERT|ID)$")

# https://user:password@host
WITH_PASSWORD = re.compile(r"://[^\s/:@'\"]*:(?P<password>[^\s/@'\"]+)@")

# A password in a URL that stands for one, as in `${PASSWORD}`, `$(PASSWORD)`, `{{ PASSWORD }}`.
PLACEHOLDER = re.compile(r"[{<%$*]")


def like_a_secret(name: str) -> bool:
    """Whether a name ends in a word for a secret, in any of the usual ways to write names.

    DB_PASSWORD, dbPassword, db-password.2, DB_PASSWORDS; not PASSWORD_RESET_LINK.
    """
    return bool(SECRET.search(_in_capitals(name)))


def like_no_secret(name: str) -> bool:
    """Whether a name is that of something open, even where everything else is secret.

    `username`, `tls.crt`, `dbHost`.
    """
    return bool(OPEN.search(_in_capitals(name)))


def _in_capitals(name: str) -> str:
    return "_".join(match[0] for match in WORDS.finditer(name)).upper()


def secret_parts(name: str, value: Any, *, within: bool = False) -> Iterator[str]:
    """Where a value holds what looks like a secret in plain text: names, from `name` down.

    By the name, `name` itself or a key of a mapping in it, or by a URL with a password. Switches
    and what is empty are no secrets, and neither is text with a token in it. With `within`, it
    stands in something that is called like a secret.
    """
    within = within or like_a_secret(name)
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from secret_parts(f"{name}.{key}", item, within=within)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from secret_parts(name, item, within=within)
    elif _is_plain(value) and (within or has_password(str(value))):
        yield name


def _is_plain(value: Any) -> bool:
    return bool(value) and not isinstance(value, bool) and not TRACE.search(str(value))


def has_password(text: str) -> bool:
    """Whether a URL in a text has a password in it, and not just a placeholder for one."""
    return any(
        not PLACEHOLDER.match(match["password"]) and not TRACE.search(match["password"])
        for match in WITH_PASSWORD.finditer(text)
    )
