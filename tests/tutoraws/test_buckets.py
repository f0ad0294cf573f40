"""What an instance's buckets ask for, and that the reference shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tutoraws.buckets import PUBLIC_KEYS, cors, public_policy, role_policy
from tutoraws.settings import S3

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "aws.md"
ACME = S3(private_bucket="acme-private", public_bucket="acme-public")
REGION = "eu-west-1"
HOSTS = {"LMS_HOST": "learn.acme.org", "CMS_HOST": "studio.acme.org", "MFE_HOST": "apps.acme.org"}


def resources(policy: dict[str, Any]) -> set[str]:
    return {each for statement in policy["Statement"] for each in statement["Resource"]}


def test_a_role_has_its_own_buckets_only() -> None:
    """Their files, and which there are; not their rules, and no other bucket."""
    assert resources(role_policy(ACME, REGION)) == {
        "arn:aws:s3:::acme-private",
        "arn:aws:s3:::acme-private/*",
        "arn:aws:s3:::acme-public",
        "arn:aws:s3:::acme-public/*",
    }
    actions = [a for each in role_policy(ACME, REGION)["Statement"] for a in each["Action"]]
    assert not [
        action for action in actions if "*" in action or "Acl" in action or "Policy" in action
    ]


def test_a_bucket_of_its_own_for_photos_of_people() -> None:
    s3 = S3(private_bucket="acme-private", public_bucket="acme-public", identity_bucket="acme-id")
    added = resources(role_policy(s3, REGION)) - resources(role_policy(ACME, REGION))
    assert added == {"arn:aws:s3:::acme-id", "arn:aws:s3:::acme-id/*"}


@pytest.mark.parametrize(
    ("region", "service", "partition"),
    [
        (REGION, "s3.eu-west-1.amazonaws.com", "aws"),
        ("cn-north-1", "s3.cn-north-1.amazonaws.com.cn", "aws-cn"),
    ],
)
def test_a_key_is_used_through_s3_only(region: str, service: str, partition: str) -> None:
    key = f"arn:{partition}:kms:{region}:123456789012:key/0a1b"
    statement = role_policy(ACME, region, [key])["Statement"][-1]
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert statement["Resource"] == [key]
    assert statement["Condition"] == {"StringEquals": {"kms:ViaService": service}}


def test_everybody_reads_pictures_and_nothing_else() -> None:
    """Discovery's uploaded tables lie beside them, without a folder."""
    [statement] = public_policy(ACME, REGION)["Statement"]
    assert (statement["Principal"], statement["Action"]) == ("*", ["s3:GetObject"])
    assert statement["Resource"] == [f"arn:aws:s3:::acme-public/{key}" for key in PUBLIC_KEYS]
    assert "discovery/*" not in PUBLIC_KEYS
    assert "Condition" not in statement


def test_behind_cloudfront_nobody_else_reads() -> None:
    distribution = "arn:aws:cloudfront::123456789012:distribution/E1ABC"
    [statement] = public_policy(ACME, REGION, distribution)["Statement"]
    assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"AWS:SourceArn": distribution}}


def test_pages_of_the_instance_send_files() -> None:
    """Those of no other: a page elsewhere cannot read what a link gives."""
    [rule] = cors({"ENABLE_HTTPS": True, **HOSTS})["CORSRules"]
    assert rule["AllowedOrigins"] == [f"https://{host}" for host in HOSTS.values()]
    assert rule["AllowedMethods"] == ["GET", "PUT"]


def test_without_mfes_and_https() -> None:
    config = {"ENABLE_HTTPS": False, "LMS_HOST": "l.test", "CMS_HOST": "c.test"}
    [rule] = cors(config)["CORSRules"]
    assert rule["AllowedOrigins"] == ["http://l.test", "http://c.test"]


def test_the_reference_shows_them() -> None:
    """As the code makes them, for an instance called acme."""
    shown = re.findall(r"^```json\n(.*?)^```$", REFERENCE.read_text(), re.DOTALL | re.MULTILINE)
    found = [json.loads(each) for each in shown]
    assert role_policy(ACME, REGION) in found
    assert public_policy(ACME, REGION) in found
    assert cors({"ENABLE_HTTPS": True, **HOSTS}) in found
