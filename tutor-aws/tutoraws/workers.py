"""What Celery's workers work on. Pure."""

from __future__ import annotations

from collections.abc import Iterable

QUEUES = "--queues="
# Where ORA2 sends the tasks that go on with blocked submissions. The platform routes them there,
# and no worker of Tutor's looks there.
ORA2_QUEUE = "edx.lms.core.ora_workflow_update"


def with_ora2(command: Iterable[str]) -> list[str]:
    """The command of the LMS' worker, with ORA2's queue among its own."""
    return [_with_ora2(word) if word.startswith(QUEUES) else word for word in command]


def _with_ora2(option: str) -> str:
    queues = option.removeprefix(QUEUES).split(",")
    return QUEUES + ",".join(dict.fromkeys([*queues, ORA2_QUEUE]))
