"""SES: its hosts, and the policy of who sends with it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import boto3
import pytest
from tutoraws.mail import Mail, api_host, is_in, mail_policy, smtp_host

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "aws.md"
ACME = Mail("eu-west-1", "123456789012", ["acme.org"], "acme-events")


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "cn-north-1"])
def test_the_host_is_the_one_that_aws_own_library_has(region: str) -> None:
    client = boto3.client("ses", region, aws_access_key_id="x", aws_secret_access_key="x")
    assert client.meta.endpoint_url == f"https://{api_host(region)}"


def test_where_ses_is() -> None:
    """As AWS' own library has it."""
    session = boto3.Session()
    assert not session.get_available_regions("ses", "aws-cn")
    assert not is_in("cn-north-1")
    for partition in ("aws", "aws-us-gov"):
        regions = session.get_available_regions("ses", partition)
        assert [region for region in regions if not is_in(region)] == []
    assert smtp_host("us-gov-west-1") == "email-smtp.us-gov-west-1.amazonaws.com"
    assert smtp_host("") == ""


def test_one_instance_cannot_send_in_the_name_of_another() -> None:
    statements = {each["Sid"]: each for each in mail_policy(ACME)["Statement"]}
    own = "arn:aws:ses:eu-west-1:123456789012:"
    assert statements["Mail"]["Resource"] == [
        f"{own}identity/acme.org",
        f"{own}configuration-set/acme-events",
    ]
    assert statements["Mail"]["Condition"] == {"StringLike": {"ses:FromAddress": ["*@acme.org"]}}
    assert statements["Quota"]["Action"] == ["ses:GetSendQuota"]


def test_a_single_sender() -> None:
    """Where not the domain but an address is verified, in another partition."""
    policy = mail_policy(Mail("us-gov-west-1", "1", ["learn@acme.org"]))
    assert policy["Statement"][0]["Resource"] == [
        "arn:aws-us-gov:ses:us-gov-west-1:1:identity/learn@acme.org"
    ]
    assert policy["Statement"][0]["Condition"]["StringLike"] == {
        "ses:FromAddress": ["learn@acme.org"]
    }


def test_the_reference_has_the_policy() -> None:
    """It is copied from there to IAM by hand."""
    blocks = re.findall(r"```json\n(.*?)```", REFERENCE.read_text(encoding="utf-8"), re.DOTALL)
    assert mail_policy(ACME) in [json.loads(block) for block in blocks]
