"""Which settings are secret, and the settings of the secrets plugin itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from tutor.types import ConfigValue
from tutorplatform import config as platform_config
from tutorplatform.config import Form
from tutorplatform.errors import ConfigError

from tutorsecrets.tokens import keys_in, token

SETTING = Form(r"[A-Za-z]\w*", "the name of a setting", "OPENEDX_AWS_ACCESS_KEY")


@dataclass(frozen=True)
class Settings:
    """The plugin's own settings, `SECRETS_…` in config.yml."""

    name: str = "openedx/{{ K8S_NAMESPACE }}"
    keys: tuple[Annotated[str, SETTING], ...] = ()


# Not a setting: an entry of the secret in the store, with which Kubernetes names are made.
HASH_KEY = "SECRETS_HASH_KEY"

DEFAULT_GENERATOR = "{{ 32|random_string }}"

# Passwords of services that need none inside the cluster: in use exactly when there is a user.
PASSWORDS = {
    f"{service}_PASSWORD": f"{service}_USERNAME" for service in ("MONGODB", "REDIS", "SMTP")
}

DEFAULTS: dict[str, ConfigValue] = {
    "SECRETS_NAME": Settings.name,
    "SECRETS_KEYS": [],
    **{
        password: f"{{% if {username} %}}{token(password)}{{% endif %}}"
        for password, username in PASSWORDS.items()
    },
}

# Made up, but not secret: `ID` is a label on every object.
LABEL = re.compile(r"(^|_)ID$")
GENERATED = re.compile(r"\b(random_string|rsa_private_key)\b")
SECRET_NAME = re.compile(r"(^|_)(PASSWORD|SECRET|TOKEN|(SECRET|PRIVATE|MASTER|ACCESS|API)_KEY)$")


def read(config: Mapping[str, Any]) -> Settings:
    """The plugin's settings in a configuration, with defaults for those it lacks.

    Raises ConfigError for a value of the wrong type and for an unknown `SECRETS_…`.
    """
    return platform_config.read(Settings, config, "SECRETS_")


def generators(settings: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """The secret ones among Tutor's unique settings → the template that makes up their value."""
    return {
        name: template
        for name, template in settings
        if isinstance(template, str) and GENERATED.search(template) and not LABEL.search(name)
    }


def derived(settings: Iterable[tuple[str, Any]], secrets: Iterable[str]) -> dict[str, str]:
    """The unique settings that derive from secret ones (MEILISEARCH_API_KEY) → their template.

    They need no value in the store: rendered from a token, they are one.
    """
    mention = re.compile(rf"\b({'|'.join(map(re.escape, secrets))})\b")
    return {
        name: template
        for name, template in settings
        if isinstance(template, str) and mention.search(template)
    }


def wanted(keys: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """What the store must hold, for these keys of tokens: key → the template of its value."""
    return {key: known.get(key, DEFAULT_GENERATOR) for key in sorted({*keys, HASH_KEY})}


def plain_secrets(config: Mapping[str, Any], known: Iterable[str]) -> list[str]:
    """The settings that hold a secret in plain text: known ones and those named like a secret.

    An empty value means "not in use".
    """
    known = set(known)
    return sorted(
        name
        for name, value in config.items()
        if (name in known or SECRET_NAME.search(name)) and value and not keys_in(value)
    )


def override_error(names: Iterable[str]) -> ConfigError:
    """What is wrong with environment variables that hold a secret."""
    return ConfigError(
        "environment",
        f"{', '.join(f'TUTOR_{name}' for name in names)}: a secret in plain text",
        "unset it, and put the value into the secret that SECRETS_NAME names",
    )


def plain_text_error(where: str, names: Iterable[str]) -> ConfigError:
    """What is wrong with settings that hold a secret in plain text; never says the values."""
    names = list(names)
    unset = " ".join(f"--unset {name}" for name in names)
    return ConfigError(
        where,
        f"{', '.join(names)}: a secret in plain text",
        "if the value matters, put it under the same name into the secret that SECRETS_NAME names; "
        f"then run `tutor config save {unset}`, and list in SECRETS_KEYS what is refused again",
    )
