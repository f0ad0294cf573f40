"""Edge: AWS Secrets Manager. https://docs.aws.amazon.com/secretsmanager/latest/apireference/"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from tutoraws.services.session import AwsError, aws_errors, refusal

# The most secrets that one BatchGetSecretValue takes.
BATCH_SIZE = 20


class SecretsManager(Protocol):
    """The calls used, and so the permissions needed.

    BatchGetSecretValue asks for GetSecretValue on each secret as well, and for kms:Decrypt where
    the secret has a key of its own.
    """

    def batch_get_secret_value(self, *, SecretIdList: list[str]) -> dict[str, Any]:  # noqa: N803
        """secretsmanager:BatchGetSecretValue"""

    def create_secret(
        self,
        *,
        Name: str,  # noqa: N803
        Description: str,  # noqa: N803
        SecretString: str,  # noqa: N803
    ) -> dict[str, Any]:
        """secretsmanager:CreateSecret"""

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> dict[str, Any]:  # noqa: N803
        """secretsmanager:PutSecretValue"""


def read(client: SecretsManager, names: Sequence[str]) -> dict[str, str]:
    """Name → text of each secret that exists, in one call per 20 names.

    Raises AwsError if a secret exists and cannot be read.
    """
    return {
        name: text
        for start in range(0, len(names), BATCH_SIZE)
        for name, text in _batch(client, list(names[start : start + BATCH_SIZE]))
    }


def _batch(client: SecretsManager, names: list[str]) -> Iterator[tuple[str, str]]:
    with _errors("BatchGetSecretValue"):
        answer = client.batch_get_secret_value(SecretIdList=names)
    for error in answer.get("Errors", []):
        if error["ErrorCode"] != "ResourceNotFoundException":
            where = f"secretsmanager.GetSecretValue {error['SecretId']}"
            raise _refusal(where, error["ErrorCode"], error.get("Message", ""))
    for secret in answer["SecretValues"]:
        # Asked for by its ARN, a secret is known to the caller by that.
        name = secret["ARN"] if secret["ARN"] in names else secret["Name"]
        yield name, secret.get("SecretString", "")


def create(client: SecretsManager, name: str, description: str, text: str) -> None:
    """Create the secret `name`. Raises AwsError, also if there is one already."""
    with _errors(f"CreateSecret {name}"):
        client.create_secret(Name=name, Description=description, SecretString=text)


def update(client: SecretsManager, name: str, text: str) -> None:
    """Give the secret `name` a new version; the one before stays as AWSPREVIOUS."""
    with _errors(f"PutSecretValue {name}"):
        client.put_secret_value(SecretId=name, SecretString=text)


def _errors(what: str) -> AbstractContextManager[None]:
    return aws_errors(f"secretsmanager.{what}", _refusal)


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
