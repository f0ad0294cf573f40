"""IAM policies: each role can do what it has to, on one instance's secrets."""

from __future__ import annotations

from typing import Any

import pytest
from tutoraws.policies import ROLES, Secrets, secrets_policy

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:openedx/acme-??????"


def secrets(**changes: Any) -> Secrets:
    return Secrets(
        **{"region": "eu-west-1", "account": "123456789012", "name": "openedx/acme", **changes}
    )


def actions(role: str, **changes: Any) -> set[str]:
    statements = secrets_policy(role, secrets(**changes))["Statement"]
    return {action for statement in statements for action in statement["Action"]}


def test_the_operator_reads() -> None:
    assert actions("operator") == {"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"}


def test_who_deploys_reads_in_batches() -> None:
    assert actions("deployer") == actions("operator") | {"secretsmanager:BatchGetSecretValue"}


def test_only_a_keeper_writes() -> None:
    writing = {"CreateSecret", "PutSecretValue", "TagResource", "UpdateSecretVersionStage"}
    assert actions("keeper") - actions("deployer") == {f"secretsmanager:{a}" for a in writing}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("parameters", [True, False], ids=["parameters", "secrets"])
def test_nobody_deletes_or_reaches_another_instance(role: str, parameters: bool) -> None:
    """The one statement on `*` is for BatchGetSecretValue, for which IAM knows no resources."""
    policy = secrets_policy(role, secrets(parameters=parameters, kms_key="alias/openedx"))
    for statement in policy["Statement"]:
        assert not [action for action in statement["Action"] if "Delete" in action or "*" in action]
        if statement["Sid"] == "Batch":
            assert statement["Action"] == ["secretsmanager:BatchGetSecretValue"]
        elif statement["Sid"] == "Secrets":
            assert all("openedx/acme" in resource for resource in statement["Resource"])


def test_a_key_decrypts_for_these_secrets_only() -> None:
    """KMS compares the encryption context, which Secrets Manager sets to the secret's ARN."""
    [key] = [
        statement
        for statement in secrets_policy("deployer", secrets(kms_key="alias/openedx"))["Statement"]
        if statement["Sid"] == "Key"
    ]
    assert key["Action"] == ["kms:Decrypt"]
    assert key["Resource"] == ["arn:aws:kms:eu-west-1:123456789012:key/*"]
    assert key["Condition"] == {
        "StringLike": {
            "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com",
            "kms:EncryptionContext:SecretARN": [ARN],
        },
        "ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/openedx"},
    }


def condition(role: str, **changes: Any) -> dict[str, Any]:
    """What the statement on the KMS key asks for."""
    statements = secrets_policy(role, secrets(kms_key="0a1b", **changes))["Statement"]
    [found] = [each["Condition"] for each in statements if each["Sid"] == "Key"]
    return dict(found["StringLike"])


def test_an_unknown_region_is_any() -> None:
    """`*` is compared as a pattern: as it stands it would equal no service."""
    assert condition("deployer", region="*")["kms:ViaService"] == "secretsmanager.*.amazonaws.com"


def test_only_a_keeper_may_have_a_key_tried() -> None:
    """As Secrets Manager does before it makes a secret; Parameter Store does not."""
    context = "kms:EncryptionContext:SecretARN"
    assert condition("keeper")[context] == [ARN, "RequestToValidateKeyAccess"]
    assert condition("deployer")[context] == [ARN]
    assert "RequestToValidateKeyAccess" not in str(condition("keeper", parameters=True))


def test_a_keeper_encrypts_too() -> None:
    assert "kms:GenerateDataKey" in actions("keeper", kms_key="0a1b")
    assert {"kms:Encrypt", "ssm:PutParameter"} <= actions("keeper", kms_key="0a1b", parameters=True)


def test_shared_secrets_are_read_as_well() -> None:
    rds = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!cluster-1-AbCdEf"
    policy = secrets_policy("deployer", secrets(others=[rds, "platform/smtp"]))
    assert policy["Statement"][0]["Resource"] == [
        ARN,
        rds,
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:platform/smtp-??????",
    ]


def test_parameters_are_read_by_their_path() -> None:
    """That is a permission on the path itself. Others are parameters too, with one slash each."""
    own = "arn:aws:ssm:eu-west-1:123456789012:parameter"
    others = [f"{own}/of/platform", "/platform/smtp", "smtp"]
    policy = secrets_policy("deployer", secrets(parameters=True, others=others))
    assert policy["Statement"][0]["Resource"] == [
        f"{own}/openedx/acme",
        f"{own}/openedx/acme/*",
        f"{own}/of/platform",
        f"{own}/platform/smtp",
        f"{own}/smtp",
    ]


@pytest.mark.parametrize(
    ("region", "start"),
    [
        ("cn-north-1", "arn:aws-cn:"),
        ("us-gov-west-1", "arn:aws-us-gov:"),
        ("eu-west-1", "arn:aws:"),
    ],
)
def test_other_partitions(region: str, start: str) -> None:
    policy = secrets_policy("operator", secrets(region=region))
    assert policy["Statement"][0]["Resource"][0].startswith(start)
