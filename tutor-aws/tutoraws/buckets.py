"""What an instance's buckets ask for: who may read and write them, and from which pages.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tutoraws.policies import Policy, partition
from tutoraws.settings import S3

# What everybody may read. Discovery keeps uploaded tables beside its pictures: they stay unread.
PUBLIC_KEYS = (
    "credentials/*",
    "discovery/media/*",
    "discovery/organization/*",
    "profile-images/*",
    "video-images/*",
)


def role_policy(s3: S3, region: str, kms_keys: Iterable[str] = ()) -> Policy:
    """The IAM policy of an instance's role: its own buckets, and the keys (ARNs) they may have."""
    names = [name for name in (s3.private_bucket, s3.public_bucket, s3.identity_bucket) if name]
    buckets = [_arn(region, name) for name in names]
    actions = ["AbortMultipartUpload", "DeleteObject", "GetObject", "PutObject"]
    statements = [
        {
            "Sid": "Files",
            "Effect": "Allow",
            "Action": [f"s3:{action}" for action in actions],
            "Resource": [f"{bucket}/*" for bucket in buckets],
        },
        # Without it S3 says "forbidden" where a file is absent, and the platform gives up.
        {"Sid": "Lists", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": buckets},
    ]
    keys = list(kms_keys)
    if keys:
        statements.append(_encryption(region, keys))
    return {"Version": "2012-10-17", "Statement": statements}


def public_policy(s3: S3, region: str, distribution: str = "") -> Policy:
    """The bucket policy of the public bucket.

    `distribution` is the ARN of a CloudFront distribution that alone may read; without it
    everybody may.
    """
    bucket = _arn(region, s3.public_bucket)
    statement: dict[str, Any] = {
        "Sid": "Pictures",
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"} if distribution else "*",
        "Action": ["s3:GetObject"],
        "Resource": [f"{bucket}/{key}" for key in PUBLIC_KEYS],
    }
    if distribution:
        statement["Condition"] = {"StringEquals": {"AWS:SourceArn": distribution}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def cors(config: Mapping[str, Any]) -> dict[str, Any]:
    """The private bucket's rules for pages that send files to it, as `PutBucketCors` takes them."""
    scheme = "https" if config["ENABLE_HTTPS"] else "http"
    hosts = [config["LMS_HOST"], config["CMS_HOST"], config.get("MFE_HOST")]
    rule = {
        "AllowedOrigins": [f"{scheme}://{host}" for host in hosts if host],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["*"],
        "MaxAgeSeconds": 3600,
    }
    return {"CORSRules": [rule]}


def _encryption(region: str, keys: list[str]) -> Policy:
    domain = "amazonaws.com.cn" if partition(region) == "aws-cn" else "amazonaws.com"
    return {
        "Sid": "Keys",
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": keys,
        "Condition": {"StringEquals": {"kms:ViaService": f"s3.{region}.{domain}"}},
    }


def _arn(region: str, bucket: str) -> str:
    return f"arn:{partition(region)}:s3:::{bucket}"
