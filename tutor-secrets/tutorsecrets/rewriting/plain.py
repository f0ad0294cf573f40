"""Secrets in plain text where manifests are about to take them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tutorplatform import manifests as kubernetes
from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest

from tutorsecrets.naming import has_password, like_a_secret, like_no_secret
from tutorsecrets.rewriting import literals, pods
from tutorsecrets.rewriting.rewrite import texts, title
from tutorsecrets.rewriting.sealing import from_base64
from tutorsecrets.tokens import TRACE, parse

# Shorter ones are found by chance.
LEAST_LENGTH = 8


def require_no_value(manifests: Iterable[Manifest], values: Mapping[str, str]) -> None:
    """Raise DeployError if a manifest has one of these values in it.

    `values` maps tokens to values; the error says which setting it is.
    """
    long = {token: value for token, value in values.items() if len(value) >= LEAST_LENGTH}
    for manifest in manifests:
        for path, text in texts(manifest):
            found = [parse(token).key for token, value in long.items() if value in text]
            if found:
                raise DeployError(
                    f"{title(manifest)}, {'.'.join(path)}",
                    f"has the value of {found[0]} in plain text",
                    f"use the setting {found[0]} in the template that this comes from; if its "
                    f"value is just a common word, run `tutor secrets rotate {found[0]}`",
                )


def require_no_password(manifests: Iterable[Manifest], plain: Iterable[str]) -> None:
    """Raise DeployError if manifests with tokens also have what looks like a secret, in plain text.

    By its name, as a variable, a key of a ConfigMap or a setting in its files; as a URL with a
    password; or because it is in a Secret, and not called like a user or a host. What is empty is
    not in use, and those in `plain` are no secrets.
    """
    known = set(plain)
    for manifest in manifests:
        for where, name, text in _named_texts(manifest):
            if not text or TRACE.search(text) or name in known:
                continue
            in_secret = manifest["kind"] == "Secret" and not like_no_secret(name)
            if in_secret or like_a_secret(name) or has_password(text):
                raise DeployError(
                    f"{title(manifest)}, {where}",
                    f"{name} is in plain text",
                    "if env/ is older than config.yml, run `tutor config save`; else let the "
                    "plugin that it comes from use a secret setting or, if it is none, run "
                    f"`tutor config save --append SECRETS_PLAIN={name}`",
                )


# (where, name, text)
Named = tuple[str, str, str]


def _named_texts(manifest: Manifest) -> Iterator[Named]:
    if manifest["kind"] == "Secret":
        yield from _in_secret(manifest)
    elif manifest["kind"] == "ConfigMap":
        yield from _in_configmap(manifest)
    for container in pods.containers(kubernetes.pod_spec(manifest) or {}):
        for entry in container.get("env") or []:
            # `$(…)` is a variable that has its value from elsewhere.
            value = str(entry.get("value") or "")
            yield f"container {container['name']}", entry["name"], "" if "$(" in value else value


def _in_secret(secret: Manifest) -> Iterator[Named]:
    for name, code in (secret.get("data") or {}).items():
        yield "data", name, from_base64(code)
    for name, text in (secret.get("stringData") or {}).items():
        yield "stringData", name, text


def _in_configmap(configmap: Manifest) -> Iterator[Named]:
    for file, text in (configmap.get("data") or {}).items():
        if like_a_secret(file):
            yield "data", file, text
        for name, value in literals.named(text, file):
            yield f"data.{file}", name, value
