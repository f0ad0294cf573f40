"""Edge: looks for secret values wherever a launch may have left them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import boto3

from demo import instances, scan
from demo.report import Checks
from demo.view import View

# Values that every instance of the demo needs, so they must turn up in its Secrets.
IN_USE = {
    "JWT_RSA_PRIVATE_KEY.d",
    "MEILISEARCH_MASTER_KEY",
    "MONGODB_PASSWORD",
    "OPENEDX_MYSQL_PASSWORD",
    "OPENEDX_SECRET_KEY",
    "OPENSEARCH_PASSWORD",
    "REDIS_PASSWORD",
}

# (instance, place, how many were looked at, how many secret values were found there)
Row = tuple[str, str, int, int]


def stored_values(environment: Mapping[str, str], name: str) -> dict[str, str]:
    """Key → value of an instance's secret in Secrets Manager."""
    client = boto3.client(
        "secretsmanager",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    answer = client.get_secret_value(SecretId=instances.secret_name(name))
    return {key: str(value) for key, value in json.loads(answer["SecretString"]).items()}


def audit(
    view: View, name: str, folders: Mapping[str, Path], stored: Mapping[str, str], checks: Checks
) -> list[Row]:
    """Check that an instance's values are in Kubernetes Secrets and nowhere else; a row a place.

    `folders` are those that a launch writes to, by what they are called.
    """
    values = scan.with_derived(stored)
    objects = view.objects(name)
    secrets = scan.secret_texts(objects)
    held = {key for key, value in values.items() if scan.leaks(secrets, {key: value})}
    # A scan that finds nothing anywhere would be broken.
    claim = f"the secrets of {name} are in Kubernetes Secrets"
    checks.check(claim, held >= IN_USE, f"{len(held)}")
    rows = [(name, "Kubernetes Secrets", len(secrets), len(held))]
    elsewhere = {
        "other Kubernetes objects": scan.object_texts(objects),
        **{place: dict(scan.files_below(folder)) for place, folder in folders.items()},
    }
    for place, texts in elsewhere.items():
        leaked = scan.leaks(texts, values)
        checks.check(f"no secret of {name} in {place}", not leaked, ", ".join(sorted(leaked)))
        rows.append((name, place, len(texts), len(leaked)))
    return rows
