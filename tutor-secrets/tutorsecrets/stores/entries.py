"""What the store has beside the values of settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tutorplatform.errors import ConfigError, DeployError

# With this key the names of Kubernetes Secrets are made.
HASH_KEY = "SECRETS_HASH_KEY"

# JSON: the setting of a user name → the user that has the password beside it. config.yml has
# the name, and must not be deployed with the password of another user.
USERS = "SECRETS_USERS"

# JSON: what a rotation that is under way has to do, with the new values (`managing.journal`).
PENDING = "SECRETS_ROTATION"

# JSON: setting → when it was changed, in ISO 8601.
CHANGED = "SECRETS_CHANGED"

# None of these is a value of a setting.
BOOKKEEPING = {USERS, PENDING, CHANGED}


def users(entry: str | None) -> dict[str, str]:
    """The users in an entry USERS; DeployError, which shows nothing of it, if it is broken."""
    try:
        found = json.loads(entry or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(user, str) for user in found.values()):
        raise DeployError(
            f"entry {USERS} of the store",
            "is not a JSON object of settings and MySQL users",
            "put the version before back, or write there which user the stored password is of: "
            '{"OPENEDX_MYSQL_USERNAME": "…"}',
        )
    return found


def with_users(entry: str | None, changes: Mapping[str, str]) -> str:
    """The entry USERS once these users, setting → name, have taken over."""
    return json.dumps({**users(entry), **changes})


def require_users(config: Mapping[str, Any], entry: str | None) -> None:
    """Raise ConfigError if config.yml names a user whose password is not the one in the store."""
    for key, user in users(entry).items():
        if config.get(key) != user:
            raise ConfigError(
                key,
                f"is {config.get(key)!r}, but the password in the store is that of {user!r}",
                "take the newest config.yml; if a rotation was interrupted, run "
                "`tutor secrets rotate`",
            )
