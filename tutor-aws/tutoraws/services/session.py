"""Edge: boto3 clients, and what AWS refuses as errors that an operator can act on.

Credentials and endpoints come from the standard places (environment, profile, role), see
https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from tutorplatform.errors import PlatformError

# Of a call, with growing pauses in between: some 15 seconds in all.
MAX_ATTEMPTS = 5

NEW_CREDENTIALS = "renew your AWS credentials; `aws sts get-caller-identity` shows whose they are"
AGAIN = "run the command again"

REMEDIES = {
    "AccessDeniedException": "allow this action for your user or role",
    "AccessDenied": "allow this action for your user or role",
    "ExpiredToken": NEW_CREDENTIALS,
    "ExpiredTokenException": NEW_CREDENTIALS,
    "InvalidClientTokenId": NEW_CREDENTIALS,
    "InvalidSignatureException": NEW_CREDENTIALS,
    "UnrecognizedClientException": NEW_CREDENTIALS,
    "InternalServiceError": AGAIN,
    "ResourceExistsException": AGAIN,
    "ThrottlingException": AGAIN,
}


class AwsError(PlatformError):
    """AWS refused a call or did not answer."""


def refusal(where: str, code: str, _message: str = "") -> AwsError:
    """The error for a code with which AWS refused a call."""
    return AwsError(
        where, code, REMEDIES.get(code, "look this code up in the service's API reference")
    )


# (where, AWS' code, AWS' message, which may hold what was sent) → the error to raise.
Refusal = Callable[[str, str, str], AwsError]


def default_region() -> str:
    """The region of the environment or profile; empty if there is none.

    Raises AwsError if the profile or the configuration is unusable.
    """
    import boto3

    with aws_errors("AWS region"):
        return boto3.session.Session().region_name or ""


def client(service: str, region: str | None) -> Any:
    """A client of one AWS service. Without a region, the one of the environment or profile.

    Raises AwsError if there is no region, or if the profile or the configuration is unusable.
    """
    # Importing boto3 takes a quarter of a second that most `tutor` commands have no use for.
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    options = Config(
        connect_timeout=5,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": MAX_ATTEMPTS},
    )
    with aws_errors(service):
        try:
            made = boto3.session.Session(region_name=region).client(service, config=options)
        except ValueError as error:
            # Some of botocore's own errors are ValueErrors too, and the better ones.
            if isinstance(error, BotoCoreError):
                raise
            raise AwsError(
                service,
                "boto3 cannot use one of its settings",
                "write AWS_ENDPOINT_URL (or endpoint_url in your profile) like https://host:port, "
                "and check the other AWS_… variables and ~/.aws/config",
            ) from None
    made.meta.events.register("request-created", _say_again)
    return made


def _say_again(request: Any, operation_name: str, **_: Any) -> None:
    """Say that boto3, which waits longer each time, tries a call again."""
    attempt = request.context.get("retries", {}).get("attempt", 1)
    if attempt > 1:
        click.echo(
            f"AWS asks us to slow down, or does not answer: "
            f"{operation_name}, attempt {attempt} of {MAX_ATTEMPTS}",
            err=True,
        )


@contextmanager
def aws_errors(where: str, refuse: Refusal = refusal) -> Iterator[None]:
    """Raise AwsError, with `where`, for what goes wrong between us and AWS inside the block.

    It gives the error's code or class only: a message may quote what was sent, or a credential.
    """
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        answer = error.response.get("Error", {})
        raise refuse(where, answer.get("Code", "Unknown"), answer.get("Message", "")) from None
    except exceptions.NoRegionError:
        raise AwsError(
            where, "no AWS region is set", "run `tutor config save --set AWS_REGION=…`"
        ) from None
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError):
        raise AwsError(
            where,
            "there are no AWS credentials",
            "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in the environment",
        ) from None
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        raise AwsError(
            where,
            f"AWS does not answer ({type(error).__name__})",
            "check the network, AWS_REGION and AWS_ENDPOINT_URL, then run the command again",
        ) from None
    except exceptions.BotoCoreError as error:
        raise AwsError(
            where,
            f"boto3 cannot make this call ({type(error).__name__})",
            "check AWS_PROFILE, ~/.aws/config and ~/.aws/credentials (SSO: `aws sso login`) "
            "until `aws sts get-caller-identity` answers",
        ) from None
