"""Secrets Manager: few calls, and errors that say which secret."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from tutoraws.services import secretsmanager
from tutoraws.services.secretsmanager import LABEL, ChangedError, Secret
from tutoraws.services.session import AwsError


@pytest.fixture
def client() -> Any:
    return boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1"
    ).client("secretsmanager")


CREATED = datetime(2026, 1, 1, tzinfo=timezone.utc)
# As long as AWS' own, which boto3 insists on.
VERSION = "read-4-of-12-00000000000000000000"
MADE = "made-4-of-12-00000000000000000000"
PUT = {"SecretId": "a", "SecretString": "{}", "VersionStages": [LABEL]}


def found(*names: str) -> list[dict[str, Any]]:
    return [
        {
            "Name": name,
            "ARN": f"arn:aws:secretsmanager:{name}-AbCdEf",
            "SecretString": f"of {name}",
            "CreatedDate": CREATED,
            "VersionId": VERSION,
        }
        for name in names
    ]


def secret(text: str) -> Secret:
    return Secret(text, CREATED, VERSION)


def test_twenty_names_go_into_one_call(client: Any) -> None:
    """The API takes 20 at a time; the 21st costs another call."""
    names = [f"s{number}" for number in range(21)]
    with Stubber(client) as stub:
        for chunk in (names[:20], names[20:]):
            stub.add_response(
                "batch_get_secret_value", {"SecretValues": found(*chunk)}, {"SecretIdList": chunk}
            )
        assert secretsmanager.read(client, names) == {name: secret(f"of {name}") for name in names}
        stub.assert_no_pending_responses()


def test_no_names_need_no_call(client: Any) -> None:
    """Nothing to read."""
    with Stubber(client):
        assert secretsmanager.read(client, []) == {}


def test_an_absent_secret_is_absent(client: Any) -> None:
    """Not there is an answer, not an error."""
    error = {"SecretId": "b", "ErrorCode": "ResourceNotFoundException", "Message": "no"}
    with Stubber(client) as stub:
        stub.add_response("batch_get_secret_value", {"SecretValues": found("a"), "Errors": [error]})
        assert secretsmanager.read(client, ["a", "b"]) == {"a": secret("of a")}


def test_a_secret_is_known_by_what_it_was_asked_for(client: Any) -> None:
    """By its ARN, where settings give one."""
    arn = found("a")[0]["ARN"]
    with Stubber(client) as stub:
        stub.add_response("batch_get_secret_value", {"SecretValues": found("a")})
        assert secretsmanager.read(client, [arn]) == {arn: secret("of a")}


def test_one_refused_secret_refuses_all(client: Any) -> None:
    """Half of the values are no use."""
    error = {"SecretId": "b", "ErrorCode": "AccessDeniedException", "Message": "no"}
    with Stubber(client) as stub:
        stub.add_response("batch_get_secret_value", {"SecretValues": found("a"), "Errors": [error]})
        with pytest.raises(AwsError) as caught:
            secretsmanager.read(client, ["a", "b"])
    assert str(caught.value) == (
        "secretsmanager.GetSecretValue b: AccessDeniedException; "
        "allow this action for your user or role"
    )


@pytest.mark.parametrize(
    ("operation", "call", "where"),
    [
        pytest.param(
            "batch_get_secret_value",
            lambda client: secretsmanager.read(client, ["acme"]),
            "secretsmanager.BatchGetSecretValue",
            id="read",
        ),
        pytest.param(
            "create_secret",
            lambda client: secretsmanager.create(
                client, "acme", "s3cret", description="d", kms_key="", tags={}
            ),
            "secretsmanager.CreateSecret acme",
            id="create",
        ),
        pytest.param(
            "put_secret_value",
            lambda client: secretsmanager.update(client, "acme", "s3cret", instead_of=VERSION),
            "secretsmanager.PutSecretValue acme",
            id="update",
        ),
    ],
)
def test_a_refusal_names_call_and_secret(
    client: Any, operation: str, call: Any, where: str
) -> None:
    """And quotes no message, which may quote the value."""
    with Stubber(client) as stub:
        stub.add_client_error(operation, "ThrottlingException", "s3cret is what you sent")
        with pytest.raises(AwsError) as caught:
            call(client)
    assert str(caught.value) == f"{where}: ThrottlingException; run the command again"


def test_binary_secrets_are_empty_texts(client: Any) -> None:
    """They hold no JSON; the plugin refuses them by name."""
    with Stubber(client) as stub:
        stub.add_response(
            "batch_get_secret_value",
            {
                "SecretValues": [
                    {
                        "Name": "a",
                        "ARN": "arn:aws:secretsmanager:a",
                        "SecretBinary": b"x",
                        "CreatedDate": CREATED,
                        "VersionId": VERSION,
                    }
                ]
            },
        )
        assert secretsmanager.read(client, ["a"]) == {"a": secret("")}


def test_a_secret_that_is_being_deleted(client: Any) -> None:
    """The code alone would not say what to do."""
    message = "You can't perform this operation on the secret because it was marked for deletion."
    error = {"SecretId": "a", "ErrorCode": "InvalidRequestException", "Message": message}
    with Stubber(client) as stub:
        stub.add_response("batch_get_secret_value", {"SecretValues": [], "Errors": [error]})
        with pytest.raises(AwsError, match="aws secretsmanager restore-secret"):
            secretsmanager.read(client, ["a"])
        stub.add_client_error("put_secret_value", "InvalidRequestException", message)
        with pytest.raises(AwsError, match=r"^secretsmanager\.PutSecretValue a: .*deletion"):
            secretsmanager.update(client, "a", "{}", instead_of=VERSION)


def test_a_new_version_takes_the_place_of_the_one_that_was_read(client: Any) -> None:
    """And of no other: until then it is nobody's current one."""
    moved = {
        "SecretId": "a",
        "VersionStage": "AWSCURRENT",
        "MoveToVersionId": MADE,
        "RemoveFromVersionId": VERSION,
    }
    with Stubber(client) as stub:
        stub.add_response("put_secret_value", {"VersionId": MADE}, PUT)
        stub.add_response("update_secret_version_stage", {}, moved)
        secretsmanager.update(client, "a", "{}", instead_of=VERSION)
        stub.assert_no_pending_responses()


def test_who_was_quicker_is_not_overwritten(client: Any) -> None:
    with Stubber(client) as stub:
        stub.add_response("put_secret_value", {"VersionId": MADE}, PUT)
        stub.add_client_error(
            "update_secret_version_stage", "InvalidParameterException", "attached to another one"
        )
        with pytest.raises(ChangedError, match="somebody else has written this secret at the same"):
            secretsmanager.update(client, "a", "{}", instead_of=VERSION)


def test_a_request_that_aws_does_not_understand_is_no_conflict(client: Any) -> None:
    """It has the same code, from another call."""
    with Stubber(client) as stub:
        stub.add_client_error("put_secret_value", "InvalidParameterException", "s3cret is bad")
        with pytest.raises(AwsError, match=r"PutSecretValue a: InvalidParameterEx") as caught:
            secretsmanager.update(client, "a", "{}", instead_of=VERSION)
    assert not isinstance(caught.value, ChangedError)


def test_who_made_the_secret_first_keeps_it(client: Any) -> None:
    with Stubber(client) as stub:
        stub.add_client_error("create_secret", "ResourceExistsException", "already exists")
        with pytest.raises(ChangedError):
            secretsmanager.create(client, "a", "{}", description="d", kms_key="", tags={})


def test_secrets_hide_themselves() -> None:
    assert "s3cret" not in repr(secret("s3cret"))
