"""What an instance behind CloudFront has to do, and what it cannot."""

from typing import Any

import pytest
from tutoraws import cdn, settings
from tutorplatform.errors import ConfigError

CLOUDFRONT = {"mode": "cloudfront", "assets_bucket": "acme-assets", "origin_host": "origin.a.test"}


def test_cloudfront_has_a_host_to_ask() -> None:
    """Beside the public ones, and none without it."""
    with_cloudfront = settings.read({"AWS_CDN": CLOUDFRONT})
    assert cdn.hosts(with_cloudfront, ["learn.a.test"]) == ["learn.a.test", "origin.a.test"]
    assert cdn.hosts(settings.Settings(), ["learn.a.test"]) == ["learn.a.test"]


def test_cloudfront_may_not_ask_itself() -> None:
    with pytest.raises(ConfigError, match=r"AWS_CDN.origin_host: origin.a.test is a public host"):
        cdn.hosts(settings.read({"AWS_CDN": CLOUDFRONT}), ["origin.a.test"])


def test_a_host_of_the_instance_serves_pictures_behind_cloudfront_only() -> None:
    """There is a behaviour for them; Caddy knows nothing of the bucket."""
    pictures = {"public_host": "Learn.a.test"}
    with pytest.raises(ConfigError, match=r"^AWS_S3.public_host: learn.a.test is a public host"):
        cdn.hosts(settings.read({"AWS_S3": pictures}), ["learn.a.test"])
    both = settings.read({"AWS_CDN": CLOUDFRONT, "AWS_S3": pictures})
    assert cdn.hosts(both, ["learn.a.test"]) == ["learn.a.test", "origin.a.test"]
    elsewhere = settings.read({"AWS_S3": {"public_host": "cdn.a.test"}})
    assert cdn.hosts(elsewhere, ["learn.a.test"]) == ["learn.a.test"]
    off = settings.read({"AWS_S3": {**pictures, "enabled": False}})
    assert cdn.hosts(off, ["learn.a.test"]) == ["learn.a.test"]


def test_cloudfront_stands_before_our_own_load_balancer() -> None:
    """Not before Tutor's, which wants the public hosts' certificates for itself."""
    with_cloudfront = settings.read({"AWS_CDN": CLOUDFRONT})
    with pytest.raises(ConfigError, match=r"AWS_CDN.mode: is 'cloudfront', but with ENABLE_WEB"):
        cdn.check(with_cloudfront, {"ENABLE_WEB_PROXY": True})
    cdn.check(with_cloudfront, {"ENABLE_WEB_PROXY": False})
    cdn.check(settings.Settings(), {"ENABLE_WEB_PROXY": True})


@pytest.mark.parametrize(
    ("change", "position"),
    [
        pytest.param({}, -3, id="load balancer and ingress controller"),
        pytest.param({"AWS_CDN": CLOUDFRONT}, -4, id="CloudFront too"),
        pytest.param({"AWS_INGRESS": {"proxies": 1}}, -2, id="one proxy"),
        pytest.param({"AWS_INGRESS": {"proxies": 0}}, -1, id="none"),
    ],
)
def test_the_client_is_left_of_what_our_proxies_add(change: dict[str, Any], position: int) -> None:
    assert settings.read(change).client_address == position
