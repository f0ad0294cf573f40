"""The AWS_… settings: types, defaults and rules. `docs/reference/aws.md` explains each one."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from tutorplatform import config
from tutorplatform.config import Form
from tutorplatform.errors import ConfigError

from tutoraws import mail
from tutoraws.forms import HeaderValue, RoleArn
from tutoraws.mappings import (
    S3,
    Bootstrap,
    Cdn,
    Ecr,
    Ingress,
    Logs,
    Meilisearch,
    Mongodb,
    Mysql,
    Network,
    Opensearch,
    Redis,
    Ses,
)

PREFIX = "AWS_"

# Seconds that a request to the platform may take: what stands before it waits longer than that.
REQUEST_S = 600


@dataclass(frozen=True)
class Settings:
    """All settings of the aws plugin."""

    region: Annotated[str, Form(r"[a-z]{2}(-[a-z]+)+-\d", "an AWS region", "eu-west-1")] = ""
    role_arn: RoleArn = ""
    # Of plugins with files of their own: fewer rights.
    plugins_role_arn: RoleArn = ""
    mysql: Mysql = Mysql()
    redis: Redis = Redis()
    mongodb: Mongodb = Mongodb()
    opensearch: Opensearch = Opensearch()
    meilisearch: Meilisearch = Meilisearch()
    s3: S3 = S3()
    ses: Ses = Ses()
    ecr: Ecr = Ecr()
    ingress: Ingress = Ingress()
    cdn: Cdn = Cdn()
    # Secret, and so settings of their own, which the secrets plugin can keep.
    cdn_secret: Annotated[str, HeaderValue()] = ""
    cdn_old_secret: Annotated[str, HeaderValue()] = ""
    network: Network = Network()
    logs: Logs = Logs()
    bootstrap: Bootstrap = Bootstrap()

    @property
    def client_address(self) -> int:
        """Where in X-Forwarded-For, as Django gets it, the client is: -3 is third from the right.

        Each proxy adds whom it was asked by, and Caddy is the last one.
        """
        return -(self.ingress.proxies + (self.cdn.mode == "cloudfront") + 1)

    @property
    def ses_host(self) -> str:
        """Where SES takes mail of those with a role."""
        return mail.api_host(self.region)

    @property
    def smtp_host(self) -> str:
        """Where SES takes mail by SMTP."""
        return mail.smtp_host(self.region)


def _one_way_to_mongodb(settings: Settings) -> None:
    mongodb = settings.mongodb
    if mongodb.hosts and mongodb.srv_host:
        raise ConfigError(
            "AWS_MONGODB.srv_host", "stands beside hosts, and only one can be", "remove one of them"
        )
    if mongodb.replica_set and not mongodb.address:
        raise ConfigError(
            "AWS_MONGODB.replica_set", "has no servers", "name them in AWS_MONGODB.hosts"
        )


def _images_of_a_registry(settings: Settings) -> None:
    if settings.ecr.pull_through and not settings.ecr.registry:
        raise ConfigError(
            "AWS_ECR.pull_through", "is of no registry", "name it in AWS_ECR.registry"
        )


def _private_apart_from_public(settings: Settings) -> None:
    s3 = settings.s3
    if s3.private_bucket and s3.private_bucket == s3.public_bucket:
        raise ConfigError(
            "AWS_S3.public_bucket",
            "is the private_bucket as well, and learners' files would be public",
            "give each a bucket of its own",
        )
    if s3.identity_bucket and s3.identity_bucket == s3.public_bucket:
        raise ConfigError(
            "AWS_S3.identity_bucket",
            "is the public_bucket as well, and photos of identity cards would be public",
            "name another bucket, or remove it: the photos go to the private_bucket then",
        )


def _one_way_to_static_files(settings: Settings) -> None:
    cdn = settings.cdn
    for key in ("assets_bucket", "origin_host"):
        if cdn.mode == "none" and getattr(cdn, key):
            raise ConfigError(
                f"AWS_CDN.{key}",
                "is of CloudFront, but AWS_CDN.mode is 'none': static files come from the pods",
                "write `mode: cloudfront`, or remove it",
            )


def _assets_apart_from_files(settings: Settings) -> None:
    s3, bucket = settings.s3, settings.cdn.assets_bucket
    if bucket and bucket in (s3.private_bucket, s3.public_bucket, s3.identity_bucket):
        raise ConfigError(
            "AWS_CDN.assets_bucket",
            "holds learners' files as well, and everybody may read it",
            "give static files a bucket of their own",
        )


# Each raises ConfigError for settings that are fine one by one, but not together.
CONTRADICTIONS: tuple[Callable[[Settings], None], ...] = (
    _one_way_to_mongodb,
    _images_of_a_registry,
    _private_apart_from_public,
    _one_way_to_static_files,
    _assets_apart_from_files,
)


def read(tutor_config: Mapping[str, Any]) -> Settings:
    """The AWS_… settings of this configuration. ConfigError for what is unknown or does not fit."""
    own = {key: value for key, value in tutor_config.items() if key.startswith(PREFIX)}
    return _read(pickle.dumps(own))


# Templates ask again and again. A pickle is the same for the same settings, and can be a key.
@functools.lru_cache(maxsize=4)
def _read(own: bytes) -> Settings:
    settings = config.read(Settings, pickle.loads(own), PREFIX)
    for refuse in CONTRADICTIONS:
        refuse(settings)
    return settings


def uses_ses(tutor_config: Mapping[str, Any]) -> bool:
    """Does SES stand in for Tutor's own relay? Not if that one runs, or another one is named."""
    ours = ("smtp", read(tutor_config).smtp_host)
    return not tutor_config["RUN_SMTP"] and tutor_config["SMTP_HOST"] in ours
