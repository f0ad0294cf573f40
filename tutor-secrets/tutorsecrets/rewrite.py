"""Manifests with tokens → manifests without, and the Secrets that hold the values.

A ConfigMap with a token becomes a Secret; a token in a pod's environment or scripts moves to
one Secret per pod. A Secret's name changes with its values, so that exactly the pods that use
a changed value are rolled. The hash is keyed: from a plain one, a short password can be guessed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tutorplatform import manifests as kubernetes
from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest

from tutorsecrets import pods, resolve
from tutorsecrets.resolve import Lookup
from tutorsecrets.settings import HASH_KEY
from tutorsecrets.tokens import TRACE, keys_in, token

# On every Secret made here.
OWN_LABEL = {"tutorsecrets/made-from": "tokens"}

# Tutor appends the time to a job's name; the Secret of the same job is the same each time.
RUN_TIME = re.compile(r"-\d{14}$")


@dataclass(frozen=True)
class Rewritten:
    """Manifests to apply as Tutor does, and the Secrets that must be there first."""

    manifests: list[Manifest]
    secrets: list[Manifest] = field(repr=False)


def rewrite(manifests: list[Manifest], lookup: Lookup) -> Rewritten:
    """`manifests` without tokens and without our scheduling gate, in the same order.

    Raises DeployError, naming object and setting, for a token that cannot be replaced.
    """
    sealed = {
        kubernetes.name(configmap): _secret_from_configmap(configmap, lookup)
        for configmap in kubernetes.of_kind(manifests, "ConfigMap")
        if TRACE.search(str(configmap.get("data")))
    }
    names = {configmap: kubernetes.name(secret) for configmap, secret in sealed.items()}
    given = [_filled_secret(secret, lookup) for secret in kubernetes.of_kind(manifests, "Secret")]
    others = [
        _without_tokens(manifest, names, lookup)
        for manifest in manifests
        if manifest["kind"] != "Secret"
        and not (manifest["kind"] == "ConfigMap" and kubernetes.name(manifest) in sealed)
    ]
    result = Rewritten(
        [manifest for manifest, _ in others],
        _distinct([*sealed.values(), *given, *(secret for _, secret in others if secret)]),
    )
    for manifest in [*result.manifests, *result.secrets]:
        _require_no_trace(manifest)
    return result


def _distinct(secrets: list[Manifest]) -> list[Manifest]:
    # Two jobs that run the same script have one Secret.
    return list(
        {
            (secret["metadata"].get("namespace"), kubernetes.name(secret)): secret
            for secret in secrets
        }.values()
    )


def _secret_from_configmap(configmap: Manifest, lookup: Lookup) -> Manifest:
    metadata = configmap["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            **metadata,
            "name": f"{metadata['name']}-{_fingerprint(configmap['data'], lookup)}",
            "labels": {**kubernetes.labels(configmap), **OWN_LABEL},
        },
        "type": "Opaque",
        "data": {
            **(configmap.get("binaryData") or {}),
            **_filled_data(configmap["data"], configmap, lookup),
        },
    }


def _filled_secret(secret: Manifest, lookup: Lookup) -> Manifest:
    # Another plugin's Secret keeps its name: we do not know who else refers to it.
    texts = {
        **{key: _decoded(data) for key, data in (secret.get("data") or {}).items()},
        **(secret.get("stringData") or {}),
    }
    with_tokens = {key: text for key, text in texts.items() if TRACE.search(text)}
    data = {
        **(secret.get("data") or {}),
        **_encoded(secret.get("stringData") or {}),
        **_filled_data(with_tokens, secret, lookup),
    }
    return {**{key: value for key, value in secret.items() if key != "stringData"}, "data": data}


def _filled_data(texts: Mapping[str, str], manifest: Manifest, lookup: Lookup) -> dict[str, str]:
    return _encoded(
        {
            file: resolve.filled(text, f"{_title(manifest)}, {file}", lookup)
            for file, text in texts.items()
        }
    )


def _without_tokens(
    manifest: Manifest, names: Mapping[str, str], lookup: Lookup
) -> tuple[Manifest, Manifest | None]:
    pod = kubernetes.pod_spec(manifest)
    if pod is None:
        return manifest, None
    for text in pods.script_tokens(pod):
        # It becomes part of a script, where nothing can be escaped for sure.
        resolve.require_harmless(text, f"{_title(manifest)}, script", lookup)
    pod = pods.following(pods.ungated(pod), names)
    tokens = pods.tokens(pod)
    if not tokens:
        return pods.with_pod_spec(manifest, pod), None
    secret = _secret_for_pod(manifest, tokens, lookup)
    return (
        pods.with_pod_spec(manifest, pods.with_variables(pod, kubernetes.name(secret))),
        secret,
    )


def _secret_for_pod(manifest: Manifest, tokens: set[str], lookup: Lookup) -> Manifest:
    texts = {pods.variable(text): text for text in sorted(tokens)}
    metadata = manifest["metadata"]
    base = RUN_TIME.sub("", kubernetes.name(manifest))
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            **{key: metadata[key] for key in ("namespace",) if key in metadata},
            "name": f"{base}-secrets-{_fingerprint(texts, lookup)}",
            "labels": {**kubernetes.labels(manifest), **OWN_LABEL},
        },
        "type": "Opaque",
        "data": _encoded({name: lookup(text) for name, text in texts.items()}),
    }


def _fingerprint(texts: Mapping[str, str], lookup: Lookup) -> str:
    # Of texts and values, not of the result: `encrypt` salts anew on each run, and no pod
    # must be rolled for that.
    values = {key: lookup(token(key)) for key in sorted(keys_in(dict(texts)))}
    message = json.dumps([dict(texts), values], sort_keys=True).encode()
    return hmac.new(lookup(token(HASH_KEY)).encode(), message, hashlib.sha256).hexdigest()[:10]


def _require_no_trace(manifest: Manifest) -> None:
    shown = manifest
    if manifest["kind"] == "Secret":
        shown = {**manifest, "data": {k: _decoded(data) for k, data in manifest["data"].items()}}
    for path, text in _texts(shown):
        if TRACE.search(text):
            keys = ", ".join(sorted(keys_in(text))) or "a token that a filter has changed"
            raise DeployError(
                f"{_title(manifest)}, {'.'.join(path)}",
                f"a secret cannot go there ({keys})",
                "use it in a file of a ConfigMap or in a container's env, command or args, "
                "and without Jinja's own filters",
            )


def _texts(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """(path, text) of every text in a manifest; keys count as texts."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield (*path, "key"), str(key)
            yield from _texts(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, str(index)))


def _encoded(texts: Mapping[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}


def _decoded(data: str | None) -> str:
    return base64.b64decode(data or "").decode("utf-8", "replace")


def _title(manifest: Manifest) -> str:
    return f"{manifest['kind']} {kubernetes.name(manifest)}"
