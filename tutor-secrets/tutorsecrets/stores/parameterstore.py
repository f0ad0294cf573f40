"""Edge: AWS Systems Manager's Parameter Store as the store: a parameter per setting, for nothing.

A parameter of up to 4096 bytes costs nothing; AWS allows 40 calls per second in all.
"""

from __future__ import annotations

from collections.abc import Mapping

import click
from tutoraws.services import parameterstore
from tutoraws.services.parameterstore import ExistsError
from tutorplatform.errors import ConfigError, DeployError

from tutorsecrets.stores.store import Content


class ParameterStore:
    """The parameters below `/name/`, and others that settings refer to."""

    def __init__(
        self,
        client: parameterstore.ParameterStore,
        name: str,
        kms_key: str,
        tags: Mapping[str, str],
    ) -> None:
        self.title = f"parameters /{name}/"
        self.region: str = client.meta.region_name
        self._client = client
        self._path = f"/{name}"
        self._kms_key = kms_key
        self._tags = tags

    def read(self, references: Mapping[str, str]) -> Content | None:
        """The parameters of the path, ten per call, then the others."""
        found = parameterstore.below(self._client, self._path)
        if not found:
            return None
        others = parameterstore.read(self._client, sorted(set(references.values())))
        for key, name in references.items():
            if name not in others:
                raise DeployError(
                    f"SECRETS_REFERENCES.{key}",
                    f"there is no parameter {name} in {self.region}",
                    "correct the name or the AWS region",
                )
        found |= {key: others[name] for key, name in references.items()}
        return Content(
            {key: parameter.value for key, parameter in found.items()},
            {key: parameter.changed for key, parameter in found.items()},
        )

    def write(self, changes: Mapping[str, str], *, keep_existing: bool = False) -> list[str]:
        """One call per setting; whenever it is interrupted, repeat it."""
        for key, value in changes.items():
            if len(value.encode()) > parameterstore.MAX_BYTES:
                raise ConfigError(
                    f"{self._path}/{key}",
                    f"would have more than the {parameterstore.MAX_BYTES} bytes that fit",
                    "choose a shorter value",
                )
        existing = set(parameterstore.below(self._client, self._path))
        wanted = [key for key in changes if not (keep_existing and key in existing)]
        with click.progressbar(wanted, label=f"writing {self.title}") as progress:
            return [
                key
                for key in progress
                if self._put(key, changes[key], key in existing, keep_existing)
            ]

    def _put(self, key: str, value: str, exists: bool, keep_existing: bool) -> bool:
        try:
            parameterstore.put(
                self._client,
                f"{self._path}/{key}",
                value,
                kms_key=self._kms_key,
                tags=self._tags,
                exists=exists,
            )
        except ExistsError:
            # Since we looked, somebody else has made it.
            return not keep_existing and self._put(key, value, True, keep_existing)
        return True

    def deviations(self) -> list[tuple[str, str]]:
        """None that could be seen without a call per parameter."""
        return []
