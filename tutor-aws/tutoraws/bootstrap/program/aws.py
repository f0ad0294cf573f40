"""Edge: AWS, as the Job's role sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tutoraws.bootstrap.program.report import BootstrapError


def client(service: str) -> Any:
    """A client with the pod's role, in the pod's region."""
    import boto3

    return boto3.client(service)


def administrator(name: str, setting: str) -> dict[str, str]:
    """Who a secret is of, as RDS writes it: `username` and `password`. Raises BootstrapError."""
    with aws_errors(f"secretsmanager.GetSecretValue {name}", setting):
        text = client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    try:
        found = json.loads(text)
        return {part: str(found[part]) for part in ("username", "password")}
    except (ValueError, KeyError, TypeError):
        # Not chained: the error carries the text.
        raise BootstrapError(
            f"secret {name}",
            "is no JSON with a username and a password",
            f"let {setting} name one like those that RDS makes",
        ) from None


@contextmanager
def aws_errors(where: str, setting: str) -> Iterator[None]:
    """Raise BootstrapError, with AWS' code and nothing else of its answer, for what it refuses."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "Unknown")
        remedy = "look this code up in the service's API reference"
        if "AccessDenied" in code:
            remedy = "allow it to the Job's role; `tutor aws instance policy` prints what it needs"
        elif "InvalidParameterValue" in code:
            remedy = "for a password ElastiCache wants 16 to 128 printable characters"
        elif "NotFound" in code:
            remedy = f"correct {setting} or the region"
        raise BootstrapError(where, code, remedy) from None
    except BotoCoreError as error:
        raise BootstrapError(
            where,
            f"cannot be called ({type(error).__name__})",
            "see that the service account has a role, and the network a way to AWS",
        ) from None
