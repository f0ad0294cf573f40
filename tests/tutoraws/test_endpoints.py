"""Tutor's own settings of where services are, as somebody wrote them into config.yml."""

from __future__ import annotations

from typing import Any

import pytest
from tutoraws.endpoints import check
from tutorplatform.errors import ConfigError

CONFIG: dict[str, Any] = {
    **{f"RUN_{service}": False for service in ("MYSQL", "REDIS", "MONGODB", "SMTP")},
    "MYSQL_HOST": "db.test",
    "MYSQL_PORT": "3306",
    "REDIS_HOST": "cache.test",
    "REDIS_PORT": 6379,
    "MONGODB_HOST": "mongo-a.test,mongo-b.test",
    "MONGODB_PORT": 27017,
    "SMTP_HOST": "smtp",
    "SMTP_PORT": "587",
    "OPENEDX_CELERY_REDIS_DB": "0",
    "OPENEDX_CACHE_REDIS_DB": 1,
}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"MONGODB_HOST": "mongodb+srv://acme.ab1cd.mongodb.net"},
        {"MYSQL_HOST": "10.0.0.7"},
        {"MYSQL_HOST": "", "REDIS_HOST": "", "MONGODB_HOST": "", "SMTP_HOST": ""},
        {"SMTP_PORT": 65535},
        {"DISCOVERY_CACHE_REDIS_DB": "1"},
    ],
    ids=str,
)
def test_what_can_be_connected_to(change: dict[str, Any]) -> None:
    """Also nothing yet: what is missing is listed elsewhere."""
    check({**CONFIG, **change})


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("MYSQL_HOST", "mysql://x:1", "'mysql://x:1' is not a host name"),
        ("MYSQL_HOST", "a..b", "'a..b' is not a host name"),
        ("MYSQL_PORT", 70000, "70000 is out of range"),
        ("MYSQL_PORT", "abc", "'abc' is not a whole number"),
        ("MYSQL_PORT", None, "None is not a whole number"),
        ("REDIS_HOST", "rediss://x", "is not a host name"),
        ("REDIS_PORT", 0, "0 is out of range"),
        ("REDIS_PORT", "²", "is not a whole number"),
        ("MONGODB_HOST", "mongodb://a:27017", "is not a list of host names"),
        ("MONGODB_HOST", "mongo-a.test:27017,mongo-b.test", "is not a list of host names"),
        ("MONGODB_HOST", "mongodb+srv://acme:x@a.test", "is not a list of host names"),
        ("MONGODB_HOST", "mongodb+srv://a.test/?ssl=false", "is not a list of host names"),
        ("MONGODB_HOST", "mongodb+srv://a.test,b.test", "is not a list of host names"),
        ("SMTP_HOST", "smtp.test:25", "is not a host name"),
        ("SMTP_PORT", 70000, "70000 is out of range"),
        ("OPENEDX_CACHE_REDIS_DB", 0, "is 0, as OPENEDX_CELERY_REDIS_DB is"),
        ("OPENEDX_CACHE_REDIS_DB", "x", "'x' is not a whole number"),
        ("DISCOVERY_CACHE_REDIS_DB", "0", "is 0, as OPENEDX_CELERY_REDIS_DB is"),
    ],
)
def test_what_cannot(key: str, value: object, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check({**CONFIG, key: value})
    assert str(caught.value).startswith(f"{key}: ")
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [
        ("MYSQL", "MYSQL_HOST", "a b"),
        ("REDIS", "OPENEDX_CACHE_REDIS_DB", 0),
        ("MONGODB", "MONGODB_PORT", 0),
        ("SMTP", "SMTP_PORT", 0),
    ],
)
def test_a_service_of_tutors_own_is_tutors_own_business(
    service: str, key: str, value: object
) -> None:
    check({**CONFIG, f"RUN_{service}": True, key: value})
