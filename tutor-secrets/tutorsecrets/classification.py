"""Which settings are secret, and where their values come from."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from typing import Any

from tutorplatform.errors import ConfigError

from tutorsecrets import naming
from tutorsecrets.stores.entries import HASH_KEY
from tutorsecrets.tokens import TOKEN, TRACE, keys_in

PASSWORD = "{{ 32|random_string }}"

# Of this plugin's own settings, which name secrets and hold none.
OWN_PREFIX = "SECRETS_"

# Passwords of services that need none inside the cluster: in use exactly when there is a user.
PASSWORDS = {
    **{f"{service}_PASSWORD": f"{service}_USERNAME" for service in ("MONGODB", "REDIS", "SMTP")},
    # A setting of the aws plugin, which need not be enabled.
    "OPENSEARCH_PASSWORD": "OPENSEARCH_USERNAME is defined and OPENSEARCH_USERNAME",
}

# Of those, the ones whose users are made for this instance, and with them their password.
MADE_UP = {
    HASH_KEY: PASSWORD,
    "MONGODB_PASSWORD": PASSWORD,
    "OPENSEARCH_PASSWORD": PASSWORD,
    "REDIS_PASSWORD": PASSWORD,
}
NOT_SECRET = "if it is no secret, run `tutor config save --append SECRETS_PLAIN=…` with its name"

# Made up, but not secret: `ID` is a label on every object.
LABEL = re.compile(r"(^|_)ID$")
GENERATED = re.compile(r"\b(random_string|rsa_private_key)\b")


def generators(settings: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """The secret ones among settings that Tutor makes up → the template of their value."""
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


def plain_secrets(
    config: Mapping[str, Any], known: Iterable[str], plain: Iterable[str] = ()
) -> list[str]:
    """The settings that hold a secret as it is. An empty value means "not in use".

    A setting is secret if it is known to be, or if it or something in it looks like one, and it
    is neither in `plain` nor one of this plugin's own.
    """
    secret, open_ones = set(known), set(plain)
    return sorted(
        name
        for name, value in config.items()
        if (name in secret and value and not keys_in(value))
        or (
            name not in open_ones
            and not name.startswith(OWN_PREFIX)
            and any(naming.secret_parts(name, value))
        )
    )


def require_whole_tokens(config: Mapping[str, Any], known: Iterable[str]) -> None:
    """Raise ConfigError for a token that was cut, or that names nothing secret."""
    for name, value in config.items():
        if TRACE.search(TOKEN.sub("", str(value))):
            raise ConfigError(
                name,
                "has a part of a token in it",
                f"run `tutor config save --unset {name}`, and it gets a whole one",
            )
        unknown = sorted(keys_in(value) - {name, *known})
        if unknown:
            raise ConfigError(
                name,
                f"has the token of {', '.join(unknown)}, which is no secret setting",
                "correct its name, or list it in SECRETS_KEYS",
            )


def override_error(names: Iterable[str]) -> ConfigError:
    """What is wrong with environment variables that hold a secret."""
    return ConfigError(
        "environment",
        f"{', '.join(f'TUTOR_{name}' for name in names)}: a secret in plain text",
        "unset it, and run `tutor secrets set` with the name of the setting",
    )


def argument_error(names: Iterable[str], known: Container[str]) -> ConfigError:
    """What is wrong with secrets on the command line, of which some may be `known` settings."""
    names = list(names)
    name = names[0]
    declare = "" if name in known else f"`tutor config save --append SECRETS_KEYS={name}`, then "
    return ConfigError(
        "config save",
        f"{', '.join(names)}: a secret in plain text, which would be written to config.yml",
        f"run {declare}`tutor secrets set {name}`, which asks for the value; {NOT_SECRET}",
    )


def config_error(names: Iterable[str]) -> ConfigError:
    """What is wrong with a config.yml that holds secrets."""
    return ConfigError(
        "config.yml",
        f"{', '.join(names)}: a secret in plain text",
        f"run `tutor secrets migrate`, which moves them to the store; {NOT_SECRET}",
    )


def default_error(names: Iterable[str]) -> ConfigError:
    """What is wrong with plugins whose defaults are secrets."""
    names = list(names)
    return ConfigError(
        "default settings",
        f"{', '.join(names)}: a secret in plain text, the same for everybody",
        f"run `tutor config save --append SECRETS_KEYS={names[0]}` and "
        f"`tutor secrets set {names[0]}`; {NOT_SECRET}",
    )
