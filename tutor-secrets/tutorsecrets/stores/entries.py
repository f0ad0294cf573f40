"""What the store has beside the values of settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tutorplatform.errors import ConfigError

# With this key the names of Kubernetes Secrets are made.
HASH_KEY = "SECRETS_HASH_KEY"

# JSON: the setting of a user name → the user that has the password beside it. config.yml has
# the name, and must not be deployed with the password of another user.
USERS = "SECRETS_USERS"

# JSON: the settings whose new values are not in use everywhere yet.
PENDING = "SECRETS_ROTATION"

# JSON: setting → when it was changed, in ISO 8601.
CHANGED = "SECRETS_CHANGED"


def require_users(config: Mapping[str, Any], entry: str | None) -> None:
    """Raise ConfigError if config.yml names a user whose password is not the one in the store."""
    expected: dict[str, str] = json.loads(entry or "{}")
    for key, user in expected.items():
        if config.get(key) != user:
            raise ConfigError(
                key,
                f"is {config.get(key)!r}, but the password in the store is that of {user!r}",
                "take the newest config.yml; if a rotation was interrupted, run "
                f"`tutor secrets rotate {key.replace('USERNAME', 'PASSWORD')}` again",
            )
