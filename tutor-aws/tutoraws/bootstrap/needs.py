"""What an instance needs on the services that it shares with others: the plan of a bootstrap. Pure.

Names follow from the instance's alone. Where config.yml has others, they are refused: whoever
may write there could name another instance's, and have its password changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tutorplatform.errors import ConfigError
from tutorplatform.instance import Instance, instance
from tutorplatform.names import second_user

from tutoraws import settings as aws
from tutoraws.access import opensearch_role, redis_rules
from tutoraws.objects import MONGODB_CA, MYSQL_CA
from tutoraws.search import discovers_outside
from tutoraws.settings import Settings
from tutoraws.workloads import plugins_with_database

# Where the Job has the files with the authorities.
CA_FOLDER = "/bootstrap/ca"

Part = dict[str, Any]

# Without options and credentials.
MONGODB_HOST = re.compile(r"mongodb\+srv://[\w.-]+|[\w.-]+(,[\w.-]+)*", re.ASCII)

# What tutor-credentials' init task copies learners into, as the user of the platform's own
# database. The table is not there at first, and MySQL gives rights on such a one only together
# with the right to create it.
COPIED_TO = {"application": "credentials", "table": "core_user"}
COPYING = ["CREATE", "INSERT", "SELECT"]


def plan(config: Mapping[str, Any]) -> dict[str, Any]:
    """Service → what the Job makes there. Raises ConfigError if that is nothing, or not our own.

    It names the settings that have the passwords, never a password.
    """
    settings, owner = aws.read(config), instance(config)
    _require_place(settings, owner)
    parts = {name: part(settings, owner, config) for name, part in PARTS.items()}
    found: dict[str, Any] = {name: each for name, each in parts.items() if each}
    if not found:
        raise ConfigError(
            "AWS_BOOTSTRAP",
            "names no administrator, so there is nothing to bootstrap",
            "set mysql_admin, mongodb_admin, opensearch_admin or redis_user_group in it",
        )
    return found


def passwords(config: Mapping[str, Any], plan: Mapping[str, Any]) -> dict[str, str]:
    """Setting → value, for all that the plan names. ConfigError for one without a value."""
    values = {setting: str(config.get(setting) or "") for setting in sorted(set(_settings(plan)))}
    for setting, value in values.items():
        if not value:
            raise ConfigError(
                setting,
                "has no value, and no user is made without a password",
                f"run `tutor secrets init` or `tutor config save --set {setting}=…`",
            )
    return values


def sentences(plan: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The plan in words: (service and endpoint, as whom, what)."""
    if part := plan.get("mysql"):
        for each in part["databases"]:
            users = ", ".join(each["users"])
            what = f"database {each['name']}; users {users}, with rights on it alone"
            yield f"MySQL {part['host']}", part["admin"], what
        for each in part["table_rights"]:
            what = f"{', '.join(each['rights'])} on {each['database']}.{each['table']}"
            yield f"MySQL {part['host']}", part["admin"], f"{', '.join(each['users'])}: {what}"
    if part := plan.get("mongodb"):
        what = f"user {part['user']}, with readWrite on {part['database']} alone"
        yield f"MongoDB {part['hosts']}", part["admin"], what
    if part := plan.get("redis"):
        what = f"user {part['user']} in group {part['user_group']}: {part['rules']}"
        yield "ElastiCache", "the Job's role", what
    if part := plan.get("opensearch"):
        holders = ", ".join([*part["mapping"]["users"], *part["mapping"]["backend_roles"]])
        [own] = part["role"]["index_permissions"]
        what = f"role {part['name']} for {holders}, with indexes {own['index_patterns'][0]} alone"
        yield f"OpenSearch {part['host']}", part["admin"], what


