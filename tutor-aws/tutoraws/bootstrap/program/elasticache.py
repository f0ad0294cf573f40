"""Edge: the ElastiCache user of an instance, with its rules, in the cache's user group.

Runs in the Job, with the Job's own role: there is no administrator's password.
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tutoraws.bootstrap.program import accessrules
from tutoraws.bootstrap.program.aws import aws_errors, error_code
from tutoraws.bootstrap.program.passwords import Passwords
from tutoraws.bootstrap.program.report import BootstrapError, Report

PAUSE_S, LIMIT_S = 5, 300
GROUP = "AWS_BOOTSTRAP.redis_user_group"
# Others have users in the same group.
BUSY = ("InvalidUserState", "InvalidUserGroupState")

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
    cache: Mapping[str, Any], passwords: Passwords, client: Any, report: Report
) -> Iterator[None]:
    """Yield when nothing stands in the way; then make the user, and put it into the group.

    Raises BootstrapError.
    """
    name, group = cache["user"], cache["user_group"]
    password = passwords[cache["password"]]
    with aws_errors(f"elasticache.DescribeUserGroups {group}", GROUP):
        of_group = _group(client, group)
    with aws_errors(f"elasticache.DescribeUsers {name}", GROUP):
        found = _user(client, name)
        right = found is not None and _has_password(cache, password, found, of_group, client)
    if found is not None and not right and name in of_group["UserIds"]:
        passwords.require_reset(f"ElastiCache user {name}")
    yield
    with aws_errors(f"elasticache.CreateUser or ModifyUser {name}", GROUP):
        if found is None:
            _make_user(cache, password, of_group["Engine"], client, report)
        else:
            _change_user(cache, {} if right else {"Passwords": [password]}, found, client, report)
    with aws_errors(f"elasticache.ModifyUserGroup {group}", GROUP):
        _add_to_group(name, group, client, report)


def _has_password(
    cache: Mapping[str, Any],
    password: str,
    found: Mapping[str, Any],
    of_group: Mapping[str, Any],
    client: Any,
) -> bool:
    """Whether the user logs in; not before it is in the group. BootstrapError for somebody else."""
    name, group = cache["user"], cache["user_group"]
    _require_own(cache, found)
    if name not in of_group["UserIds"]:
        return False
    # Before AWS is done, the cache may not know of the latest changes.
    _wait(lambda: (_user(client, name) or {}).get("Status"), f"ElastiCache user {name}")
    _wait(lambda: _group(client, group)["Status"], f"ElastiCache user group {group}")
    return login(cache)(name, password)


def _require_own(cache: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    name, group = cache["user"], cache["user_group"]
    others = [each for each in found.get("UserGroupIds") or [] if each != group]
    patterns = accessrules.foreign(found["AccessString"], cache["rules"])
    foreign = [
        *([f"is called {found['UserName']}"] if found["UserName"] != name else []),
        *(f"is in group {each}" for each in others),
        *([f"has {' '.join(patterns)}"] if patterns else []),
    ]
    if foreign:
        raise BootstrapError(
            f"ElastiCache user {name}",
            f"is not of this instance alone ({', '.join(foreign)}), so nothing was changed",
            "delete the user, if nobody uses it, and run this again; or give the instance another "
            "name",
        )


def _make_user(
    cache: Mapping[str, Any], password: str, engine: str, client: Any, report: Report
) -> None:
    name, what = cache["user"], f"ElastiCache user {cache['user']}"
    client.create_user(
        UserId=name,
        UserName=name,
        Engine=engine,
        Passwords=[password],
        AccessString=cache["rules"],
    )
    report.did(what, "made")
    _wait(lambda: (_user(client, name) or {}).get("Status"), what)


def _change_user(
    cache: Mapping[str, Any],
    changes: dict[str, Any],
    found: Mapping[str, Any],
    client: Any,
    report: Report,
) -> None:
    name, what = cache["user"], f"ElastiCache user {cache['user']}"
    if accessrules.meaning(found["AccessString"]) != accessrules.meaning(cache["rules"]):
        changes = {"AccessString": cache["rules"], **changes}
    if not changes:
        report.there(what)
        return
    when_free(lambda: client.modify_user(UserId=name, **changes), what)
    words = {"AccessString": "its rules", "Passwords": "the instance's password"}
    report.did(what, f"got {' and '.join(words[change] for change in changes)}")
    _wait(lambda: (_user(client, name) or {}).get("Status"), what)


def _group(client: Any, group: str) -> dict[str, Any]:
    [found] = client.describe_user_groups(UserGroupId=group)["UserGroups"]
    return dict(found)


def _user(client: Any, name: str) -> dict[str, Any] | None:
    try:
        [found] = client.describe_users(UserId=name)["Users"]
    except client.exceptions.UserNotFoundFault:
        return None
    return dict(found)


def _add_to_group(name: str, group: str, client: Any, report: Report) -> None:
    what = f"ElastiCache user group {group}"
    if name in _group(client, group)["UserIds"]:
        report.there(f"{what} with {name}")
        return
    when_free(lambda: client.modify_user_group(UserGroupId=group, UserIdsToAdd=[name]), what)
    report.did(what, f"got {name}")
    _wait(lambda: _group(client, group)["Status"], what)


def when_free(
    change: Callable[[], Any], what: str, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Make a change, again and again while AWS is busy with another one, maybe not of ours."""
    from botocore.exceptions import ClientError

    for _ in range(LIMIT_S // PAUSE_S):
        try:
            change()
            return
        except ClientError as error:
            if not error_code(error).startswith(BUSY):
                raise
        sleep(PAUSE_S)
    raise _still_changed(what)


def _wait(status: Callable[[], str | None], what: str) -> None:
    """Until AWS is done: while it changes one of them, it refuses further changes."""
    for _ in range(LIMIT_S // PAUSE_S):
        if status() == "active":
            return
        time.sleep(PAUSE_S)
    raise _still_changed(what)


def _still_changed(what: str) -> BootstrapError:
    return BootstrapError(what, "is still being changed by AWS", "run this again in some minutes")
