"""Secrets in plain text where manifests are about to take them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tutorplatform import manifests as kubernetes
from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest

from tutorsecrets.classification import SECRET_NAME
from tutorsecrets.rewriting import pods
from tutorsecrets.rewriting.rewrite import texts, title
from tutorsecrets.tokens import parse

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
                    f"use the setting {found[0]} in the template that this comes from",
                )


def require_no_password(manifests: Iterable[Manifest], plain: Iterable[str]) -> None:
    """Raise DeployError if a variable, or a key of a ConfigMap, is called like a secret.

    Those without a value are not in use, and those in `plain` are no secrets.
    """
    known = set(plain)
    for manifest in manifests:
        for where, name in _named_values(manifest):
            if SECRET_NAME.search(name) and name not in known:
                raise DeployError(
                    f"{title(manifest)}, {where}",
                    f"{name} is in plain text",
                    "let the plugin that it comes from use a secret setting, or, if it is none, "
                    f"run `tutor config save --append SECRETS_PLAIN={name}`",
                )


def _named_values(manifest: Manifest) -> Iterator[tuple[str, str]]:
    if manifest["kind"] == "ConfigMap":
        for key, text in (manifest.get("data") or {}).items():
            if text:
                yield "data", key
    for container in pods.containers(kubernetes.pod_spec(manifest) or {}):
        for entry in container.get("env") or []:
            # `$(…)` is a variable that has its value from a Secret.
            if entry.get("value") and "$(" not in entry["value"]:
                yield f"container {container['name']}", entry["name"]
