"""Objects of the External Secrets Operator (ESO), which reads the values itself.

Nobody who deploys needs the values. What cannot be known here is checked in the operator, by the
template of each Secret: it fails rather than write a value that would not arrive unchanged.
https://external-secrets.io/latest/api/externalsecret/
https://external-secrets.io/latest/guides/templating/
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest

from tutorsecrets.rewriting import files, variables
from tutorsecrets.rewriting.encodings import HARMLESS, HARMLESS_WORDS, Encoding
from tutorsecrets.rewriting.sealing import Contents
from tutorsecrets.settings import PARAMETER_STORE, Settings
from tutorsecrets.tokens import TOKEN, parse, stored_name

API_VERSION = "external-secrets.io/v1"
KIND = "ExternalSecret"
RESOURCE = "externalsecrets.external-secrets.io"

# What the operator reads with, and nothing else does.
STORE_RESOURCES = "secretstores.external-secrets.io,serviceaccounts"

# The SecretStore, and the service account with the instance's own role.
STORE = "tutor-secrets"

# Around the number of a part of a template, where nothing else has it: it is for private use.
MARK = "\ue000"


def _text(value: str) -> str:
    # A string of Go's is written like one of JSON's.
    return json.dumps(value)


def _replaced(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f" | replace {_text(old)} {_text(new)}" for old, new in pairs)


# What follows the value in a template. JSON's escapes are those of Python and YAML too, but for
# the quotes and braces of Python, and for two characters that YAML folds or drops.
PIPELINES = {
    Encoding.STRING: (
        f" | toJson | trimPrefix {_text(chr(34))} | trimSuffix {_text(chr(34))}"
        + _replaced((each, f"\\u{ord(each):04x}") for each in ("'", "{", "}", "\x85", "\ufeff"))
    ),
    Encoding.SQL: _replaced(
        (("\\", "\\\\"), ("'", "\\'"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"))
    ),
}

# A regular expression that finds what cannot be written, and what is wrong with it.
UNFIT = {
    Encoding.STRING: (
        r"[\x{7f}-\x{84}\x{86}-\x{9f}\x{fffe}\x{ffff}]",
        "has a control character",
    ),
    Encoding.VARIABLE: (r"\x00", "has a NUL character"),
    Encoding.SQL: (r"[\x00\x1a]|[^\x00-\x7f]", "has a control character or is not ASCII"),
    Encoding.ANYTHING: (
        HARMLESS.pattern.replace("[", "[^", 1).rstrip("*"),
        f"can be of {HARMLESS_WORDS} only",
    ),
}


@dataclass(frozen=True)
class External:
    """ExternalSecrets, without any value."""

    settings: Settings

    def fingerprint(self, contents: Contents) -> str:
        """A hash of the texts with their tokens; nothing in it is secret."""
        message = json.dumps([contents.texts, dict(contents.encoded)], sort_keys=True)
        return hashlib.sha256(message.encode()).hexdigest()[:10]

    def secret(self, title: str, metadata: Mapping[str, Any], contents: Contents) -> Manifest:
        """An ExternalSecret whose template writes each file and variable."""
        data = {
            **{name: _literal(_decoded(title, text)) for name, text in contents.encoded.items()},
            **{name: template(text, name) for name, text in contents.files.items()},
            **{variables.name(use): written(use.token, use.encoding) for use in contents.uses},
        }
        labels = metadata.get("labels") or {}
        return {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": dict(metadata),
            "spec": {
                "refreshInterval": self.settings.external.refresh_interval,
                "secretStoreRef": {"kind": "SecretStore", "name": STORE},
                "target": {
                    "name": metadata["name"],
                    "creationPolicy": "Owner",
                    "template": {
                        "engineVersion": "v2",
                        "type": contents.type,
                        "metadata": {"labels": labels},
                        "data": data,
                    },
                },
                "data": [self._entry(token) for token in _tokens(contents)],
            },
        }

    def _entry(self, token: str) -> dict[str, Any]:
        return {"secretKey": stored_name(token), "remoteRef": place(self.settings, token)}


def place(settings: Settings, token: str) -> dict[str, str]:
    """Where the operator finds a token's value: a secret or parameter, and a key of its JSON."""
    name = stored_name(token)
    if name in settings.references:
        key, _, json_key = settings.references[name].partition("#")
        return {"key": key, **({"property": json_key} if json_key else {})}
    if settings.store == PARAMETER_STORE:
        return {"key": f"/{settings.name}/{name}"}
    return {"key": settings.name, "property": name}


def store_objects(
    settings: Settings, namespace: str, region: str, labels: Mapping[str, str]
) -> list[Manifest]:
    """The SecretStore of one instance, which reads with the role of its own service account.

    https://external-secrets.io/latest/provider/aws-secrets-manager/
    """
    metadata = {"name": STORE, "namespace": namespace, "labels": dict(labels)}
    return [
        _service_account(metadata, settings.external.role_arn),
        _secret_store(metadata, settings, region),
    ]


def _service_account(metadata: Mapping[str, Any], role_arn: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {**metadata, "annotations": {"eks.amazonaws.com/role-arn": role_arn}},
        "automountServiceAccountToken": False,
    }


def _secret_store(metadata: Mapping[str, Any], settings: Settings, region: str) -> Manifest:
    provider = {
        "service": "ParameterStore" if settings.store == PARAMETER_STORE else "SecretsManager",
        "region": region,
        "auth": {"jwt": {"serviceAccountRef": {"name": STORE}}},
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "SecretStore",
        "metadata": dict(metadata),
        "spec": {"provider": {"aws": provider}},
    }


def written(token: str, encoding: Encoding) -> str:
    """The part of a template that writes a token's value."""
    value = f"index . {_text(stored_name(token))}"
    key = parse(token).key
    unfit, problem = UNFIT.get(encoding, ("", ""))
    return "".join(
        (
            _failing(f"empty ({value})", f"{key} is empty"),
            _failing(f"regexMatch {_text(unfit)} ({value})", f"{key} {problem}") if unfit else "",
            f"{{{{ {value}{PIPELINES.get(encoding, '')} }}}}",
        )
    )


def _failing(condition: str, problem: str) -> str:
    return f"{{{{ if {condition} }}}}{{{{ fail {_text(problem)} }}}}{{{{ end }}}}"


def template(text: str, file: str) -> str:
    """The template of a file: all of it literal but for its tokens."""
    parts: list[str] = []

    def mark(token: str, encoding: Encoding, _where: str) -> str:
        parts.append(written(token, encoding))
        return f"{MARK}{len(parts) - 1}{MARK}"

    literal = _literal(files.template(text, file, mark))
    return re.sub(f"{MARK}(\\d+){MARK}", lambda match: parts[int(match[1])], literal)


def _literal(text: str) -> str:
    return text.replace("{{", '{{ "{{" }}')


def _decoded(title: str, code: str) -> str:
    try:
        return base64.b64decode(code).decode()
    except UnicodeDecodeError as error:
        raise DeployError(
            title,
            "has binary data beside a token, which external-secrets cannot write",
            "keep the two in ConfigMaps of their own, or use SECRETS_MODE: direct",
        ) from error


def _tokens(contents: Contents) -> list[str]:
    return sorted({match[0] for text in contents.texts.values() for match in TOKEN.finditer(text)})