def _settings(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for each in part:
            yield from _settings(each)
    elif isinstance(part, Mapping):
        if "password" in part:
            yield part["password"]
        for each in part.values():
            yield from _settings(each)


def _mysql(settings: Settings, owner: Instance, config: Mapping[str, Any]) -> Part:
    if config["RUN_MYSQL"] or not settings.bootstrap.mysql_admin:
        return {}
    applications = ["openedx", *plugins_with_database(config)]
    databases = [_database(owner, application, config) for application in applications]
    [writers] = [each["users"] for each in databases if each["name"] == owner.database("openedx")]
    copied_to = {"database": owner.database("credentials"), "table": COPIED_TO["table"]}
    return {
        "host": config["MYSQL_HOST"],
        "port": int(config["MYSQL_PORT"]),
        "ca": f"{CA_FOLDER}/{MYSQL_CA}",
        "admin": settings.bootstrap.mysql_admin,
        "databases": databases,
        "table_rights": (
            [{**copied_to, "rights": COPYING, "users": writers}]
            if COPIED_TO["application"] in applications
            else []
        ),
    }


def _database(owner: Instance, application: str, config: Mapping[str, Any]) -> Part:
    name = owner.database(application)
    prefix = f"{application.upper()}_MYSQL"
    _require(config, f"{prefix}_DATABASE", name)
    _require(config, f"{prefix}_USERNAME", name, second_user(name))
    users = [name, second_user(name)]
    user = str(config[f"{prefix}_USERNAME"])
    return {"name": name, "users": users, "user": user, "password": f"{prefix}_PASSWORD"}


def _mongodb(settings: Settings, owner: Instance, config: Mapping[str, Any]) -> Part:
    if config["RUN_MONGODB"] or not settings.bootstrap.mongodb_admin:
        return {}
    name = owner.database("openedx")
    _require(config, "MONGODB_DATABASE", name)
    _require(config, "MONGODB_USERNAME", name, second_user(name))
    address, port = str(config["MONGODB_HOST"]), config["MONGODB_PORT"]
    if not MONGODB_HOST.fullmatch(address):
        # Not quoted: it may have a password in it.
        raise ConfigError(
            "MONGODB_HOST",
            "is neither a list of hosts nor mongodb+srv:// with one, and its options could give "
            "the administrator's password away",
            "remove it from config.yml, and name the servers in AWS_MONGODB",
        )
    hosts = address if "://" in address else ",".join(f"{h}:{port}" for h in address.split(","))
    return {
        "hosts": hosts,
        "replica_set": config["MONGODB_REPLICA_SET"],
        "auth_source": config["MONGODB_AUTH_SOURCE"],
        "ca": f"{CA_FOLDER}/{MONGODB_CA}" if settings.mongodb.ca_file else "",
        "admin": settings.bootstrap.mongodb_admin,
        "database": name,
        "user": str(config["MONGODB_USERNAME"]),
        "password": "MONGODB_PASSWORD",
    }


def _redis(settings: Settings, owner: Instance, config: Mapping[str, Any]) -> Part:
    if config["RUN_REDIS"] or not settings.bootstrap.redis_user_group:
        return {}
    _require(config, "REDIS_USERNAME", owner.name)
    return {
        "host": config["REDIS_HOST"],
        "port": int(config["REDIS_PORT"]),
        "user_group": settings.bootstrap.redis_user_group,
        "user": owner.name,
        "rules": redis_rules(owner),
        "password": "REDIS_PASSWORD",
    }


def _opensearch(settings: Settings, owner: Instance, config: Mapping[str, Any]) -> Part:
    search, name = settings.opensearch, owner.database("openedx")
    if not search.host or not settings.bootstrap.opensearch_admin:
        return {}
    domain = {
        "host": search.host,
        "port": search.port,
        "admin": settings.bootstrap.opensearch_admin,
        "name": name,
        "role": opensearch_role(owner),
    }
    if search.by_role:
        if not settings.role_arn:
            raise ConfigError(
                "AWS_ROLE_ARN",
                "has no value, and OpenSearch knows the instance by the ARN of its role",
                "set it; or make the role there yourself, and remove "
                "AWS_BOOTSTRAP.opensearch_admin",
            )
        # Discovery's pods have one of their own.
        more = settings.plugins_role_arn if discovers_outside(config) else ""
        arns = [arn for arn in (settings.role_arn, more) if arn]
        return {**domain, "mapping": {"users": [], "backend_roles": arns}}
    _require(config, "OPENSEARCH_USERNAME", name)
    mapping = {"users": [name], "backend_roles": []}
    return {**domain, "mapping": mapping, "password": "OPENSEARCH_PASSWORD"}


PARTS: Mapping[str, Callable[[Settings, Instance, Mapping[str, Any]], Part]] = {
    "mysql": _mysql,
    "mongodb": _mongodb,
    "redis": _redis,
    "opensearch": _opensearch,
}


def _require(config: Mapping[str, Any], setting: str, *names: str) -> None:
    if str(config[setting]) not in names:
        raise ConfigError(
            setting,
            f"{config[setting]!r} is not a name of this instance ({' or '.join(names)}), "
            "and a bootstrap makes no others",
            f"remove {setting} from config.yml"
            if setting != "REDIS_USERNAME"
            else f"set AWS_REDIS.username to {names[0]}",
        )


def _require_place(settings: Settings, owner: Instance) -> None:
    if not settings.region:
        raise ConfigError(
            "AWS_REGION",
            "is not set, and a bootstrap asks AWS in one region",
            "run `tutor config save --set AWS_REGION=…`",
        )
    if settings.bootstrap.namespace == owner.name:
        raise ConfigError(
            "AWS_BOOTSTRAP.namespace",
            "is this instance's own, whose pods would get hold of the administrators' passwords",
            "name the platform's",
        )
