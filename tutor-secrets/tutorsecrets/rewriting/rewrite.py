"""Manifests with tokens → manifests without, and the objects that bring the values.

A ConfigMap with a token becomes a Secret; a token in a pod's environment or scripts moves to
one Secret per pod. A Secret's name changes with its values, so that exactly the pods that use
a changed value are rolled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tutorplatform import manifests as kubernetes
from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest

from tutorsecrets.rewriting import pods, references, variables
from tutorsecrets.rewriting.sealing import Contents, Sealer, from_base64, in_base64
from tutorsecrets.rewriting.variables import Use
from tutorsecrets.tokens import TOKEN, TRACE, is_typed, keys_in

MADE_FROM = "tutorsecrets/made-from"

# On every Secret made here, but for those of other plugins, which are theirs to delete.
OWN_LABEL = {MADE_FROM: "tokens"}
OWN_SELECTOR = ",".join(f"{key}={value}" for key, value in OWN_LABEL.items())
FOREIGN_LABEL = {MADE_FROM: "secret"}

# Tutor appends the time to a job's name.
RUN_TIME = re.compile(r"-\d{14}$")


@dataclass(frozen=True)
class Rewritten:
    """Manifests to apply as Tutor does, and the objects that must be there first."""

    manifests: list[Manifest]
    secrets: list[Manifest] = field(repr=False)


def rewrite(manifests: list[Manifest], sealer: Sealer, typed: Sealer) -> Rewritten:
    """`manifests` without tokens and without our scheduling gate, in the same order.

    `typed` seals what was typed on the command line, `sealer` all the rest. Raises DeployError,
    naming object and setting, for a token that cannot be replaced.
    """
    sealed = {
        kubernetes.name(configmap): _secret_from_configmap(configmap, sealer)
        for configmap in kubernetes.of_kind(manifests, "ConfigMap")
        if TRACE.search(str(configmap.get("data")))
    }
    names = {configmap: kubernetes.name(secret) for configmap, secret in sealed.items()}
    given = [_filled_secret(secret, sealer) for secret in kubernetes.of_kind(manifests, "Secret")]
    others = [
        _without_tokens(references.following(manifest, names), names, sealer, typed)
        for manifest in manifests
        if manifest["kind"] != "Secret"
        and not (manifest["kind"] == "ConfigMap" and kubernetes.name(manifest) in sealed)
    ]
    result = Rewritten(
        [manifest for manifest, _ in others],
        [*sealed.values(), *given, *(secret for _, secrets in others for secret in secrets)],
    )
    for manifest in [*result.manifests, *result.secrets]:
        _require_no_trace(manifest)
    return result


def _secret_from_configmap(configmap: Manifest, sealer: Sealer) -> Manifest:
    contents = Contents(configmap["data"], encoded=configmap.get("binaryData") or {})
    metadata = {
        **configmap["metadata"],
        "name": f"{kubernetes.name(configmap)}-{sealer.fingerprint(contents)}",
        "labels": {**kubernetes.labels(configmap), **OWN_LABEL},
    }
    return sealer.secret(title(configmap), metadata, contents)


def _filled_secret(secret: Manifest, sealer: Sealer) -> Manifest:
    # Another plugin's Secret keeps its name: we do not know who else refers to it.
    data = {
        **(secret.get("data") or {}),
        **{key: in_base64(text) for key, text in (secret.get("stringData") or {}).items()},
    }
    marked = {key: text for key, code in data.items() if TRACE.search(text := from_base64(code))}
    rest = {key: code for key, code in data.items() if key not in marked}
    if not marked:
        return {**{key: secret[key] for key in secret if key != "stringData"}, "data": data}
    contents = Contents(marked, encoded=rest, type=secret.get("type") or "Opaque")
    labels = {**kubernetes.labels(secret), **FOREIGN_LABEL}
    return sealer.secret(title(secret), {**secret["metadata"], "labels": labels}, contents)


def _without_tokens(
    manifest: Manifest, names: Mapping[str, str], sealer: Sealer, typed: Sealer
) -> tuple[Manifest, list[Manifest]]:
    pod = kubernetes.pod_spec(manifest)
    if pod is None:
        return manifest, []
    pod = pods.following(pods.ungated(pod), names)
    _, uses = variables.with_variables(pod, lambda _: "")
    own = {
        is_typed_one: _secret_for_pod(manifest, chosen, typed if is_typed_one else sealer, suffix)
        for is_typed_one, suffix in ((False, "secrets"), (True, "typed"))
        if (chosen := [use for use in uses if is_typed(use.token) is is_typed_one])
    }
    pod, _ = variables.with_variables(pod, lambda token: kubernetes.name(own[is_typed(token)]))
    return pods.with_pod_spec(manifest, pod), list(own.values())


def _secret_for_pod(manifest: Manifest, uses: list[Use], sealer: Sealer, suffix: str) -> Manifest:
    contents = Contents({}, uses)
    name = f"{kubernetes.name(manifest)}-{suffix}"
    if not RUN_TIME.search(kubernetes.name(manifest)):
        # The pods of a job run once; these are to be rolled by a new name.
        name = f"{name}-{sealer.fingerprint(contents)}"
    metadata = {
        **{key: value for key, value in manifest["metadata"].items() if key == "namespace"},
        "name": name,
        "labels": {**kubernetes.labels(manifest), **OWN_LABEL},
    }
    return sealer.secret(title(manifest), metadata, contents)


def _require_no_trace(manifest: Manifest) -> None:
    shown = manifest
    if manifest["kind"] == "Secret":
        shown = {**manifest, "data": {k: from_base64(code) for k, code in manifest["data"].items()}}
    for path, text in texts(shown):
        if TRACE.search(text):
            keys = ", ".join(sorted(keys_in(text))) or "a token that a filter has changed"
            raise DeployError(
                f"{title(manifest)}, {'.'.join(path)}",
                f"a secret cannot go there ({keys})",
                "use it in a file of a ConfigMap or in a container's env, command or args, "
                "and without Jinja's own filters",
            )


def texts(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """(path, text) of every text in a manifest; keys count as texts."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield (*path, "key"), str(key)
            yield from texts(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, (*path, str(index)))


def tokens(value: Any) -> set[str]:
    """Every token in a manifest, or several."""
    return {match[0] for _, text in texts(value) for match in TOKEN.finditer(text)}


def title(manifest: Manifest) -> str:
    """`Kind name`, for errors."""
    return f"{manifest['kind']} {kubernetes.name(manifest)}"
