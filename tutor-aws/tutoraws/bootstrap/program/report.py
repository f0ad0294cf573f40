"""What the Job says: each thing that an instance needs, and whether it had to be made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class BootstrapError(Exception):
    """`where: what is wrong; what to do`. Never with text of a server, which may quote a value."""

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(f"{where}: {problem}; {remedy}")


@dataclass
class Report:
    """Says each thing as it comes, on `say`, and counts what was changed."""

    say: Callable[[str], None]
    changes: int = 0

    def there(self, what: str) -> None:
        """Nothing had to be done."""
        self.say(f"{what}: is there")

    def did(self, what: str, deed: str) -> None:
        """Something was made or changed."""
        self.changes += 1
        self.say(f"{what}: {deed}")

    def mind(self, what: str) -> None:
        """Nothing was done, but somebody should know."""
        self.say(f"Mind: {what}")

    @property
    def sum(self) -> str:
        """The last line."""
        if not self.changes:
            return "Everything was there; nothing was changed."
        return (
            f"Done; {self.changes} {'thing was' if self.changes == 1 else 'things were'} changed."
        )
