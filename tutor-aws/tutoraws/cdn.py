"""CloudFront before LMS, Studio and MFEs: what the instance itself has to do for it.

The distribution is made elsewhere; docs/reference/aws.md says how it has to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tutorplatform.errors import ConfigError

from tutoraws.settings import Settings


def is_on(settings: Settings) -> bool:
    """Whether CloudFront is to stand before the instance."""
    return settings.cdn.mode == "cloudfront"


def hosts(settings: Settings, public: Iterable[str]) -> list[str]:
    """The hosts that Caddy serves: the `public` ones, and the one that CloudFront asks.

    ConfigError if that is a public one, since CloudFront would ask itself, and if pictures are
    to come from a public one that no CloudFront stands before.
    """
    served, origin = list(public), settings.cdn.origin_host
    if origin in served:
        raise ConfigError(
            "AWS_CDN.origin_host",
            f"{origin} is a public host, and CloudFront would ask itself",
            f"choose another name for the load balancer, such as origin.{origin}",
        )
    pictures = settings.s3.public_host.lower()
    if settings.s3.enabled and pictures in served and not is_on(settings):
        raise ConfigError(
            "AWS_S3.public_host",
            f"{pictures} is a public host, which serves no pictures without CloudFront before it",
            "name the host that serves the public bucket, or remove it: the bucket does then",
        )
    return [*served, origin] if origin else served


def check(settings: Settings, config: Mapping[str, Any]) -> None:
    """Raise ConfigError where no load balancer of ours could be asked by CloudFront."""
    if is_on(settings) and config["ENABLE_WEB_PROXY"]:
        raise ConfigError(
            "AWS_CDN.mode",
            "is 'cloudfront', but with ENABLE_WEB_PROXY Caddy has a load balancer and certificates "
            "of its own, for the public hosts that would lead to CloudFront",
            "set ENABLE_WEB_PROXY to false, or the mode to 'none'",
        )
