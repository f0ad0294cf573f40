"""What it takes to give settings new values while the instance runs. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tutorplatform.errors import ConfigError

from tutorsecrets.managing.databases import DatabaseUser, database_user
from tutorsecrets.managing.usage import short

# Chosen by whoever runs the server: the instance's own users may not even change them.
FOREIGN = {
    "MYSQL_ROOT_PASSWORD": "of the server's administrator; change it there (RDS does so by "
    "itself), then run `tutor secrets set MYSQL_ROOT_PASSWORD`",
    "MONGODB_PASSWORD": "of a user on the server; give a second user the same roles there, then "
    "run `tutor secrets set MONGODB_PASSWORD`, `tutor config save --set MONGODB_USERNAME=…` and "
    "`tutor k8s start`",
    "OPENSEARCH_PASSWORD": "of a user on the domain; make a second user with the same role there, "
    "then run `tutor secrets set OPENSEARCH_PASSWORD`, `tutor config save --set "
    "OPENSEARCH_USERNAME=…` and `tutor k8s start`",
    "REDIS_PASSWORD": "of a user on the server, who can have two; add the new one there, run "
    "`tutor secrets set REDIS_PASSWORD` and `tutor k8s start`, then take the old one away",
}

WARNINGS = {
    "OPENEDX_SECRET_KEY": "everybody is logged out, and links that were mailed stop working",
    "JWT_RSA_PRIVATE_KEY": "tokens of mobile apps and API clients stop working",
    "SECRETS_HASH_KEY": "every pod is new, though no value of its own has changed",
}


@dataclass(frozen=True)
class Plan:
    """Which settings get a new value, and what has to follow."""

    keys: list[str]
    users: list[DatabaseUser]
    # `kind/name` of the workloads that get new pods.
    workloads: list[str]
    # Applications whose init tasks write the value somewhere.
    applications: list[str]
    # Whether the users are there, and change their own passwords.
    made: bool = False


def require_ours(keys: Iterable[str], generators: Collection[str]) -> None:
    """Raise ConfigError for a setting whose value is not ours to choose.

    `generators` are the settings that have one.
    """
    for key in keys:
        if key in FOREIGN:
            raise ConfigError(key, "is not made up here", f"it is the password {FOREIGN[key]}")
        if key not in generators:
            raise ConfigError(
                key,
                "is chosen by somebody else",
                f"have it changed, then run `tutor secrets set {key}` and `tutor k8s start`",
            )


def changing_users(keys: Iterable[str], config: Mapping[str, Any]) -> list[DatabaseUser]:
    """The MySQL users whose passwords are among these settings, and who takes over."""
    return [user for key in sorted(set(keys)) if (user := database_user(key, config))]


def plan(
    keys: Iterable[str],
    users: Iterable[DatabaseUser],
    workloads: Mapping[str, Iterable[str]],
    applications: Mapping[str, Iterable[str]],
    *,
    made: bool = False,
) -> Plan:
    """How to rotate these settings, where these users take over, who are `made` or are not yet.

    `workloads` maps settings to the workloads that use them, `applications` to those whose init
    tasks have them.
    """
    keys, users = sorted(set(keys)), list(users)
    # The init task sets the password of the one user that it knows; ours has it already.
    written = set(keys) - {user.password_key for user in users}
    return Plan(keys, users, _of(keys, workloads), _of(written, applications), made)


def _of(keys: Iterable[str], users: Mapping[str, Iterable[str]]) -> list[str]:
    return sorted({name for key in keys for name in users.get(key, ())})


def steps(plan: Plan) -> list[tuple[str, str]]:
    """The plan in words: (number, what happens)."""
    old, new = (", ".join(getattr(user, part) for user in plan.users) for part in ("old", "new"))
    begin, end = (
        (f"{new} gets the new password", f"{old} gets it as well once no pod uses the old one")
        if plan.made
        else (f"{new} is made with the rights of {old}", f"{old} is removed once no pod uses it")
    )
    pods = ", ".join(map(short, plan.workloads)) or "nothing"
    sentences = [
        f"store: new values are made up and kept beside the old ones: {', '.join(plan.keys)}",
        f"MySQL: {begin}; both are valid" if plan.users else "",
        "store: the new values replace the old ones",
        f"config.yml: {', '.join(user.user_key for user in plan.users)}" if plan.users else "",
        f"tutor k8s start: new pods of {pods}",
        *(f"tutor k8s init --limit={name}" for name in plan.applications),
        f"MySQL: {end}" if plan.users else "",
        *(f"mind: {WARNINGS[key]}" for key in plan.keys if key in WARNINGS),
    ]
    return [(str(n), text) for n, text in enumerate(filter(None, sentences), start=1)]
