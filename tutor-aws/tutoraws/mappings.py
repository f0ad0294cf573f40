"""The mappings among the AWS_… settings, one dataclass each: types, rules and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from tutorplatform.config import Between, Form, OneOf

from tutoraws.forms import (
    Annotation,
    Bucket,
    CertificateArn,
    CertificateName,
    Cidr,
    DatabaseIndex,
    Destination,
    File,
    Host,
    Name,
    Port,
    SecretId,
)


@dataclass(frozen=True)
class Mysql:
    """AWS_MYSQL: a server outside the cluster, unless RUN_MYSQL is true."""

    host: Host = ""
    reader_host: Host = ""
    port: Port = 3306
    ca_file: File = ""


@dataclass(frozen=True)
class Redis:
    """AWS_REDIS: a server outside the cluster, unless RUN_REDIS is true."""

    host: Host = ""
    port: Port = 6379
    # Ends up inside quotes in Python files.
    username: Annotated[str, Form(r"[^\s\"'\\:@/]+", "a Redis user name", "acme")] = ""
    celery_database: DatabaseIndex = 0
    cache_database: DatabaseIndex = 1


@dataclass(frozen=True)
class Mongodb:
    """AWS_MONGODB: a replica set outside the cluster, unless RUN_MONGODB is true."""

    hosts: tuple[Host, ...] = ()
    # Instead of hosts: the DNS has them, and their options.
    srv_host: Host = ""
    port: Port = 27017
    replica_set: Annotated[str, Form(r"[\w.-]+", "a replica set name", "rs0")] = ""
    ca_file: File = ""

    @property
    def address(self) -> str:
        """As Tutor's MONGODB_HOST has it."""
        return f"mongodb+srv://{self.srv_host}" if self.srv_host else ",".join(self.hosts)


@dataclass(frozen=True)
class Opensearch:
    """AWS_OPENSEARCH: where courses and discovery are searched; with Meilisearch without a host."""

    host: Host = ""
    port: Port = 443
    # A user of the domain's own, or the pods' IAM role.
    auth: Annotated[str, OneOf(("password", "role"))] = "password"

    @property
    def by_role(self) -> bool:
        """Whether requests are signed with the pods' role."""
        return bool(self.host) and self.auth == "role"


@dataclass(frozen=True)
class Meilisearch:
    """AWS_MEILISEARCH: the instance's own, unless RUN_MEILISEARCH is false."""

    # On the node's disk and filled again whenever it is empty; else on a claim, as Tutor has it.
    ephemeral: bool = True
    size: Annotated[str, Form(r"[1-9]\d*(Mi|Gi)", "a size", "5Gi")] = "5Gi"


@dataclass(frozen=True)
class S3:
    """AWS_S3: where uploaded and generated files go, unless it is not enabled."""

    enabled: bool = True
    private_bucket: Bucket = ""
    public_bucket: Bucket = ""
    public_host: Host = ""
    # Photos of faces and identity cards; in the private bucket, if that is left out.
    identity_bucket: Bucket = ""


@dataclass(frozen=True)
class Ses:
    """AWS_SES: how mail leaves, unless RUN_SMTP is true or SMTP_HOST names another relay."""

    configuration_set: Annotated[
        str, Form(r"[A-Za-z0-9_-]{1,64}", "a configuration set name", "acme-events")
    ] = ""


@dataclass(frozen=True)
class Ecr:
    """AWS_ECR: where images come from; from wherever Tutor has them, if it is left out."""

    registry: Annotated[
        str,
        Form(
            r"\d{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?",
            "the host of an ECR registry",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        ),
    ] = ""
    # Upstream registry → repository prefix.
    pull_through: Mapping[
        Host, Annotated[str, Form(r"[a-z0-9]+([._/-][a-z0-9]+)*", "a repository prefix", "hub")]
    ] = field(default_factory=dict)


@dataclass(frozen=True)
class Logs:
    """AWS_LOGS: what the LMS, Studio and their workers say on standard output."""

    format: Annotated[str, OneOf(("json", "text", "files"))] = "json"


ClassName = Annotated[
    str, Form(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", "an IngressClass name", "traefik")
]


@dataclass(frozen=True)
class Ingress:
    """AWS_INGRESS: how requests come in, unless ENABLE_WEB_PROXY is true."""

    class_name: ClassName = "traefik"
    # Where its pods are: only they may talk to an instance.
    namespace: Annotated[str, Form(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "a namespace", "platform")] = (
        "platform"
    )
    # Over those that its class needs.
    annotations: Mapping[Annotation, str] = field(default_factory=dict)
    # Before Caddy, CloudFront aside: the load balancer and the ingress controller.
    proxies: Annotated[int, Between(0, 9)] = 2
    # What the load balancer's own certificate is for.
    domains: tuple[CertificateName, ...] = ()
    # Certificates of the instance's own → what each is for.
    certificates: Mapping[CertificateArn, tuple[CertificateName, ...]] = field(default_factory=dict)
    # IngressClasses of the load balancers that get them; two while an instance moves.
    load_balancers: tuple[ClassName, ...] = ("alb",)


@dataclass(frozen=True)
class Cdn:
    """AWS_CDN: whether CloudFront stands before LMS, Studio and MFEs, with static files from S3."""

    mode: Annotated[str, OneOf(("none", "cloudfront"))] = "none"
    assets_bucket: Bucket = ""
    # CloudFront asks there for what is not in the bucket. The name leads to the load balancer.
    origin_host: Host = ""


@dataclass(frozen=True)
class Network:
    """AWS_NETWORK: with whom the instance's pods may talk."""

    enabled: bool = True
    # Where the databases are; any private address, if that is left out.
    data_cidrs: tuple[Cidr, ...] = ()
    # The VPC's, if they are none of the usual private ones.
    vpc_cidrs: tuple[Cidr, ...] = ()
    egress: tuple[Destination, ...] = ()


@dataclass(frozen=True)
class Bootstrap:
    """AWS_BOOTSTRAP: how the platform makes what instances need on shared services."""

    # Where its Job runs, and as whom: the platform's, not the instance's.
    namespace: Name = "platform"
    service_account: Name = "bootstrap"
    image: Annotated[
        str, Form(r"[\w./:@-]+", "an image", "docker.io/overhangio/openedx:22.0.3")
    ] = ""
    # In Secrets Manager, as RDS writes them: JSON with username and password.
    mysql_admin: SecretId = ""
    mongodb_admin: SecretId = ""
    opensearch_admin: SecretId = ""
    redis_user_group: Annotated[
        str, Form(r"[a-zA-Z][a-zA-Z0-9-]*", "the ID of an ElastiCache user group", "openedx")
    ] = ""
