"""Edge: waits for what ends by itself, visibly, and not forever."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tutor import fmt
from tutorplatform.errors import PlatformError

POLL_S = 5.0
# A worker may have a quarter of an hour for the task that it is at.
TIMEOUT_S = 20 * 60
# Often enough to see that something is waited for.
SAY_S = 30


@dataclass(frozen=True)
class Clock:
    """Seconds since whenever, and how to spend some."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def wait_until_none(left: Iterator[list[str]], clock: Clock = Clock()) -> None:
    """Wait until `left` gives an empty list: who still has an old password, now.

    Raises PlatformError after 20 minutes.
    """
    begin = clock.now()
    said, said_at = list[str](), begin
    while names := next(left):
        waited = clock.now() - begin
        if waited >= TIMEOUT_S:
            raise PlatformError(
                ", ".join(names),
                f"may still use the old password after {TIMEOUT_S // 60} minutes",
                "old and new user are both still valid; wait for these or delete them, then run "
                "`tutor secrets rotate`, which goes on from here",
            )
        if names != said or clock.now() - said_at >= SAY_S:
            fmt.echo_info(
                f"Waiting for {', '.join(names)} to finish with the old password "
                f"({waited:.0f} s of {TIMEOUT_S} s)..."
            )
            said, said_at = names, clock.now()
        clock.sleep(POLL_S)
