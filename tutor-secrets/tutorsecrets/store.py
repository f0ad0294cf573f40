"""Edge: where the values are kept. Another store than AWS Secrets Manager is one more class."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from tutor.types import Config, get_typed
from tutorplatform.errors import DeployError

from tutorsecrets import settings
from tutorsecrets.resolve import Values


class Store(Protocol):
    """Texts under names."""

    def read(self, names: Sequence[str]) -> dict[str, str]:
        """Name → text of each secret that exists."""

    def create(self, name: str, text: str) -> None:
        """Create a secret."""

    def update(self, name: str, text: str) -> None:
        """Replace a secret's text."""


class AwsStore:
    """AWS Secrets Manager, in the region of the aws plugin's AWS_REGION or of the environment."""

    def __init__(self, config: Config) -> None:
        from tutoraws.services import secretsmanager, session

        self._service = secretsmanager
        region = get_typed(config, "AWS_REGION", str, "")
        self._client = session.client("secretsmanager", region or None)

    def read(self, names: Sequence[str]) -> dict[str, str]:
        """Name → text of each secret that exists, read in as few calls as possible."""
        return self._service.read(self._client, names)

    def create(self, name: str, text: str) -> None:
        """Create a secret. Raises AwsError, also if there is one already."""
        self._service.create(self._client, name, "Secrets of one Open edX instance", text)

    def update(self, name: str, text: str) -> None:
        """Give a secret a new version."""
        self._service.update(self._client, name, text)


def deployed_values(config: Config) -> Values:
    """The values of the instance, from AWS; DeployError if its secret does not exist."""
    return values(AwsStore(config), settings.read(config).name)


def values(store: Store, name: str) -> Values:
    """The values in the JSON secret `name`.

    Raises DeployError if it does not exist or is no JSON object of texts.
    """
    text = store.read([name]).get(name)
    if text is None:
        raise DeployError(
            "SECRETS_NAME",
            f"there is no secret {name} in the store",
            "run `tutor secrets init`, or correct SECRETS_NAME or the AWS region",
        )
    return Values(name, _parsed(name, text))


def complete(
    store: Store, name: str, wanted: Mapping[str, str], generate: Callable[[str], str]
) -> list[str]:
    """Add to the secret `name` what it lacks; the keys added.

    `wanted` maps keys to templates, of which `generate` makes values. What is there is never
    changed, and everything is written in one call: whenever it is interrupted, repeat it.
    """
    text = store.read([name]).get(name)
    present = {} if text is None else _parsed(name, text)
    added = {key: generate(template) for key, template in wanted.items() if key not in present}
    content = json.dumps({**present, **added})
    if text is None:
        store.create(name, content)
    elif added:
        store.update(name, content)
    return sorted(added)


def _parsed(name: str, text: str) -> dict[str, str]:
    try:
        content = json.loads(text)
        # Half of a surrogate pair is valid JSON, but no text that could be written to a file.
        text.encode()
        json.dumps(content, ensure_ascii=False).encode()
    except ValueError:
        # Not chained: the error carries the text.
        raise _not_an_object(name) from None
    if not isinstance(content, dict):
        raise _not_an_object(name)
    for key, value in content.items():
        if not isinstance(value, str):
            raise DeployError(
                f"secret {name}",
                f"the value of {key} is not text",
                "put it in double quotes there",
            )
    return content


def _not_an_object(name: str) -> DeployError:
    return DeployError(
        f"secret {name}",
        "is not a JSON object of names and texts",
        'write it as {"OPENEDX_SECRET_KEY": "…", …}',
    )
