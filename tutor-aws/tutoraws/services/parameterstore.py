"""Edge: parameters of AWS Systems Manager.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from tutoraws.services.session import AwsError, aws_errors, refusal

# The most parameters that one GetParameters takes.
BATCH_SIZE = 10

# The most bytes that a parameter can have, in the advanced tier that AWS changes to by itself.
MAX_BYTES = 8192


class ExistsError(AwsError):
    """Somebody else has made the parameter since it was looked for."""


class ParameterStore(Protocol):
    """The calls used, and so the permissions needed, with kms:Decrypt or kms:Encrypt."""

    # `meta.region_name`: where it asks.
    meta: Any

    def get_parameters_by_path(self, **request: Any) -> dict[str, Any]:
        """ssm:GetParametersByPath"""

    def get_parameters(self, *, Names: list[str], WithDecryption: bool) -> dict[str, Any]:  # noqa: N803
        """ssm:GetParameters"""

    def put_parameter(self, **request: Any) -> dict[str, Any]:
        """ssm:PutParameter, and AddTagsToResource where there are tags"""


@dataclass(frozen=True)
class Parameter:
    """The value of a parameter, which is never shown, and when it was last changed."""

    value: str = field(repr=False)
    changed: datetime


def below(client: ParameterStore, path: str) -> dict[str, Parameter]:
    """Last part of the name → parameter, for each one directly below `path`, ten per call."""
    found: dict[str, Parameter] = {}
    page: dict[str, str] = {}
    while True:
        with aws_errors(f"ssm.GetParametersByPath {path}"):
            answer = client.get_parameters_by_path(Path=path, WithDecryption=True, **page)
        found |= {name.rpartition("/")[2]: each for name, each in _parameters(answer)}
        if not answer.get("NextToken"):
            return found
        page = {"NextToken": answer["NextToken"]}


def read(client: ParameterStore, names: Sequence[str]) -> dict[str, Parameter]:
    """Name → parameter, for each one that exists, in one call per ten names."""
    found: dict[str, Parameter] = {}
    for start in range(0, len(names), BATCH_SIZE):
        with aws_errors("ssm.GetParameters"):
            answer = client.get_parameters(
                Names=list(names[start : start + BATCH_SIZE]), WithDecryption=True
            )
        found |= dict(_parameters(answer))
    return found


def _parameters(answer: Mapping[str, Any]) -> Iterator[tuple[str, Parameter]]:
    for each in answer["Parameters"]:
        yield each["Name"], Parameter(each["Value"], each["LastModifiedDate"])


def put(
    client: ParameterStore,
    name: str,
    value: str,
    *,
    kms_key: str,
    tags: Mapping[str, str],
    exists: bool,
) -> None:
    """Create an encrypted parameter, or change one that `exists`.

    Without a KMS key AWS takes its own, `aws/ssm`. Raises AwsError; ExistsError for one that
    exists after all, which stays as it is.
    """
    # A call that overwrites cannot have tags.
    new: dict[str, Any] = {"Overwrite": True} if exists else {}
    if tags and not exists:
        new = {"Tags": [{"Key": key, "Value": text} for key, text in tags.items()]}
    with aws_errors(f"ssm.PutParameter {name}", _refusal):
        client.put_parameter(
            Name=name,
            Value=value,
            Type="SecureString",
            Tier="Intelligent-Tiering",
            **({"KeyId": kms_key} if kms_key else {}),
            **new,
        )


def _refusal(where: str, code: str, message: str) -> AwsError:
    if code == "ParameterAlreadyExists":
        return ExistsError(
            where,
            "somebody else has made this parameter at the same time",
            "run the command again when they are done",
        )
    return refusal(where, code, message)
