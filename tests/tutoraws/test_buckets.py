"""What an instance's buckets ask for, and that the reference shows it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tutoraws.buckets import PUBLIC_KEYS, cors, plugins_policy, public_policy, role_policy
from tutoraws.settings import S3, Cdn, Settings

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "aws.md"
S3_OF_ACME = S3(private_bucket="acme-private", public_bucket="acme-public")
ACME = Settings(region="eu-west-1", s3=S3_OF_ACME)
HOSTS = {"LMS_HOST": "learn.acme.org", "CMS_HOST": "studio.acme.org", "MFE_HOST": "apps.acme.org"}


def resources(policy: dict[str, Any]) -> set[str]:
    return {each for statement in policy["Statement"] for each in statement["Resource"]}


def test_a_role_has_its_own_buckets_only() -> None:
    """Their files, and which there are; not their rules, and no other bucket."""
    assert resources(role_policy(ACME)) == {
        "arn:aws:s3:::acme-private",
        "arn:aws:s3:::acme-private/*",
        "arn:aws:s3:::acme-public",
        "arn:aws:s3:::acme-public/*",
    }
    actions = [a for each in role_policy(ACME)["Statement"] for a in each["Action"]]
    assert not [
        action for action in actions if "*" in action or "Acl" in action or "Policy" in action
    ]


def test_a_bucket_of_its_own_for_photos_of_people() -> None:
    acme = replace(ACME, s3=replace(S3_OF_ACME, identity_bucket="acme-id"))
    added = resources(role_policy(acme)) - resources(role_policy(ACME))
    assert added == {"arn:aws:s3:::acme-id", "arn:aws:s3:::acme-id/*"}


def test_plugins_have_their_own_pictures_only() -> None:
    """Who gets into discovery reads no learner's files, and lists nobody's."""
    files, listing = plugins_policy(ACME)["Statement"]
    bucket = "arn:aws:s3:::acme-public"
    assert files["Resource"] == [f"{bucket}/credentials/*", f"{bucket}/discovery/*"]
    assert listing["Resource"] == [bucket]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["credentials/*", "discovery/*"]}}


def test_static_files_are_put_and_never_taken_away() -> None:
    """Pages of the release before still name them."""
    acme = replace(ACME, cdn=Cdn(mode="cloudfront", assets_bucket="acme-assets"))
    [statement] = [each for each in role_policy(acme)["Statement"] if each["Sid"] == "Assets"]
    assert statement["Action"] == ["s3:PutObject"]
    assert statement["Resource"] == ["arn:aws:s3:::acme-assets/*"]
    assert "arn:aws:s3:::acme-assets" in resources(role_policy(acme))


def test_without_s3_there_is_nothing_to_allow() -> None:
    """IAM refuses a statement about no resource."""
    acme = replace(ACME, s3=replace(S3_OF_ACME, enabled=False))
    assert role_policy(acme)["Statement"] == []


@pytest.mark.parametrize(
    ("region", "service", "partition"),
    [
        ("eu-west-1", "s3.eu-west-1.amazonaws.com", "aws"),
        ("cn-north-1", "s3.cn-north-1.amazonaws.com.cn", "aws-cn"),
    ],
)
def test_a_key_is_used_through_s3_only(region: str, service: str, partition: str) -> None:
    key = f"arn:{partition}:kms:{region}:123456789012:key/0a1b"
    statement = role_policy(replace(ACME, region=region), [key])["Statement"][-1]
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert statement["Resource"] == [key]
    assert statement["Condition"] == {"StringEquals": {"kms:ViaService": service}}


def test_everybody_reads_pictures_and_nothing_else() -> None:
    """Discovery's uploaded tables lie beside them, without a folder."""
    [statement] = public_policy(ACME)["Statement"]
    assert (statement["Principal"], statement["Action"]) == ("*", ["s3:GetObject"])
    assert statement["Resource"] == [f"arn:aws:s3:::acme-public/{key}" for key in PUBLIC_KEYS]
    assert "discovery/*" not in PUBLIC_KEYS
    assert "Condition" not in statement


def test_behind_cloudfront_nobody_else_reads() -> None:
    distribution = "arn:aws:cloudfront::123456789012:distribution/E1ABC"
    [statement] = public_policy(ACME, distribution)["Statement"]
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
    assert role_policy(ACME) in found
    assert plugins_policy(ACME) in found
    assert public_policy(ACME) in found
    assert cors({"ENABLE_HTTPS": True, **HOSTS}) in found
