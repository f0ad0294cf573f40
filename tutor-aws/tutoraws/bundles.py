"""Bundles of the certificate authorities (CA) that sign the servers of Amazon RDS, per region.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html
https://docs.amazonaws.cn/en_us/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Any

from tutorplatform.errors import PlatformError

from tutoraws.policies import partition

HOSTS = {
    "aws": "truststore.pki.rds.amazonaws.com",
    "aws-us-gov": "truststore.pki.us-gov-west-1.rds.amazonaws.com",
    "aws-cn": "rds-truststore.s3.cn-north-1.amazonaws.com.cn",
}


@dataclass(frozen=True)
class Authority:
    """A certificate authority, by its common name, and the last day of its certificate."""

    name: str
    expires: date


@dataclass(frozen=True)
class Bundle:
    """The text of a PEM file, and who is in it."""

    text: str
    authorities: frozenset[Authority]

    @property
    def sha256(self) -> str:
        """As `sha256sum` shows it of the file."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def file_name(region: str) -> str:
    """What AWS calls the bundle, and we the file."""
    return f"{region}-bundle.pem"


def url(region: str) -> str:
    """Where AWS has the bundle. China and GovCloud have trust stores of their own."""
    return f"https://{HOSTS[partition(region)]}/{region}/{file_name(region)}"


def bundle(text: str, where: str) -> Bundle:
    """The bundle of this text. PlatformError, with `where` it is from, if it is none."""
    store = trusting(text)
    found = frozenset(_authority(each) for each in store.get_ca_certs()) if store else frozenset()
    if not found or "PRIVATE KEY" in text:
        raise _no_bundle(where)
    return Bundle(text, found)


def trusting(text: str) -> ssl.SSLContext | None:
    """What trusts the certificates of this PEM text; None if there are none, or one is broken."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        return None
    return context


def _no_bundle(where: str) -> PlatformError:
    return PlatformError(
        where,
        "is no PEM file of certificate authorities, and was not kept",
        "if something on the way answers in AWS' place (a proxy, a login page), go around it",
    )


def _authority(certificate: dict[str, Any]) -> Authority:
    names = dict(pair for part in certificate["subject"] for pair in part)
    expires = ssl.cert_time_to_seconds(certificate["notAfter"])
    return Authority(
        names.get("commonName", "(no name)"), datetime.fromtimestamp(expires, timezone.utc).date()
    )


def report(path: str, new: Bundle, old: Bundle | None) -> str:
    """What is in the file now, and what that changes."""
    count = len(new.authorities)
    first = min(authority.expires for authority in new.authorities)
    return "\n".join(
        [
            f"{path}: {_change(new, old)}",
            f"SHA-256: {new.sha256}",
            f"certificate authorities: {count}, the first expires on {first}",
            *(f"  added: {name}" for name in _names(new, old)),
            *(f"  gone: {name}" for name in _names(old, new)),
        ]
    )


def _change(new: Bundle, old: Bundle | None) -> str:
    if old is None:
        return "new"
    return "unchanged" if old.text == new.text else "changed"


def _names(these: Bundle | None, others: Bundle | None) -> list[str]:
    """Names in these and not in the others; of none, if there is only one of them."""
    if these is None or others is None:
        return []
    return sorted(authority.name for authority in these.authorities - others.authorities)
