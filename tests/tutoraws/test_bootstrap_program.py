"""What the Job's program makes of answers of servers that no test can start."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from tutoraws.access import DENIED, redis_rules
from tutoraws.bootstrap.program import accessrules, aws, elasticache, grants
from tutoraws.bootstrap.program.report import BootstrapError
from tutorplatform.instance import Instance

RULES = redis_rules(Instance("acme"))
# As ElastiCache writes it: in an order of its own, without what goes without saying, and with what
# it begins with.
NORMAL = " ".join(["on ~acme:* &acme:* -@all +@all", *sorted(f"-{command}" for command in DENIED)])
PLACES = {("acmecredentials", "core_user"): ["CREATE", "INSERT", "SELECT"]}


@pytest.mark.parametrize(
    "same",
    [RULES, NORMAL, f"reset {NORMAL}", NORMAL.replace("-@all +@all", "allcommands")],
    ids=["ours", "of ElastiCache", "reset", "long word"],
)
def test_rules_that_mean_the_same_are_the_same(same: str) -> None:
    assert accessrules.meaning(same) == accessrules.meaning(RULES)


@pytest.mark.parametrize(
    "other",
    [
        RULES.replace("on ", "off "),
        RULES.replace("~acme:*", "~*"),
        RULES.replace(" &acme:*", ""),
        RULES.replace(" -@dangerous", ""),
        f"{RULES} -@all",
        f"{RULES} +@all",
    ],
    ids=["off", "all keys", "no channels", "dangerous", "nothing", "everything"],
)
def test_rules_that_mean_something_else_are_others(other: str) -> None:
    assert accessrules.meaning(other) != accessrules.meaning(RULES)


@pytest.mark.parametrize(
    ("rules", "patterns"),
    [
        (RULES, []),
        (NORMAL, []),
        ("on ~acme:only:* +@all", []),
        ("off -@all", []),
        ("on ~invoices:* +@all", ["~invoices:*"]),
        ("on ~acme* &* +@all", ["~acme*", "&*"]),
        ("on allkeys allchannels +@all", ["~*", "&*"]),
        ("on ~acme:* %R~beta:* (%W~gamma:* +set)", ["~beta:*", "~gamma:*"]),
    ],
)
def test_patterns_of_others_are_found(rules: str, patterns: list[str]) -> None:
    assert accessrules.foreign(rules, RULES) == patterns


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("GRANT USAGE ON *.* TO `acmeopenedx`@`%` REQUIRE SSL", ""),
        ("GRANT ALL PRIVILEGES ON `acmeopenedx`.* TO `acmeopenedx`@`%`", ""),
        ("GRANT SELECT, INSERT, CREATE ON `acmecredentials`.`core_user` TO `a`@`%`", ""),
        ("GRANT `audit`@`%` TO `acmeopenedx`@`%`", ""),
        ("GRANT `audit`@`%`,`reader`@`%` TO `acmeopenedx`@`%`", "has a role"),
        ("GRANT `audit`@`%` TO `acmeopenedx`@`%` WITH ADMIN OPTION", "has a role"),
        ("GRANT PROXY ON `root`@`%` TO `acmeopenedx`@`%`", "has a role"),
        (
            "GRANT USAGE ON *.* TO `acmeopenedx`@`%` WITH GRANT OPTION",
            "may give its rights away",
        ),
        (
            "GRANT SELECT, DELETE ON `acmecredentials`.`core_user` TO `a`@`%`",
            "has SELECT, DELETE on acmecredentials.core_user",
        ),
    ],
)
def test_lines_of_mysql_8_are_understood(line: str, problem: str) -> None:
    """MariaDB has no roles that everybody has."""
    roles = grants.roles("`audit`@`%`,'other'@'%'")
    assert grants.foreign(line, "acmeopenedx", PLACES, roles) == problem


def test_mandatory_roles_may_be_written_in_many_ways() -> None:
    assert grants.roles("") == set()
    assert grants.roles("audit,`reader`@`10.%`, 'x'@'%'") == {"audit@%", "reader@10.%", "x@%"}


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "s3cret"}}, "ModifyUserGroup")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (refusal("AccessDeniedException"), "AccessDeniedException; allow it to the Job's role"),
        (refusal("UserGroupNotFound"), "correct AWS_BOOTSTRAP.x or the region"),
        (refusal("ServiceLinkedRoleNotFoundFault"), "create-service-linked-role"),
        (refusal("UserQuotaExceeded"), "ask AWS for a higher quota"),
        (refusal("ThrottlingException"), "run this again in a minute"),
        (refusal("UserAlreadyExists"), "run this again"),
        (refusal("Whatever"), "look this code up"),
        (NoCredentialsError(), r"cannot be called \(NoCredentialsError\)"),
        (ValueError("Invalid endpoint: https://secretsmanager..amazonaws.com"), "AWS_REGION"),
    ],
)
def test_what_aws_refuses_is_said_with_a_way_out(error: Exception, message: str) -> None:
    with (
        pytest.raises(BootstrapError, match=message) as raised,
        aws.aws_errors("elasticache.ModifyUserGroup g", "AWS_BOOTSTRAP.x"),
    ):
        raise error
    assert "s3cret" not in str(raised.value)


class Busy:
    """A change that AWS refuses so many times."""

    def __init__(self, *codes: str) -> None:
        self.codes = [*codes]
        self.waited: list[float] = []
        self.done = False

    def change(self) -> None:
        if self.codes:
            raise refusal(self.codes.pop())
        self.done = True


def test_a_group_that_another_instance_changes_is_waited_for() -> None:
    busy = Busy("InvalidUserGroupState", "InvalidUserState")
    elasticache.when_free(busy.change, "group", busy.waited.append)
    assert busy.done
    assert busy.waited == [elasticache.PAUSE_S] * 2


def test_it_is_not_waited_for_ever_nor_for_anything_else() -> None:
    busy: Any = Busy(*["InvalidUserGroupState"] * 1000)
    with pytest.raises(BootstrapError, match="is still being changed by AWS; run this again"):
        elasticache.when_free(busy.change, "group", busy.waited.append)
    assert sum(busy.waited) == elasticache.LIMIT_S
    with pytest.raises(ClientError):
        elasticache.when_free(Busy("UserGroupNotFound").change, "group")
