"""The two Open edX instances of the demo: their settings, as an operator would write them. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

NAMES = ("acme", "beta")
PLUGINS = ("autoscale", "aws", "mfe", "secrets")
REGION = "eu-west-1"


def settings(number: int, authority: Path) -> dict[str, Any]:
    """The config.yml of instance `number` on the shared services of one platform.

    `authority` is the PEM file that the databases' certificates are verified with. Nobody
    connects to these endpoints: simulated pods run no program.
    """
    name = NAMES[number]
    return {
        "K8S_NAMESPACE": name,
        "LMS_HOST": f"learn.{name}.example.org",
        "CMS_HOST": f"studio.{name}.example.org",
        "AWS_REGION": REGION,
        "AWS_ROLE_ARN": f"arn:aws:iam::111122223333:role/openedx-{name}",
        "AWS_PLUGINS_ROLE_ARN": f"arn:aws:iam::111122223333:role/openedx-{name}-plugins",
        **databases(number, str(authority)),
        "AWS_S3": {
            "private_bucket": f"openedx-{name}-private-111122223333",
            "public_bucket": f"openedx-{name}-public-111122223333",
        },
    }


def databases(number: int, authority: str) -> dict[str, Any]:
    """Where instance `number` finds the services that it shares with the other."""
    domain = f"platform.{REGION}.example.internal"
    return {
        "AWS_MYSQL": {
            "host": f"mysql.{domain}",
            "reader_host": f"mysql-ro.{domain}",
            "ca_file": authority,
        },
        "AWS_REDIS": {
            "host": f"redis.{domain}",
            "username": NAMES[number],
            "celery_database": 2 * number,
            "cache_database": 2 * number + 1,
        },
        "AWS_MONGODB": {
            "hosts": [f"mongo-{letter}.{domain}" for letter in "abc"],
            "replica_set": "rs0",
            "ca_file": authority,
        },
        "AWS_OPENSEARCH": {"host": f"search.{domain}"},
        "AWS_NETWORK": {"data_cidrs": ["10.0.64.0/18"]},
    }


def secret_name(name: str) -> str:
    """The instance's secret in Secrets Manager: the secrets plugin's default."""
    return f"openedx/{name}"
