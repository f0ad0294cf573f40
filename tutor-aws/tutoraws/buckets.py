"""What an instance's buckets ask for: who may read and write them, and from which pages.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tutoraws.clients import WITH_FILES
from tutoraws.policies import Policy, partition
from tutoraws.settings import Settings

# What everybody may read. Discovery keeps uploaded tables beside its pictures: they stay unread.
PUBLIC_KEYS = (
    "credentials/*",
    "discovery/media/*",
    "discovery/organization/*",
    "profile-images/*",
    "video-images/*",
)
FILES = ["AbortMultipartUpload", "DeleteObject", "GetObject", "PutObject"]


def role_policy(settings: Settings, kms_keys: Iterable[str] = ()) -> Policy:
    """The IAM policy of an instance's role: its own buckets, and the keys (ARNs) they may have."""
    s3, cdn = settings.s3, settings.cdn
    names = (s3.private_bucket, s3.public_bucket, s3.identity_bucket) if s3.enabled else ()
    files = [_arn(settings, name) for name in names if name]
    # They are put there, and stay.
    assets = [_arn(settings, cdn.assets_bucket)] if cdn.assets_bucket else []
    statements = [
        _statement("Files", FILES, [f"{bucket}/*" for bucket in files]),
        # Without it S3 says "forbidden" where a file is absent, and the platform gives up.
        _statement("Lists", ["ListBucket"], [*files, *assets]),
        _statement("Assets", ["PutObject"], [f"{bucket}/*" for bucket in assets]),
        _encryption(settings.region, list(kms_keys)),
    ]
    return {"Version": "2012-10-17", "Statement": [each for each in statements if each["Resource"]]}


def plugins_policy(settings: Settings, kms_keys: Iterable[str] = ()) -> Policy:
    """The IAM policy of the role that credentials and discovery have: their own pictures."""
    bucket = _arn(settings, settings.s3.public_bucket)
    own = sorted({f"{key.split('/')[0]}/*" for key in PUBLIC_KEYS if key.startswith(WITH_FILES)})
    listing = _statement("Lists", ["ListBucket"], [bucket])
    listing["Condition"] = {"StringLike": {"s3:prefix": own}}
    statements = [
        _statement("Files", FILES, [f"{bucket}/{key}" for key in own]),
        listing,
        _encryption(settings.region, list(kms_keys)),
    ]
    return {"Version": "2012-10-17", "Statement": [each for each in statements if each["Resource"]]}


def public_policy(settings: Settings, distribution: str = "") -> Policy:
    """The bucket policy of the public bucket.

    `distribution` is the ARN of a CloudFront distribution that alone may read; without it
    everybody may.
    """
    bucket = _arn(settings, settings.s3.public_bucket)
    keys = [f"{bucket}/{key}" for key in PUBLIC_KEYS]
    statement = _statement("Pictures", ["GetObject"], keys)
    statement["Principal"] = {"Service": "cloudfront.amazonaws.com"} if distribution else "*"
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


def _statement(sid: str, actions: list[str], resources: list[str]) -> Policy:
    named = [f"s3:{action}" for action in actions]
    return {"Sid": sid, "Effect": "Allow", "Action": named, "Resource": resources}


def _arn(settings: Settings, bucket: str) -> str:
    return f"arn:{partition(settings.region)}:s3:::{bucket}"
