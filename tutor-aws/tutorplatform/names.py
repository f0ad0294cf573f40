"""Every name that an instance owns on shared services, derived from the instance's own name."""

from __future__ import annotations

import re

from tutorplatform.errors import ConfigError

INSTANCE_NAME = re.compile(r"[a-z][a-z0-9]{1,15}")
RESERVED_NAMES = frozenset({"default", "platform"})
RESERVED_PREFIX = "kube"

# The users who take turns when a password is rotated. With another digit at the end, `acme` could
# take a user of the instance `acme2` for its own.
SECOND_USER = "_2"

# No name here ends in another one. That makes `instance + application` unambiguous: were
# `acme` + X the same text as `acmeY` + Z, then X would end in Z.
APPLICATIONS = frozenset({"openedx", "credentials", "discovery", "notes", "xqueue"})


def checked_instance_name(name: str, where: str) -> str:
    """`name`, or ConfigError. It is the namespace, and a part of database and bucket names."""
    if not INSTANCE_NAME.fullmatch(name):
        raise ConfigError(
            where,
            f"{name!r} is not an instance name",
            "use 2 to 16 lower-case letters and digits, a letter first",
        )
    if name in RESERVED_NAMES or name.startswith(RESERVED_PREFIX):
        raise ConfigError(
            where, f"{name!r} is reserved on the cluster", "choose another instance name"
        )
    return name


def database_name(instance: str, application: str) -> str:
    """The MySQL or MongoDB database, and the user, of one application of one instance.

    Letters and digits only: Tutor's scripts do not quote names, and `_` is a wildcard in GRANT.
    At most 27 characters of MySQL's 32 for users.
    """
    if application not in APPLICATIONS:
        raise ValueError(f"{application} is not one of {sorted(APPLICATIONS)}")
    return instance + application


def second_user(name: str) -> str:
    """The user who takes turns with `name`."""
    return name.removesuffix(SECOND_USER) if name.endswith(SECOND_USER) else name + SECOND_USER


def key_prefix(instance: str) -> str:
    """What every Redis key of an instance starts with. No instance's name holds a `:`."""
    return f"{instance}:"


def index_prefix(instance: str) -> str:
    """What every search index of an instance starts with. No instance's name holds a `_`."""
    return f"{instance}_"
