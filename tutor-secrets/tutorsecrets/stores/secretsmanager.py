"""Edge: AWS Secrets Manager as the store: one JSON secret per instance, for $0.40 a month."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timezone

from tutoraws.services import secretsmanager
from tutoraws.services.secretsmanager import ChangedError
from tutorplatform.errors import ConfigError

from tutorsecrets.stores.documents import Document, parsed, referred
from tutorsecrets.stores.store import Content

DESCRIPTION = "Secrets of one Open edX instance"

# How often a write that somebody else came before is tried, and how long we wait in between: what
# was just written may take a moment until everybody reads it.
ATTEMPTS = 5
PAUSE_S = 0.5


class SecretsManagerStore:
    """The secret `name`, and others that settings refer to."""

    def __init__(
        self,
        client: secretsmanager.SecretsManager,
        name: str,
        kms_key: str,
        tags: Mapping[str, str],
    ) -> None:
        self.title = f"secret {name}"
        self.region: str = client.meta.region_name
        self._client = client
        self._name = name
        self._kms_key = kms_key
        self._tags = tags

    def read(self, references: Mapping[str, str]) -> Content | None:
        """The JSON secret, and the others with it: one call per 20 of them."""
        others = {reference.partition("#")[0] for reference in references.values()}
        found = secretsmanager.read(self._client, [self._name, *sorted(others)])
        if self._name not in found:
            return None
        own = found[self._name]
        document = parsed(self._name, own.text)
        texts = {name: secret.text for name, secret in found.items()}
        values = {
            key: referred(f"SECRETS_REFERENCES.{key}", reference, texts, self.region)
            for key, reference in references.items()
        }
        dates = {
            key: found[reference.partition("#")[0]].created for key, reference in references.items()
        }
        # What somebody else wrote there is at least as old as this version of the secret.
        known = {**dict.fromkeys(document.values, own.created), **document.changed}
        return Content({**document.values, **values}, {**known, **dates})

    def write(self, changes: Mapping[str, str], *, keep_existing: bool = False) -> list[str]:
        """One new version of the secret, which keeps the one before as AWSPREVIOUS.

        It takes the place of the version that was read and of no other: where somebody else
        was quicker, their version is read, and the changes are made to that one.
        """
        for _ in range(ATTEMPTS - 1):
            try:
                return self._write(changes, keep_existing)
            except ChangedError:
                time.sleep(PAUSE_S)
        return self._write(changes, keep_existing)

    def _write(self, changes: Mapping[str, str], keep_existing: bool) -> list[str]:
        found = secretsmanager.read(self._client, [self._name]).get(self._name)
        document = parsed(self._name, found.text) if found else Document({})
        kept = document.values if keep_existing else {}
        wanted = {key: value for key, value in changes.items() if key not in kept}
        if not wanted:
            return []
        text = self._text(document, wanted)
        if found:
            secretsmanager.update(self._client, self._name, text, instead_of=found.version)
        else:
            self._create(text)
        return list(wanted)

    def _text(self, document: Document, changes: Mapping[str, str]) -> str:
        text = document.with_changes(changes, datetime.now(timezone.utc)).text
        if len(text.encode()) > secretsmanager.MAX_BYTES:
            raise ConfigError(
                self.title,
                f"would have more than the {secretsmanager.MAX_BYTES} bytes that fit "
                f"with {', '.join(sorted(changes))}",
                "choose shorter values",
            )
        return text

    def _create(self, text: str) -> None:
        if self._name.startswith("arn:"):
            raise ConfigError(
                "SECRETS_NAME",
                f"there is no secret with this ARN in {self.region}, and AWS gives new ones",
                "correct it, or write the name that a new secret is to have, like 'openedx/acme'",
            )
        secretsmanager.create(
            self._client,
            self._name,
            text,
            description=DESCRIPTION,
            kms_key=self._kms_key,
            tags=self._tags,
        )

    def deviations(self) -> list[tuple[str, str]]:
        """KMS key and tags, which are changed in AWS only."""
        found = secretsmanager.describe(self._client, self._name)
        problems = []
        if self._kms_key and not found.kms_key.endswith(self._kms_key.rpartition("/")[2]):
            problems.append(
                (
                    "is not encrypted with SECRETS_KMS_KEY",
                    f"run `aws secretsmanager update-secret --secret-id {self._name} "
                    f"--kms-key-id {self._kms_key}`",
                )
            )
        lacking = {key: text for key, text in self._tags.items() if found.tags.get(key) != text}
        if lacking:
            tags = " ".join(f"Key={key},Value={text}" for key, text in lacking.items())
            problems.append(
                (
                    f"lacks the tags {', '.join(lacking)}",
                    f"run `aws secretsmanager tag-resource --secret-id {self._name} --tags {tags}`",
                )
            )
        return problems
