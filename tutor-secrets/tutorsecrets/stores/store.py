"""The store: where the values of an instance are kept between deployments.

Another kind of store is one more module in `stores/`, with a class that has these methods.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Content:
    """What a store has for an instance: setting → value, never shown, and when it was changed."""

    values: Mapping[str, str] = field(repr=False)
    changed: Mapping[str, datetime] = field(default_factory=dict)


class Store(Protocol):
    """The values of one instance."""

    # What an operator finds them by: `secret openedx/acme`.
    title: str
    # Where it is looked for: `eu-west-1`.
    region: str

    def read(self, references: Mapping[str, str]) -> Content | None:
        """The instance's values, with those of `references`: setting → where else it is.

        None if nothing was ever written. Raises DeployError or AwsError for what cannot be read.
        """

    def write(self, changes: Mapping[str, str], *, keep_existing: bool = False) -> list[str]:
        """Add values, or replace them; all others stay, also those that others write meanwhile.

        With `keep_existing` none is replaced, not even one that appeared a moment ago. Returns
        the settings that were written. Raises ConfigError for a value that is too long.
        """

    def deviations(self) -> list[tuple[str, str]]:
        """How the store differs from its settings (KMS key, tags): (problem, what to do)."""
