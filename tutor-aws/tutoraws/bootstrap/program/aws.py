"""Edge: AWS, as the Job's role sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tutoraws.bootstrap.program.report import BootstrapError


def client(service: str) -> Any:
    """A client with the pod's role, in the pod's region."""
    import boto3

    return boto3.client(service)


def administrator(name: str, setting: str, hosts: Sequence[str]) -> dict[str, str]:
    """Who a secret is of, as RDS writes it: `username` and `password`. Raises BootstrapError.

    A secret that has a `host` is for that one alone, or for those, with commas between them.
    """
    with aws_errors(f"secretsmanager.GetSecretValue {name}", setting):
        text = client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    try:
        found = json.loads(text)
        known = {part: str(found[part]) for part in ("username", "password")}
        bound = [each.strip() for each in str(found.get("host") or "").split(",")]
    except (ValueError, KeyError, TypeError):
        # Not chained: the error carries the text.
        raise BootstrapError(
            f"secret {name}",
            "is no JSON with a username and a password",
            f"let {setting} name one like those that RDS makes",
        ) from None
    _require_host(name, setting, hosts, bound)
    return known


def _require_host(name: str, setting: str, hosts: Sequence[str], bound: Sequence[str]) -> None:
    others = [host for host in hosts if host not in bound]
    if bound != [""] and others:
        raise BootstrapError(
            f"secret {name}",
            f"is for {', '.join(bound)}, and config.yml names {', '.join(others)}",
            f"correct the host in config.yml, let {setting} name another secret, or have the "
            "secret's `host` corrected, exactly as config.yml has it",
        )


# Part of AWS' code → what to do; the first one counts.
REMEDIES = (
    (
        "AccessDenied",
        "allow it to the Job's role; `tutor aws instance policy` prints what it needs",
    ),
    ("InvalidParameterValue", "for a password ElastiCache wants 16 to 128 printable characters"),
    (
        "ServiceLinkedRole",
        "have ElastiCache's made: `aws iam create-service-linked-role "
        "--aws-service-name elasticache.amazonaws.com`",
    ),
    ("NotFound", "correct {setting} or the region"),
    ("Quota", "ask AWS for a higher quota of this account, or delete users that nobody needs"),
    ("Throttling", "run this again in a minute"),
    ("AlreadyExists", "somebody else makes the same at this moment: run this again"),
    ("Duplicate", "another user has this name: delete it, if nobody uses it, and run this again"),
    ("", "look this code up in the service's API reference"),
)


def error_code(error: Any) -> str:
    """AWS' code of a refusal."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


@contextmanager
def aws_errors(where: str, setting: str) -> Iterator[None]:
    """Raise BootstrapError, with AWS' code and nothing else of its answer, for what it refuses."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error_code(error)
        remedy = next(remedy for part, remedy in REMEDIES if part in code)
        raise BootstrapError(where, code, remedy.format(setting=setting)) from None
    except (BotoCoreError, ValueError) as error:
        # ValueError: an address that is none, of a region that is none.
        raise BootstrapError(
            where,
            f"cannot be called ({type(error).__name__})",
            "see that the service account has a role, the network a way to AWS, and AWS_REGION is "
            "right",
        ) from None
