"""The instance's passwords, and whether users who know others get them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tutoraws.bootstrap.program.report import BootstrapError


@dataclass(frozen=True)
class Passwords:
    """Setting → value, never shown."""

    values: Mapping[str, str] = field(repr=False)
    reset: bool = False

    def __getitem__(self, setting: str) -> str:
        return self.values[setting]

    def require_reset(self, user: str) -> None:
        """Raise BootstrapError, unless users who know another password are to get the instance's.

        Whoever is in use would be locked out, should these passwords be of another instance.
        """
        if not self.reset:
            raise BootstrapError(
                user,
                "knows another password, so nothing was changed",
                "if the instance's is the right one, run this again with --reset-passwords",
            )
