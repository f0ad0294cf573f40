"""Where the platform's tasks wait."""

from __future__ import annotations

from typing import Any

import pytest
from kombu.transport.redis import Channel
from tutorplatform.broker import SEPARATOR, STEPS, Broker, broker, lists
from tutorplatform.errors import ConfigError

CONFIG: dict[str, Any] = {
    "K8S_NAMESPACE": "acme",
    "REDIS_HOST": "redis",
    "REDIS_PORT": 6379,
    "REDIS_USERNAME": "",
    "REDIS_PASSWORD": "",
    "OPENEDX_CELERY_REDIS_DB": 0,
}


@pytest.mark.parametrize(
    ("host", "expected"),
    [("redis", "redis.acme"), ("cache.example.com", "cache.example.com")],
)
def test_others_find_it_too(host: str, expected: str) -> None:
    """A Service of the instance has its namespace's name behind it."""
    assert broker({**CONFIG, "REDIS_HOST": host}) == Broker(expected, 6379, 0)


@pytest.mark.parametrize("key", ["REDIS_PORT", "OPENEDX_CELERY_REDIS_DB"])
def test_what_is_no_number_is_refused(key: str) -> None:
    """With the name of the setting."""
    with pytest.raises(ConfigError, match=f"{key}: 'abc' is not a whole number; write one"):
        broker({**CONFIG, key: "abc"})


@pytest.mark.parametrize("host", [None, 1])
def test_a_host_that_is_none_is_refused(host: Any) -> None:
    """It would be looked up by its Python name."""
    with pytest.raises(ConfigError, match=f"REDIS_HOST: {host!r} is not a host; write its name"):
        broker({**CONFIG, "REDIS_HOST": host})


def test_a_queue_is_a_list_per_step() -> None:
    """The first has the queue's name alone; all have the prefix."""
    found = lists(Broker("redis", 6379, 0, key_prefix="acme:celery:"), "default")
    assert found == (
        *("acme:celery:default", "acme:celery:default\x06\x163"),
        *("acme:celery:default\x06\x166", "acme:celery:default\x06\x169"),
    )


def test_the_steps_are_kombus() -> None:
    """Which could change them."""
    assert (Channel.sep, tuple(Channel.priority_steps)) == (SEPARATOR, STEPS)
