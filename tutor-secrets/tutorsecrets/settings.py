"""The settings of the secrets plugin itself. `docs/reference/secrets.md` explains each one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from tutor.types import ConfigValue
from tutorplatform import config as platform_config
from tutorplatform.config import Form, OneOf
from tutorplatform.errors import ConfigError

from tutorsecrets.classification import PASSWORDS
from tutorsecrets.tokens import token

PREFIX = "SECRETS_"

SECRETS_MANAGER = "secrets-manager"
PARAMETER_STORE = "parameter-store"
DIRECT = "direct"
EXTERNAL = "external-secrets"

ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:(?P<region>[a-z0-9-]+):\d{12}:secret:.+")

# Of this plugin's own ones, none but the key of its hashes is secret.
Setting = Annotated[
    str,
    Form(
        r"(?!SECRETS_(?!HASH_KEY$))[A-Za-z][A-Za-z0-9_]*",
        "the name of a secret setting",
        "OPENEDX_AWS_ACCESS_KEY",
    ),
]
# Keys of ConfigMaps that are called like a secret are among them, such as `tls.key`.
PlainName = Annotated[
    str, Form(r"[A-Za-z0-9_.-]+", "the name of a setting or of a ConfigMap's key", "MAP_API_KEY")
]
StoreName = Annotated[
    str,
    Form(
        r"(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:)?"
        r"[A-Za-z0-9_+=.@-]+(/[A-Za-z0-9_+=.@-]+)*",
        "the name of a secret (parts of letters, digits and _ + = . @ - with single / in between)",
        "openedx/acme",
    ),
]
KmsKey = Annotated[
    str,
    Form(
        r"(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:)?(key/|alias/)?[A-Za-z0-9/_-]+",
        "the ARN, id or alias of a KMS key",
        "alias/openedx",
    ),
]
RoleArn = Annotated[
    str,
    Form(
        r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+",
        "the ARN of an IAM role",
        "arn:aws:iam::123456789012:role/acme-secrets",
    ),
]


@dataclass(frozen=True)
class Reference:
    """A rule for where a value is. It never shows what it refuses: that may be the value."""

    def check(self, value: str, where: str) -> None:
        """Raise ConfigError unless `value` names a secret or parameter, or a key in it."""
        if not re.fullmatch(r"[A-Za-z0-9/_+=.@:!-]+(#\w+)?", value):
            raise ConfigError(
                where,
                "does not say where a value is",
                "write `secret` or `secret#key`, such as 'rds!cluster-0a1b-XyZ#password'",
            )


@dataclass(frozen=True)
class External:
    """SECRETS_EXTERNAL: what the External Secrets Operator reads with, and how often."""

    role_arn: RoleArn = ""
    refresh_interval: Annotated[str, Form(r"\d+[smh]|0", "a time (0 for once)", "1h")] = "1h"


@dataclass(frozen=True)
class Settings:
    """The plugin's own settings, `SECRETS_…` in config.yml."""

    name: StoreName = ""
    store: Annotated[str, OneOf((SECRETS_MANAGER, PARAMETER_STORE))] = SECRETS_MANAGER
    mode: Annotated[str, OneOf((DIRECT, EXTERNAL))] = DIRECT
    keys: tuple[Setting, ...] = ()
    plain: tuple[PlainName, ...] = ()
    references: Mapping[Setting, Annotated[str, Reference()]] = field(default_factory=dict)
    kms_key: KmsKey = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    external: External = External()


DEFAULTS: dict[str, ConfigValue] = {
    **platform_config.defaults(Settings, PREFIX),
    "SECRETS_NAME": "openedx/{{ K8S_NAMESPACE }}",
    **{
        password: f"{{% if {username} %}}{token(password)}{{% endif %}}"
        for password, username in PASSWORDS.items()
    },
}


def read(config: Mapping[str, Any]) -> Settings:
    """The plugin's settings in a configuration, with defaults for those it lacks.

    Raises ConfigError for what is unknown, does not fit, or contradicts another setting.
    """
    own = platform_config.read(Settings, config, PREFIX)
    if "SECRETS_NAME" in config and not own.name:
        raise ConfigError(
            "SECRETS_NAME",
            "is empty, and would be the secret of no instance",
            "run `tutor config save --unset SECRETS_NAME` to name it after the namespace",
        )
    region = config.get("AWS_REGION")
    if region:
        require_region(own.name, region, "AWS_REGION is")
    if ARN.fullmatch(own.name) and own.store == PARAMETER_STORE:
        raise ConfigError(
            "SECRETS_NAME", "is a secret, but SECRETS_STORE keeps parameters", "correct one of them"
        )
    if own.mode == EXTERNAL and not own.external.role_arn:
        raise ConfigError(
            "SECRETS_EXTERNAL.role_arn",
            "is not set, and external-secrets would read with nobody's role",
            "set it to a role that may read this instance's secret and no other, "
            "as `tutor secrets policy operator` prints it",
        )
    return own


def require_region(name: str, region: str, whose: str) -> None:
    """Raise ConfigError if `name` is the ARN of a secret in another region than this.

    `whose` says where it comes from: `AWS_REGION is`.
    """
    arn = ARN.fullmatch(name)
    if arn and arn["region"] != region:
        raise ConfigError(
            "SECRETS_NAME",
            f"is a secret in {arn['region']}, but {whose} {region}",
            "correct it, or run `tutor config save --set AWS_REGION=…` with the right one",
        )


def keys(config: Mapping[str, Any]) -> tuple[str, ...]:
    """SECRETS_KEYS and the keys of SECRETS_REFERENCES, of a configuration still to be rendered."""
    own = _only(config, "SECRETS_KEYS", "SECRETS_REFERENCES")
    return (*own.keys, *own.references)


def plain_names(config: Mapping[str, Any]) -> tuple[str, ...]:
    """SECRETS_PLAIN of a configuration that is still to be rendered."""
    return _only(config, "SECRETS_PLAIN").plain


def _only(config: Mapping[str, Any], *names: str) -> Settings:
    return platform_config.read(
        Settings, {name: config[name] for name in names if name in config}, PREFIX
    )
