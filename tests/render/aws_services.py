"""Services outside the cluster, as the tests of the aws plugin configure them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# As long as real ones, and with the `=` that a certificate's text may hold.
CERTIFICATE = (
    "-----BEGIN CERTIFICATE-----\n" + ("A" * 64 + "\n") * 20 + "AA==\n-----END CERTIFICATE-----\n"
)
PASSWORD = "a/b+c%d!&#$^<>-"  # What ElastiCache allows, and more.


def external_services(ca_file: Path) -> dict[str, Any]:
    """One set of shared services, for every instance the same."""
    hosts = ["mongo-a.test", "mongo-b.test", "mongo-c.test"]
    return {
        "AWS_REGION": "eu-west-1",
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/openedx",
        "AWS_PLUGINS_ROLE_ARN": "arn:aws:iam::123456789012:role/openedx-plugins",
        "AWS_MYSQL": {"host": "db.test", "reader_host": "db-ro.test", "ca_file": str(ca_file)},
        "AWS_REDIS": {"host": "cache.test", "username": "openedx"},
        "AWS_MONGODB": {"hosts": hosts, "replica_set": "rs0", "ca_file": str(ca_file)},
        "AWS_OPENSEARCH": {"host": "search.test"},
        "AWS_NETWORK": {"data_cidrs": ["10.0.64.0/20"]},
        "AWS_S3": {"private_bucket": "private", "public_bucket": "public", "public_host": "cdn"},
        "AWS_SES": {"configuration_set": "events"},
        "REDIS_PASSWORD": PASSWORD,
        "MONGODB_PASSWORD": PASSWORD,
        "OPENSEARCH_PASSWORD": PASSWORD,
    }
