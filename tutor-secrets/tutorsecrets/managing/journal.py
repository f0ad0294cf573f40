"""The journal of a rotation: all that it takes to go on with one, in one entry of the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from tutorplatform.errors import DeployError

from tutorsecrets.managing.databases import DatabaseUser
from tutorsecrets.stores.entries import PENDING

# No rotation is under way. A store keeps no empty values.
NOTHING = "{}"


@dataclass(frozen=True)
class Journal:
    """Setting → its new value, never shown, and the users who take over.

    `previous` has the values before, of the users' passwords only.
    """

    values: Mapping[str, str] = field(repr=False)
    users: tuple[DatabaseUser, ...] = ()
    previous: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def keys(self) -> list[str]:
        """The settings that get a new value."""
        return sorted(self.values)

    @property
    def text(self) -> str:
        """The entry as it is stored."""
        users = [asdict(user) for user in self.users]
        document = {
            "values": dict(self.values),
            "users": users,
            "previous": dict(self.previous),
        }
        return json.dumps(document, ensure_ascii=False)


def parsed(entry: str | None) -> Journal | None:
    """The journal in an entry; None if no rotation is under way.

    Raises DeployError, which shows nothing of it, if it is none.
    """
    try:
        document = json.loads(entry or NOTHING)
        if not document:
            return None
        journal = Journal(
            dict(document["values"]),
            tuple(DatabaseUser(**user) for user in document["users"]),
            dict(document.get("previous", {})),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        # Not chained: the error carries the text.
        raise _unreadable() from None
    texts = [text for each in (journal.values, journal.previous) for text in each]
    texts += [*journal.values.values(), *journal.previous.values()]
    texts += [text for user in journal.users for text in asdict(user).values()]
    passwords = {user.password_key for user in journal.users}
    if not all(isinstance(text, str) for text in texts) or not passwords <= journal.values.keys():
        raise _unreadable()
    return journal


def _unreadable() -> DeployError:
    return DeployError(
        f"entry {PENDING} of the store",
        "is not what a rotation writes there",
        "put the version before back; or write {} there, if `tutor k8s start` works, "
        "and rotate the same settings once more",
    )
