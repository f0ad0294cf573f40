"""Texts with tokens → an object that brings their values into the cluster.

A sealer decides what kind of object that is. `Direct` makes Kubernetes Secrets, with values that
it is given; `external.External` makes objects of the External Secrets Operator, without any.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest

from tutorsecrets.rewriting import files, variables
from tutorsecrets.rewriting.encodings import HARMLESS_WORDS, Encoding, encoded
from tutorsecrets.rewriting.variables import Use
from tutorsecrets.stores.entries import HASH_KEY
from tutorsecrets.tokens import keys_in, parse, token

# A token → its value. Raises DeployError if there is none.
Lookup = Callable[[str], str]

REMEDIES = {
    Encoding.VARIABLE: "choose a value without NUL characters in the store",
    Encoding.SQL: "choose a value of ASCII characters without NUL in the store",
    Encoding.ANYTHING: f"choose a value of {HARMLESS_WORDS} in the store, or put the token between "
    "double quotes in a Python, YAML or JSON file",
}


@dataclass(frozen=True)
class Contents:
    """What a Secret is to hold, under their names.

    `files` are texts with tokens, `uses` are what variables stand for, `encoded` is base64 of
    what has no tokens in it, `type` is what Kubernetes calls it.
    """

    files: Mapping[str, str]
    uses: Sequence[Use] = ()
    encoded: Mapping[str, str] = field(default_factory=dict)
    type: str = "Opaque"

    @property
    def texts(self) -> dict[str, str]:
        """All that has tokens in it."""
        return {**self.files, **{variables.name(use): use.token for use in self.uses}}


class Sealer(Protocol):
    """Makes the objects that bring values into the cluster."""

    def fingerprint(self, contents: Contents) -> str:
        """Ten hexadecimal digits that change when anything of the contents does."""

    def secret(self, title: str, metadata: Mapping[str, Any], contents: Contents) -> Manifest:
        """The object after which there is a Secret with this metadata and contents.

        `title` is for errors: DeployError if a value cannot be where its token is.
        """


@dataclass(frozen=True)
class Direct:
    """Secrets with the values in them."""

    lookup: Lookup

    def fingerprint(self, contents: Contents) -> str:
        """A keyed hash: from a plain one a short password could be guessed."""
        # Of texts and values, not of the result: `encrypt` salts anew on each run, and no pod
        # must be rolled for that.
        values = {key: self.lookup(token(key)) for key in sorted(keys_in(contents.texts))}
        message = json.dumps([contents.texts, values], sort_keys=True).encode()
        key = self.lookup(token(HASH_KEY)).encode()
        return hmac.new(key, message, hashlib.sha256).hexdigest()[:10]

    def secret(self, title: str, metadata: Mapping[str, Any], contents: Contents) -> Manifest:
        texts = {
            **{
                name: files.filled(text, f"{title}, {name}", self._write, self.lookup)
                for name, text in contents.files.items()
            },
            **{
                variables.name(use): self._write(use.token, use.encoding, title)
                for use in contents.uses
            },
        }
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": dict(metadata),
            "type": contents.type,
            "data": {
                **contents.encoded,
                **{name: in_base64(text) for name, text in texts.items()},
            },
        }

    def _write(self, text: str, encoding: Encoding, where: str) -> str:
        written = encoded(self.lookup(text), encoding)
        if written is None:
            raise DeployError(
                where,
                f"the value of {parse(text).key} cannot be written there unchanged",
                REMEDIES[encoding],
            )
        return written


def in_base64(text: str) -> str:
    """As Kubernetes has it in `data`."""
    return base64.b64encode(text.encode()).decode()


def from_base64(data: str | None) -> str:
    """The text, as far as it is one."""
    return base64.b64decode(data or "").decode("utf-8", "replace")
