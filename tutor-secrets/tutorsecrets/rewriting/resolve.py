"""Tokens + values → the value that each token stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jinja2
from tutorplatform.errors import DeployError

from tutorsecrets.recording import Filter
from tutorsecrets.tokens import Recording, parse

# For its own filters.
JINJA = jinja2.Environment()


@dataclass(frozen=True)
class Values:
    """Setting → value, as they are in `source` (`secret openedx/acme`); never shown."""

    source: str
    by_key: Mapping[str, str] = field(repr=False)

    def get(self, key: str) -> str:
        """The value of `key`; DeployError if there is none, or an empty one.

        A template has already taken the branch for "there is a password", so an empty value
        would not mean what it means to Tutor.
        """
        if key not in self.by_key:
            raise DeployError(
                self.source,
                f"the key {key} is missing",
                "run `tutor secrets init`, or add the key there",
            )
        if not self.by_key[key]:
            raise DeployError(
                self.source,
                f"the key {key} is empty",
                "give it a value there, or delete it and run `tutor secrets init`",
            )
        return self.by_key[key]


def resolved(token: str, values: Values, filters: Mapping[str, Filter]) -> str:
    """The value that `token` stands for, after the filters and attributes recorded on it.

    `filters` are those of Tutor and its plugins.
    Raises DeployError if the value is missing, or if a filter cannot take it.
    """
    recording = parse(token)
    value: Any = values.get(recording.key)
    try:
        return str(_after_steps(value, recording, filters))
    except Exception as error:
        # Not chained: whatever a filter says may quote the value.
        raise DeployError(
            values.source,
            f"the value of {recording.key} does not suit the template "
            f"({type(error).__name__} after {', '.join(step.name for step in recording.steps)})",
            "correct the value there",
        ) from None


def _after_steps(value: Any, recording: Recording, filters: Mapping[str, Filter]) -> Any:
    for step in recording.steps:
        if step.arguments is None:
            value = getattr(value, step.name)
        else:
            args, kwargs = step.arguments
            value = (
                filters[step.name](value, *args, **kwargs)
                if step.name in filters
                else JINJA.call_filter(step.name, value, args, kwargs)
            )
    return value
