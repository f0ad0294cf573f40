"""IAM policies: who may do what with an instance's secrets, and nothing else.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
https://docs.aws.amazon.com/kms/latest/developerguide/services-secrets-manager.html
https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Policy = dict[str, Any]

# Who deploys, what External Secrets reads with, who runs `tutor secrets init|set|rotate|migrate`.
DEPLOYER, OPERATOR, KEEPER = ROLES = ("deployer", "operator", "keeper")

# Before a secret is made with a key of one's own, Secrets Manager tries the key with this in
# place of the secret's ARN.
TRIAL = "RequestToValidateKeyAccess"


@dataclass(frozen=True)
class Secrets:
    """Where an instance's secrets are: a secret's name or ARN (or a parameter path), and others.

    `region` and `account` may be `*`.
    """

    region: str
    account: str
    name: str
    others: Sequence[str] = ()
    kms_key: str = ""
    parameters: bool = False

    @property
    def arns(self) -> list[str]:
        """The resources, as patterns."""
        # GetParametersByPath is a matter of the path itself, all else of what is below it.
        own = [self.name, f"{self.name}/*"] if self.parameters else [self.name]
        return [self._named(each) for each in (*own, *self.others)]

    @property
    def key_arn(self) -> str:
        """The KMS key. One that is known by its alias is told from others by a condition."""
        if self.kms_key.startswith("arn:") and ":alias/" not in self.kms_key:
            return self.kms_key
        key = "*" if "alias/" in self.kms_key else self.kms_key.rpartition("/")[2]
        return self._arn("kms", f"key/{key}")

    @property
    def alias(self) -> str:
        """`alias/…` if the KMS key is known by that."""
        start = self.kms_key.find("alias/")
        return self.kms_key[start:] if start >= 0 else ""

    def _named(self, name: str) -> str:
        if name.startswith("arn:"):
            return name
        if self.parameters:
            return self._arn("ssm", f"parameter/{name.removeprefix('/')}")
        # Secrets Manager ends each ARN in six random characters.
        return self._arn("secretsmanager", f"secret:{name}-??????")

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:{partition(self.region)}:{service}:{self.region}:{self.account}:{resource}"


def partition(region: str) -> str:
    """The first part of ARNs: China and GovCloud are AWSes of their own."""
    prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return next((name for start, name in prefixes.items() if region.startswith(start)), "aws")


def secrets_policy(role: str, secrets: Secrets) -> Policy:
    """The policy of one of ROLES."""
    statements = [_statement("Secrets", _actions(role, secrets), secrets.arns)]
    if role != OPERATOR and not secrets.parameters:
        # IAM knows no resources for it; what it returns is what GetSecretValue allows.
        statements.append(_statement("Batch", ["secretsmanager:BatchGetSecretValue"], ["*"]))
    if secrets.kms_key:
        statements.append(_decryption(role, secrets))
    return {"Version": "2012-10-17", "Statement": statements}


def _actions(role: str, secrets: Secrets) -> list[str]:
    if secrets.parameters:
        reading = ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"]
        writing = ["ssm:AddTagsToResource", "ssm:PutParameter"]
    else:
        reading = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
        writing = ["CreateSecret", "PutSecretValue", "TagResource", "UpdateSecretVersionStage"]
        writing = [f"secretsmanager:{action}" for action in writing]
    return [*reading, *writing] if role == KEEPER else reading


def _decryption(role: str, secrets: Secrets) -> Policy:
    # Through the service only, and only for these secrets: KMS checks the encryption context.
    service = "ssm" if secrets.parameters else "secretsmanager"
    context = "PARAMETER_ARN" if secrets.parameters else "SecretARN"
    domain = "amazonaws.com.cn" if partition(secrets.region) == "aws-cn" else "amazonaws.com"
    trial = [TRIAL] if role == KEEPER and not secrets.parameters else []
    condition: dict[str, Any] = {
        "StringLike": {
            "kms:ViaService": f"{service}.{secrets.region}.{domain}",
            f"kms:EncryptionContext:{context}": [*secrets.arns, *trial],
        },
    }
    if secrets.alias:
        condition["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": secrets.alias}
    actions = ["kms:Decrypt", *(["kms:GenerateDataKey"] if role == KEEPER else [])]
    if role == KEEPER and secrets.parameters:
        actions.append("kms:Encrypt")
    return {**_statement("Key", actions, [secrets.key_arn]), "Condition": condition}


def _statement(sid: str, actions: list[str], resources: Sequence[str]) -> Policy:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": list(resources)}
