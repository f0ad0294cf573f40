"""The types that settings are made of: text and numbers, each with its rule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from tutorplatform.config import Between, Form
from tutorplatform.errors import ConfigError

LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
HOST = rf"{LABEL}(\.{LABEL})*"
Host = Annotated[
    str,
    Form(
        HOST,
        "a host name (without scheme and port)",
        "db.acme.internal",
    ),
]
Port = Annotated[int, Between(1, 65535)]
# The range of ElastiCache's `databases` parameter; Redis itself has 16.
DatabaseIndex = Annotated[int, Between(0, 1_199_999)]
# Relative to the Tutor root, so that this one can be moved, and kept in Git.
File = Annotated[str, Form(r"\S.*", "a path", "eu-west-1-bundle.pem")]
# Without dots: S3's own certificate does not cover bucket names with dots.
Bucket = Annotated[
    str,
    Form(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", "a bucket name (without dots)", "acme-private"),
]

OCTET = r"(25[0-5]|2[0-4]\d|1?\d?\d)"
CIDR = rf"{OCTET}(\.{OCTET}){{3}}/(3[0-2]|[12]?\d)"
Cidr = Annotated[str, Form(CIDR, "a range of IPv4 addresses", "10.0.0.0/16")]
PORT = r"(6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})"
Destination = Annotated[
    str, Form(rf"{CIDR}:{PORT}", "a range and a port (1 to 65535)", "203.0.113.7/32:636")
]

Annotation = Annotated[
    str,
    Form(
        r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?",
        "the name of an annotation",
        "nginx.ingress.kubernetes.io/proxy-body-size",
    ),
]
RoleArn = Annotated[
    str,
    Form(
        r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+",
        "the ARN of an IAM role",
        "arn:aws:iam::123456789012:role/acme",
    ),
]
CertificateArn = Annotated[
    str,
    Form(
        r"arn:aws[a-z-]*:(acm:[a-z0-9-]+:\d{12}:certificate|iam::\d{12}:server-certificate)/[\w/.-]+",
        "the ARN of a certificate",
        "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f",
    ),
]
# In lower case, as hosts are compared.
CertificateName = Annotated[
    str,
    Form(
        r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+",
        "a name that a certificate is for",
        "*.acme.org",
    ),
]
Name = Annotated[str, Form(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "a name on Kubernetes", "platform")]
SecretId = Annotated[
    str, Form(r"[\w/+=.@!:-]+", "the name or ARN of a secret in Secrets Manager", "openedx/mysql")
]


@dataclass(frozen=True)
class HeaderValue:
    """A rule for a secret in Caddy's file. It never shows what it refuses."""

    def check(self, value: str, where: str) -> None:
        """Raise ConfigError unless `value` is empty, long, and of characters that mean nothing."""
        if value and not re.fullmatch(r"[\w.+/=-]{16,}", value, re.ASCII):
            raise ConfigError(
                where,
                "is shorter than 16 characters, or has others than letters, digits and _ . + / = -",
                "make one up with `openssl rand -hex 32`",
            )
