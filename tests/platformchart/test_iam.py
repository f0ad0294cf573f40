"""What AWS has to provide is what the chart asks for."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from platformchart import awspage, iam, upstream

VALUES: dict[str, Any] = yaml.safe_load((upstream.CHART / "values.yaml").read_text())
each_account = pytest.mark.parametrize("account", iam.ACCOUNTS, ids=lambda each: each.name)


def service_account(chart: str) -> str:
    """Its name in the values of a chart that ours depends on."""
    values = VALUES[chart]
    name: str = values.get("rbac", values)["serviceAccount"]["name"]
    return name


@each_account
def test_service_accounts_are_those_of_the_chart(account: iam.Account) -> None:
    [chart] = [
        each["name"]
        for each in upstream.dependencies(upstream.CHART)
        if each["condition"] == f"components.{account.component}"
    ]
    assert service_account(chart) == account.name


def test_groups_are_found_by_the_tags_of_the_chart() -> None:
    assert awspage.group_tags(VALUES) == dict(iam.GROUP_TAGS)


@pytest.mark.parametrize("cluster", ["openedx", "c" * 100])
@each_account
def test_roles_have_names_that_aws_takes(account: iam.Account, cluster: str) -> None:
    name = account.role(cluster)
    assert re.fullmatch(r"[\w+=,.@-]{1,64}", name)
    assert name.endswith(f"-{account.name}")


@each_account
def test_every_action_is_one_action(account: iam.Account) -> None:
    """No `*`: who may do everything with a service may do it by mistake."""
    assert all(re.fullmatch(r"[a-z0-9]+:[A-Z][A-Za-z0-9]+", action) for action in account.actions)


def test_the_controller_finds_the_web_acl_by_its_name() -> None:
    """With the name pinned, no Ingress takes the ACL away; the policy of the project lacks this."""
    assert "wafv2:ListWebACLs" in iam.LOAD_BALANCER_CONTROLLER.actions


def test_policies_of_two_clusters_leave_each_other_alone() -> None:
    """What changes and deletes is bound to the mark of one cluster."""
    for account in (iam.LOAD_BALANCER_CONTROLLER, iam.CLUSTER_AUTOSCALER):
        for each in account.policy("blue")["Statement"]:
            deadly = {
                action for action in each["Action"] if re.search(":(Delete|Terminate)", action)
            }
            if deadly - {
                # Listeners and rules have no mark when the controller is asked for it.
                "elasticloadbalancing:DeleteListener",
                "elasticloadbalancing:DeleteRule",
            }:
                [(key, value)] = each["Condition"]["StringEquals"].items()
                assert "blue" in f"{key} {value}"
                assert iam.CLUSTER not in f"{key} {value}"


def test_a_condition_may_have_several_keys() -> None:
    several: iam.Condition = {
        "StringEquals": {"a/CLUSTER": "1", "b": ("x", "y")},
        "Null": {"c": "true"},
    }
    account = iam.Account("x", "x", "", (iam.Statement(("s3:GetObject",), only=several),))
    [statement] = account.policy("blue")["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {"a/blue": "1", "b": ["x", "y"]},
        "Null": {"c": "true"},
    }
