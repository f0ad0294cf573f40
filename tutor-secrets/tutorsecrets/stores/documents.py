"""The text of a secret: a JSON object, setting → value, with the times of their changes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tutorplatform.errors import DeployError

from tutorsecrets.stores.entries import CHANGED

KEY = re.compile(r"[A-Za-z]\w*", re.ASCII)


@dataclass(frozen=True)
class Document:
    """Setting → value, never shown, and setting → when it was changed, where that is known."""

    values: Mapping[str, str] = field(repr=False)
    changed: Mapping[str, datetime] = field(default_factory=dict)

    def with_changes(self, changes: Mapping[str, str], now: datetime) -> Document:
        """The document with values added or replaced, at this time."""
        return Document({**self.values, **changes}, {**self.changed, **dict.fromkeys(changes, now)})

    @property
    def text(self) -> str:
        """The document as it is stored."""
        dates = {key: when.isoformat(timespec="seconds") for key, when in self.changed.items()}
        return json.dumps({**self.values, CHANGED: json.dumps(dates)}, ensure_ascii=False)


def parsed(name: str, text: str) -> Document:
    """The document in the secret `name`.

    Raises DeployError, which shows no value, if it is no JSON object of settings and texts.
    """
    content = _json(name, text)
    values: dict[str, str] = {}
    for key, value in content.items():
        if not KEY.fullmatch(key):
            raise DeployError(
                f"secret {name}",
                f"{key!r} cannot be the name of a setting",
                "use letters, digits and _ there, a letter first",
            )
        if not isinstance(value, str):
            raise DeployError(
                f"secret {name}", f"the value of {key} is not text", "put it in double quotes there"
            )
        values[key] = value
    dates = _dates(name, values.pop(CHANGED, "{}"))
    return Document(values, dates)


def referred(where: str, reference: str, texts: Mapping[str, str], region: str) -> str:
    """The value that `reference`, `<secret>` or `<secret>#<key of its JSON>`, stands for.

    `texts` maps the secrets of a region to what they hold. Raises DeployError if there is no such
    value.
    """
    name, _, key = reference.partition("#")
    if name not in texts:
        raise DeployError(
            where, f"there is no secret {name} in {region}", "correct the name or the AWS region"
        )
    if not key:
        return texts[name]
    value = _json(name, texts[name]).get(key)
    if not isinstance(value, str):
        raise DeployError(
            where, f"secret {name} has no text under {key!r}", "correct what is after the #"
        )
    return value


def _json(name: str, text: str) -> dict[str, object]:
    try:
        content = json.loads(text)
        # Half of a surrogate pair is valid JSON, but no text that could be written to a file.
        json.dumps(content, ensure_ascii=False).encode()
    except ValueError:
        # Not chained: the error carries the text.
        raise _not_an_object(name) from None
    if not isinstance(content, dict):
        raise _not_an_object(name)
    return content


def _dates(name: str, text: str) -> dict[str, datetime]:
    try:
        return {key: datetime.fromisoformat(when) for key, when in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        raise DeployError(
            f"secret {name}", f"cannot read the dates in {CHANGED}", "delete this entry there"
        ) from None


def _not_an_object(name: str) -> DeployError:
    return DeployError(
        f"secret {name}",
        "is not a JSON object of names and texts",
        'write it as {"OPENEDX_SECRET_KEY": "…", …}',
    )
