"""What Celery's workers are started with. Pure."""

from __future__ import annotations

from collections.abc import Iterable

CONCURRENCY = "--concurrency"


def with_concurrency(command: Iterable[str], processes: int) -> list[str]:
    """A worker's command with this many processes, unless it says a number of its own.

    Without one Celery starts as many as the *node* has CPUs. Its spellings of the option:
    https://docs.celeryq.dev/en/stable/reference/cli.html#cmdoption-celery-worker-c
    """
    words = list(command)
    if any(_sets_concurrency(word) for word in words):
        return words
    return [*words, f"{CONCURRENCY}={processes}"]


def _sets_concurrency(word: str) -> bool:
    # The short form has its number in the next word, or right behind it.
    return word.partition("=")[0] == CONCURRENCY or word[:2] == "-c"
