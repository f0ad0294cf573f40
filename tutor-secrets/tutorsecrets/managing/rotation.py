"""What it takes to give settings new values while the instance runs. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tutorplatform.errors import ConfigError

DATABASE_PASSWORD = re.compile(r"(?P<application>\w+)_MYSQL_PASSWORD")

# Chosen by whoever runs the server: the instance's own users may not even change them.
FOREIGN = {
    "MYSQL_ROOT_PASSWORD": "of the server's administrator; change it there (RDS does so by "
    "itself), then run `tutor secrets set MYSQL_ROOT_PASSWORD`",
    "MONGODB_PASSWORD": "of a user on the server; give a second user the same roles there, then "
    "run `tutor secrets set MONGODB_PASSWORD`, `tutor config save --set MONGODB_USERNAME=…` and "
    "`tutor k8s start`",
    "REDIS_PASSWORD": "of a user on the server, who can have two; add the new one there, run "
    "`tutor secrets set REDIS_PASSWORD` and `tutor k8s start`, then take the old one away",
}

CLIENT = (
    'mysql --user="{{ MYSQL_ROOT_USERNAME }}" --password="{{ MYSQL_ROOT_PASSWORD }}" '
    '--host="{{ MYSQL_HOST }}" --port="{{ MYSQL_PORT }}" --execute="'
)


@dataclass(frozen=True)
class DatabaseUser:
    """A MySQL user and the one that takes over from it, with the same rights on a database."""

    password_key: str
    user_key: str
    database: str
    old: str
    new: str

    def creation(self, password_token: str) -> str:
        """The script that makes the new user; the old one stays valid."""
        return (
            f"{CLIENT}"
            f"CREATE USER IF NOT EXISTS '{self.new}'@'%' IDENTIFIED BY '{password_token}'; "
            f"ALTER USER '{self.new}'@'%' IDENTIFIED BY '{password_token}'; "
            f"GRANT ALL ON {self.database}.* TO '{self.new}'@'%';\""
        )

    @property
    def removal(self) -> str:
        """The script that removes the old user, whose password nobody uses any more."""
        return f"{CLIENT}DROP USER IF EXISTS '{self.old}'@'%';\""


@dataclass(frozen=True)
class Plan:
    """Which settings get a new value, and what has to follow."""

    keys: list[str]
    users: list[DatabaseUser]
    # Workloads that get new pods.
    workloads: list[str]
    # Applications whose init tasks write the value somewhere.
    applications: list[str]


def plan(
    keys: Iterable[str],
    config: Mapping[str, Any],
    generators: Collection[str],
    users: Mapping[str, Iterable[str]],
    applications: Mapping[str, Iterable[str]],
) -> Plan:
    """How to rotate these settings.

    `generators` are the settings that have one, `users` maps settings to the workloads that use
    them, `applications` to those whose init tasks have them. Raises ConfigError for one whose
    value is not ours to choose.
    """
    keys = sorted(set(keys))
    for key in keys:
        if key in FOREIGN:
            raise ConfigError(key, "is not made up here", f"it is the password {FOREIGN[key]}")
        if key not in generators:
            raise ConfigError(
                key,
                "is chosen by somebody else",
                f"have it changed, then run `tutor secrets set {key}` and `tutor k8s start`",
            )
    databases = [user for key in keys if (user := database_user(key, config))]
    own = {user.password_key for user in databases}
    return Plan(
        keys,
        databases,
        sorted({name for key in keys for name in users.get(key, ())}),
        sorted({name for key in keys if key not in own for name in applications.get(key, ())}),
    )


WARNINGS = {
    "OPENEDX_SECRET_KEY": "everybody is logged out, and links that were mailed stop working",
    "JWT_RSA_PRIVATE_KEY": "tokens of mobile apps and API clients stop working",
    "SECRETS_HASH_KEY": "every pod is new, though no value of its own has changed",
}


def steps(plan: Plan) -> list[tuple[str, str]]:
    """The plan in words: (number, what happens)."""
    old, new = (", ".join(getattr(user, part) for user in plan.users) for part in ("old", "new"))
    sentences = [
        f"MySQL: {new} is made with the rights of {old}; both are valid" if plan.users else "",
        f"new values are made up and stored: {', '.join(plan.keys)}",
        f"config.yml: {', '.join(user.user_key for user in plan.users)}" if plan.users else "",
        f"tutor k8s start: new pods of {', '.join(plan.workloads) or 'nothing'}",
        *(f"tutor k8s init --limit={name}" for name in plan.applications),
        f"MySQL: {old} is removed once no pod uses it" if plan.users else "",
        *(f"mind: {WARNINGS[key]}" for key in plan.keys if key in WARNINGS),
    ]
    return [(str(n), text) for n, text in enumerate(filter(None, sentences), start=1)]


def database_user(key: str, config: Mapping[str, Any]) -> DatabaseUser | None:
    """The user whose password a setting is; None if it is no MySQL password."""
    match = DATABASE_PASSWORD.fullmatch(key)
    if not match:
        return None
    user_key, database_key = (
        f"{match['application']}_MYSQL_{part}" for part in ("USERNAME", "DATABASE")
    )
    old, database = config.get(user_key), config.get(database_key)
    if not old or not database:
        return None
    return DatabaseUser(key, user_key, str(database), str(old), other_user(str(old)))


def other_user(name: str) -> str:
    """The user who takes turns with `name`. No application's name ends in a 2."""
    return name[:-1] if name.endswith("2") else f"{name}2"


def before(config: Mapping[str, Any], entry: str | None) -> dict[str, Any]:
    """The configuration as it was when a rotation that USERS tells of began."""
    expected: dict[str, str] = json.loads(entry or "{}")
    return {**config, **{key: other_user(user) for key, user in expected.items()}}


def recorded(users: Iterable[DatabaseUser], before: str | None) -> str:
    """The entry USERS of the store, once these users have taken over."""
    return json.dumps({**json.loads(before or "{}"), **{each.user_key: each.new for each in users}})
