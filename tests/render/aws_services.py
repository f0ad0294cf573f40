"""Services outside the cluster, as the tests of the aws plugin configure them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# A real one, of an authority whose key is gone, with the `=` that its text may hold.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIICuDCCAaCgAwIBAgIBATANBgkqhkiG9w0BAQsFADAUMRIwEAYDVQQDDAlEYXRh
YmFzZXMwIBcNMjQwMTAxMDAwMDAwWhgPMjEyNDAxMDEwMDAwMDBaMBQxEjAQBgNV
BAMMCURhdGFiYXNlczCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAKMd
w2Ti/92+zcBlfCkeBIjQrlIdmOE+398X5Q8shzon+0VmRBlLwiazWLuf2/wothSh
z3Jv0GnHQTgRtznfJxeCxB3hG584n5Aa7UqtNuLGt/dH3ihUJokXFyEdN7EzG4t9
cIUaTn2lHHZAZ6ch83Fx1SBUuqUYTUeDeQKbdcOy0Ed74qb1jvk9UPHNoyzKjjLk
RnPAdZlrrgaa+S2ciPpQFj668zwKXqKDcZB3j1t2MoZTw+t7nloeOJHjRgDZqTy5
uXtftFfcWwd90z4g5S3MC0HIPnbnLvC+a9q/3agBH4LdFEGdF0acBE+A/bIPCsES
EAvxYYrrcFNNxZEheyUCAwEAAaMTMBEwDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG
9w0BAQsFAAOCAQEAaapjq804VjU0O88g+vTf6Dp8ISpdC1TbUONf58ZamINyCiT7
NRMo8Oog2n19CHoHW0+0pVthI4DvXNcw0SLn8jTRIpjqbu4KXUiHRPfezDE35m3u
VsCkyHIxxEOp6moxLr8kDfDG2o9d3edfzlzidbjlfTbOqVU02emCAtru74cqN5Ew
BhWrFw5hpcr2evppNzpsvx4cjg3pkeb3N5r+XAe/4LUT9r0ywd7tG0DSnAy4k5jH
E82TRnMIjjdrsISLO2M4y+fGo6Zs2tiw91Q1nrNZV4P2Dzmg42OajaRTRxPnIPqB
ufKEnuY1+aEPjlpGlaOc66T5led2/NTkt0udjQ==
-----END CERTIFICATE-----
"""
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
