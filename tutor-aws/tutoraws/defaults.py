"""Tutor's own settings, as they follow from the AWS_… ones. What is in config.yml wins over them.

Each service can be Tutor's own: `RUN_MYSQL: true` and its like bring back Tutor's values. In
such a cluster of its own an instance keeps Tutor's names as well; on shared services every
name is derived from the instance's.

The values of text defaults are rendered to text, and Tutor never parses it again. So what
Tutor tests for truth stands here as a real boolean.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tutorplatform import config

from tutoraws import images, mail
from tutoraws.search import DISCOVERY_SEARCH
from tutoraws.settings import PREFIX, Settings
from tutoraws.workloads import plugins_with_database


def _unless(run: str, tutors: object, ours: str) -> str:
    """A template: Tutor's value where Tutor runs the service itself, else ours."""
    return f"{{% if {run} %}}{tutors}{{% else %}}{{{{ {ours} }}}}{{% endif %}}"


TUTOR_DEFAULTS: dict[str, Any] = {
    "ENABLE_HTTPS": True,
    "ENABLE_WEB_PROXY": False,
    # Tutor puts it in front of the images that it builds.
    "DOCKER_REGISTRY": "{% if aws_settings().ecr.registry %}{{ aws_settings().ecr.registry }}/"
    "{% else %}docker.io/{% endif %}",
    "RUN_MONGODB": False,
    "RUN_MYSQL": False,
    "RUN_REDIS": False,
    "RUN_SMTP": False,
    "MYSQL_HOST": _unless("RUN_MYSQL", "mysql", "aws_settings().mysql.host"),
    "MYSQL_PORT": _unless("RUN_MYSQL", 3306, "aws_settings().mysql.port"),
    "OPENEDX_MYSQL_DATABASE": _unless("RUN_MYSQL", "openedx", "aws_instance().database('openedx')"),
    "OPENEDX_MYSQL_USERNAME": _unless("RUN_MYSQL", "openedx", "aws_instance().database('openedx')"),
    "REDIS_HOST": _unless("RUN_REDIS", "redis", "aws_settings().redis.host"),
    "REDIS_PORT": _unless("RUN_REDIS", 6379, "aws_settings().redis.port"),
    "REDIS_USERNAME": _unless("RUN_REDIS", "", "aws_settings().redis.username"),
    "OPENEDX_CELERY_REDIS_DB": _unless("RUN_REDIS", 0, "aws_settings().redis.celery_database"),
    "OPENEDX_CACHE_REDIS_DB": _unless("RUN_REDIS", 1, "aws_settings().redis.cache_database"),
    "MONGODB_HOST": _unless("RUN_MONGODB", "mongodb", "aws_settings().mongodb.address"),
    "MONGODB_PORT": _unless("RUN_MONGODB", 27017, "aws_settings().mongodb.port"),
    "MONGODB_DATABASE": _unless("RUN_MONGODB", "openedx", "aws_instance().database('openedx')"),
    "MONGODB_USERNAME": _unless("RUN_MONGODB", "", "aws_instance().database('openedx')"),
    "MONGODB_REPLICA_SET": _unless("RUN_MONGODB", "", "aws_settings().mongodb.replica_set"),
    # Not Tutor's, but like those of Redis and MongoDB: the secrets plugin knows them.
    "OPENSEARCH_USERNAME": "{% if aws_settings().opensearch.host and"
    " not aws_settings().opensearch.by_role %}{{ aws_instance().database('openedx') }}{% endif %}",
    "OPENSEARCH_PASSWORD": "",
    # For plugins, whose role is for pictures. The platform has one for mail, and does not use them.
    "SMTP_HOST": _unless("RUN_SMTP", "smtp", "aws_settings().smtp_host"),
    "SMTP_PORT": _unless("RUN_SMTP", 8025, str(mail.SMTP_PORT)),
    # What is on a claim already has Tutor's.
    "MEILISEARCH_INDEX_PREFIX": _unless(
        "RUN_MEILISEARCH and not aws_settings().meilisearch.ephemeral",
        "tutor_",
        "aws_instance().index_prefix",
    ),
}

DEFAULTS: dict[str, Any] = {**config.defaults(Settings, PREFIX), **TUTOR_DEFAULTS}


def of_plugins(items: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The defaults `items` of Tutor and all plugins, with ours for databases and images in place.

    Where MySQL is shared, another instance has the same plugins with the same defaults.
    """
    known = {
        key: f"{{{{ aws_image()('{value}') }}}}" if images.is_of_others(key, value) else value
        for key, value in items
    }
    for name in plugins_with_database(known):
        for part in ("DATABASE", "USERNAME"):
            key = f"{name.upper()}_MYSQL_{part}"
            known[key] = _unless("RUN_MYSQL", known[key], f"aws_instance().database('{name}')")
    if DISCOVERY_SEARCH in known:
        known[DISCOVERY_SEARCH] = False
    return list(known.items())
