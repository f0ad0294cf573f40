"""The commands of Celery's workers."""

from __future__ import annotations

import pytest
from tutorautoscale.workers import with_concurrency

COMMAND = ["celery", "--app=lms.celery", "worker", "--loglevel=info"]


def test_a_worker_has_as_many_processes_as_its_profile_says() -> None:
    """Once, however often it is asked for, and nothing else changes."""
    assert with_concurrency(COMMAND, 3) == [*COMMAND, "--concurrency=3"]
    assert with_concurrency(with_concurrency(COMMAND, 3), 5) == [*COMMAND, "--concurrency=3"]


@pytest.mark.parametrize("own", [["--concurrency=8"], ["--concurrency", "8"], ["-c", "8"], ["-c8"]])
def test_a_number_of_another_plugin_stays(own: list[str]) -> None:
    assert with_concurrency([*COMMAND, *own], 3) == [*COMMAND, *own]
