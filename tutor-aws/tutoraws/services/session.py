"""Edge: boto3 clients, and what AWS refuses as errors that an operator can act on.

Credentials and endpoints come from the standard places (environment, profile, role), see
https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tutorplatform.errors import PlatformError

NEW_CREDENTIALS = "renew your AWS credentials; `aws sts get-caller-identity` shows whose they are"
AGAIN = "run the command again"

REMEDIES = {
    "AccessDeniedException": "allow this action for your user or role",
    "AccessDenied": "allow this action for your user or role",
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


def client(service: str, region: str | None) -> Any:
    """A client of one AWS service. Without a region, the one of the environment or profile.

    Raises AwsError if there is no region, or half a credential.
    """
    # Importing boto3 takes a quarter of a second that most `tutor` commands have no use for.
    import boto3
    from botocore.config import Config

    with aws_errors(service):
        return boto3.session.Session(region_name=region).client(
            service,
            config=Config(
                connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3}
            ),
        )


@contextmanager
def aws_errors(where: str) -> Iterator[None]:
    """Raise AwsError, with `where`, for what goes wrong between us and AWS inside the block.

    It gives the error's code only: a message may quote what was sent.
    """
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        raise refusal(where, error.response.get("Error", {}).get("Code", "Unknown")) from None
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


def refusal(where: str, code: str) -> AwsError:
    """The error for a code with which AWS refused a call."""
    return AwsError(
        where, code, REMEDIES.get(code, "look this code up in the service's API reference")
    )
