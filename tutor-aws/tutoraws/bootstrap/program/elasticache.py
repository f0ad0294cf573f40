"""Edge: the ElastiCache user of an instance, with its rules, in the cache's user group.

Runs in the Job, with the Job's own role: there is no administrator's password.
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from tutoraws.bootstrap.program.aws import aws_errors
from tutoraws.bootstrap.program.report import BootstrapError, Report

PAUSE_S, LIMIT_S = 5, 300

# (user, password) → whether the cache lets them in.
LogsIn = Callable[[str, str], bool]


def login(cache: Mapping[str, Any]) -> LogsIn:
    """Asks the cache itself: AWS does not tell whether a password is the right one."""
    import redis

    def logs_in(user: str, password: str) -> bool:
        client: Any = redis.Redis(
            cache["host"],
            cache["port"],
            username=user,
            password=password,
            ssl=True,
            ssl_cert_reqs="required",
            socket_connect_timeout=15,
            socket_timeout=15,
        )
        try:
            client.ping()
        except redis.AuthenticationError:
            return False
        except redis.RedisError as error:
            raise BootstrapError(
                f"Redis {cache['host']}:{cache['port']}",
                f"no answer ({type(error).__name__})",
                "check AWS_REDIS and the policies of namespace and VPC",
            ) from None
        finally:
            client.close()
        return True

    return logs_in


def bootstrap(
    cache: Mapping[str, Any], passwords: Mapping[str, str], client: Any, report: Report
) -> None:
    """Make the user, or what is missing of it, and put it into the group. BootstrapError if not."""
    name, group = cache["user"], cache["user_group"]
    with aws_errors("elasticache.DescribeUserGroups", "AWS_BOOTSTRAP.redis_user_group"):
        [found] = client.describe_user_groups(UserGroupId=group)["UserGroups"]
    with aws_errors(f"elasticache.CreateUser or ModifyUser {name}", "AWS_BOOTSTRAP"):
        _make_user(cache, passwords[cache["password"]], client, found["Engine"], report)
    with aws_errors(f"elasticache.ModifyUserGroup {group}", "AWS_BOOTSTRAP.redis_user_group"):
        _add_to_group(name, group, client, report)


def _make_user(
    cache: Mapping[str, Any], password: str, client: Any, engine: str, report: Report
) -> None:
    name, what = cache["user"], f"ElastiCache user {cache['user']}"
    found = _user(client, name)
    if found is None:
        client.create_user(
            UserId=name,
            UserName=name,
            Engine=engine,
            Passwords=[password],
            AccessString=cache["rules"],
        )
        report.did(what, "made")
        _wait(lambda: (_user(client, name) or {}).get("Status"), what)
        return
    changes = {}
    if found["AccessString"].split() != cache["rules"].split():
        changes["AccessString"] = cache["rules"]
    if not login(cache)(name, password):
        changes["Passwords"] = [password]
    if not changes:
        report.there(what)
        return
    _wait(lambda: (_user(client, name) or {}).get("Status"), what)
    client.modify_user(UserId=name, **changes)
    words = {"AccessString": "its rules", "Passwords": "the instance's password"}
    report.did(what, f"got {' and '.join(words[change] for change in changes)}")
    _wait(lambda: (_user(client, name) or {}).get("Status"), what)


def _user(client: Any, name: str) -> dict[str, Any] | None:
    try:
        [found] = client.describe_users(UserId=name)["Users"]
    except client.exceptions.UserNotFoundFault:
        return None
    return dict(found)


def _add_to_group(name: str, group: str, client: Any, report: Report) -> None:
    what = f"ElastiCache user group {group}"

    def found() -> Any:
        return client.describe_user_groups(UserGroupId=group)["UserGroups"][0]

    if name in found()["UserIds"]:
        report.there(f"{what} with {name}")
        return
    _wait(lambda: found()["Status"], what)
    client.modify_user_group(UserGroupId=group, UserIdsToAdd=[name])
    report.did(what, f"got {name}")
    _wait(lambda: found()["Status"], what)


def _wait(status: Callable[[], str | None], what: str) -> None:
    """Until AWS is done: while it changes one of them, it refuses further changes."""
    for _ in range(LIMIT_S // PAUSE_S):
        if status() == "active":
            return
        time.sleep(PAUSE_S)
    raise BootstrapError(what, "is still being changed by AWS", "run this again in some minutes")
