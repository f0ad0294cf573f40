"""The types that settings are made of: text and numbers, each with its rule."""

from __future__ import annotations

from typing import Annotated

from tutorplatform.config import Between, Form

Host = Annotated[
    str,
    Form(
        r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?",
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
