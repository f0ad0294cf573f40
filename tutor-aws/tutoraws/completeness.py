"""Which settings still need a value, and the command that gives it to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from tutorplatform.errors import DeployError

from tutoraws import clients, mail
from tutoraws import settings as aws
from tutoraws.search import discovers_outside

PLACEHOLDER = "…"
LISTS = ("data_cidrs", "hosts")
# Tutor's default: the address of its own.
MEILISEARCH_URL = "http://meilisearch:7700"


def missing(config: Mapping[str, Any]) -> list[str]:
    """The settings without which this configuration cannot run, such as `AWS_MYSQL.host`.

    Where Tutor has a setting of its own (MYSQL_HOST), that one counts, however it was set.
    """
    settings = aws.read(config)
    s3, search, cdn = settings.s3, settings.opensearch, settings.cdn
    uses_ses, cloudfront = aws.uses_ses(config), cdn.mode == "cloudfront"
    in_region = s3.enabled or uses_ses or search.by_role or cloudfront or _bootstrapped(settings)
    plugins = clients.of_plugins(settings, config)
    needed = {
        "AWS_REGION": in_region and not settings.region,
        # With IRSA each service account has its role; Pod Identity knows them elsewhere.
        "AWS_PLUGINS_ROLE_ARN": settings.role_arn and plugins and not settings.plugins_role_arn,
        # Another relay, where there is no SES.
        "SMTP_HOST": uses_ses and not mail.is_in(settings.region),
        **_databases(settings, config),
        **_search(settings, config),
        "AWS_S3.private_bucket": s3.enabled and not s3.private_bucket,
        "AWS_S3.public_bucket": s3.enabled and not s3.public_bucket,
        "AWS_CDN.assets_bucket": cloudfront and not cdn.assets_bucket,
        "AWS_CDN.origin_host": cloudfront and not cdn.origin_host,
        "AWS_CDN_SECRET": cloudfront and not settings.cdn_secret,
    }
    return [name for name, is_missing in needed.items() if is_missing]


def _databases(settings: aws.Settings, config: Mapping[str, Any]) -> dict[str, Any]:
    mysql, redis, mongodb = (not config[f"RUN_{name}"] for name in ("MYSQL", "REDIS", "MONGODB"))
    return {
        "AWS_MYSQL.host": mysql and not config["MYSQL_HOST"],
        "AWS_MYSQL.ca_file": mysql and not settings.mysql.ca_file,
        "AWS_REDIS.host": redis and not config["REDIS_HOST"],
        "REDIS_PASSWORD": redis and config["REDIS_USERNAME"] and not config["REDIS_PASSWORD"],
        "AWS_MONGODB.hosts": mongodb and not config["MONGODB_HOST"],
        "MONGODB_PASSWORD": (
            mongodb and config["MONGODB_USERNAME"] and not config["MONGODB_PASSWORD"]
        ),
    }


def _bootstrapped(settings: aws.Settings) -> bool:
    found = settings.bootstrap
    return any(
        (found.mysql_admin, found.mongodb_admin, found.opensearch_admin, found.redis_user_group)
    )


def _search(settings: aws.Settings, config: Mapping[str, Any]) -> dict[str, Any]:
    host, network = settings.opensearch.host, settings.network
    elsewhere = not config["RUN_MEILISEARCH"]
    return {
        "AWS_OPENSEARCH.host": discovers_outside(config) and not host,
        "OPENSEARCH_PASSWORD": config["OPENSEARCH_USERNAME"] and not config["OPENSEARCH_PASSWORD"],
        "AWS_NETWORK.data_cidrs": host and network.enabled and not network.data_cidrs,
        "MEILISEARCH_URL": elsewhere and config["MEILISEARCH_URL"] == MEILISEARCH_URL,
        "MEILISEARCH_PUBLIC_URL": elsewhere
        and config["MEILISEARCH_PUBLIC_URL"].endswith(f"://meilisearch.{config['LMS_HOST']}"),
    }


def incomplete(config: Mapping[str, Any]) -> DeployError | None:
    """The error that tells what is missing and how to set it; None for a complete configuration."""
    names = missing(config)
    if not names:
        return None
    return DeployError(
        "aws",
        f"nothing can be deployed before these settings have a value: {', '.join(names)}",
        f"run\n\n    {set_command(config, names)}\n\n"
        "or keep a service of Tutor's own, for example with `--set RUN_MYSQL=true`",
    )


def set_command(config: Mapping[str, Any], names: list[str]) -> str:
    """The `tutor config save` command that sets `names`, to be filled in where it says `…`.

    `--set` replaces a whole mapping, so what is in it already is repeated.
    """
    values: dict[str, Any] = {}
    for name in names:
        setting, _, key = name.partition(".")
        if key:
            known = values.get(setting, dict(config[setting]))
            values[setting] = {**known, key: [PLACEHOLDER] if key in LISTS else PLACEHOLDER}
        else:
            values[setting] = PLACEHOLDER
    return save_command(values)


def save_command(values: Mapping[str, Any]) -> str:
    """The `tutor config save` command that sets these settings."""
    options = [f"--set {name}={_argument(value)}" for name, value in values.items()]
    return " \\\n        ".join(["tutor config save", *options])


def _argument(value: Any) -> str:
    if isinstance(value, str):
        return value
    flow = yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000
    )
    return f"'{flow.strip()}'"
