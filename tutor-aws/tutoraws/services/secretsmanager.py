"""Edge: AWS Secrets Manager. https://docs.aws.amazon.com/secretsmanager/latest/apireference/"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from tutoraws.services.session import AwsError, aws_errors, refusal

# The most secrets that one BatchGetSecretValue takes.
BATCH_SIZE = 20

# The most bytes that a secret can have.
MAX_BYTES = 65_536

# A version has it from the moment it is made, and AWSCURRENT only once nobody else was quicker.
LABEL = "tutor-secrets"


class ChangedError(AwsError):
    """Somebody else has written the secret since it was read."""


class SecretsManager(Protocol):
    """The calls used, and so the permissions needed.

    BatchGetSecretValue asks for GetSecretValue on each secret as well, and for kms:Decrypt where
    the secret has a key of its own.
    """

    # `meta.region_name`: where it asks.
    meta: Any

    def batch_get_secret_value(self, *, SecretIdList: list[str]) -> dict[str, Any]:  # noqa: N803
        """secretsmanager:BatchGetSecretValue"""

    def create_secret(self, **request: Any) -> dict[str, Any]:
        """secretsmanager:CreateSecret, and TagResource where there are tags"""

    def put_secret_value(self, **request: Any) -> dict[str, Any]:
        """secretsmanager:PutSecretValue"""

    def update_secret_version_stage(self, **request: Any) -> dict[str, Any]:
        """secretsmanager:UpdateSecretVersionStage"""

    def describe_secret(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803
        """secretsmanager:DescribeSecret"""


@dataclass(frozen=True)
class Secret:
    """The text of a secret, which is never shown, which version it is and when that was made."""

    text: str = field(repr=False)
    created: datetime
    version: str


@dataclass(frozen=True)
class Description:
    """What is known of a secret without its text. No KMS key means AWS' own."""

    arn: str
    kms_key: str
    tags: Mapping[str, str]


def read(client: SecretsManager, names: Sequence[str]) -> dict[str, Secret]:
    """Name → secret, for each one that exists, in one call per 20 names.

    Raises AwsError if a secret exists and cannot be read.
    """
    return {
        name: secret
        for start in range(0, len(names), BATCH_SIZE)
        for name, secret in _batch(client, list(names[start : start + BATCH_SIZE]))
    }


def _batch(client: SecretsManager, names: list[str]) -> Iterator[tuple[str, Secret]]:
    with _errors("BatchGetSecretValue"):
        answer = client.batch_get_secret_value(SecretIdList=names)
    for error in answer.get("Errors", []):
        if error["ErrorCode"] != "ResourceNotFoundException":
            where = f"secretsmanager.GetSecretValue {error['SecretId']}"
            raise _refusal(where, error["ErrorCode"], error.get("Message", ""))
    for secret in answer["SecretValues"]:
        # Asked for by its ARN, a secret is known to the caller by that.
        name = secret["ARN"] if secret["ARN"] in names else secret["Name"]
        yield (
            name,
            Secret(secret.get("SecretString", ""), secret["CreatedDate"], secret["VersionId"]),
        )


def describe(client: SecretsManager, name: str) -> Description:
    """What is known of the secret `name`. Raises AwsError, also if there is none."""
    with _errors(f"DescribeSecret {name}"):
        answer = client.describe_secret(SecretId=name)
    return Description(
        answer["ARN"],
        answer.get("KmsKeyId", ""),
        {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])},
    )


def create(
    client: SecretsManager,
    name: str,
    text: str,
    *,
    description: str,
    kms_key: str,
    tags: Mapping[str, str],
) -> None:
    """Create the secret `name`. Raises AwsError; ChangedError if there is one already.

    Without a KMS key AWS takes its own, `aws/secretsmanager`.
    """
    with _changes(f"CreateSecret {name}", "ResourceExistsException"):
        client.create_secret(
            Name=name,
            Description=description,
            SecretString=text,
            **({"KmsKeyId": kms_key} if kms_key else {}),
            **({"Tags": [{"Key": k, "Value": v} for k, v in tags.items()]} if tags else {}),
        )


def update(client: SecretsManager, name: str, text: str, *, instead_of: str) -> None:
    """Give the secret `name` a new version; the one before, `instead_of`, stays as AWSPREVIOUS.

    Raises ChangedError if that is no longer the current one, which then stays as it is:
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
    """
    with _errors(f"PutSecretValue {name}"):
        made = client.put_secret_value(SecretId=name, SecretString=text, VersionStages=[LABEL])
    with _changes(f"UpdateSecretVersionStage {name}", "InvalidParameterException"):
        client.update_secret_version_stage(
            SecretId=name,
            VersionStage="AWSCURRENT",
            MoveToVersionId=made["VersionId"],
            RemoveFromVersionId=instead_of,
        )


def _errors(what: str) -> AbstractContextManager[None]:
    return aws_errors(f"secretsmanager.{what}", _refusal)


def _changes(what: str, conflict: str) -> AbstractContextManager[None]:
    """The same; with this code AWS says that somebody else was quicker."""

    def refuse(where: str, code: str, message: str) -> AwsError:
        if code == conflict:
            return ChangedError(
                where,
                "somebody else has written this secret at the same time",
                "run the command again when they are done",
            )
        return _refusal(where, code, message)

    return aws_errors(f"secretsmanager.{what}", refuse)


def _refusal(where: str, code: str, message: str) -> AwsError:
    # This code has several reasons, and only the message tells them apart.
    if code == "InvalidRequestException" and "deletion" in message:
        return AwsError(
            where,
            "this secret is scheduled for deletion",
            "bring it back with `aws secretsmanager restore-secret --secret-id …`, "
            "or name another one in SECRETS_NAME",
        )
    return refusal(where, code)
