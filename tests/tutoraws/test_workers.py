"""Commands of Celery's workers."""

from tutoraws.workers import with_ora2

COMMAND = [
    "celery",
    "worker",
    "--queues=edx.lms.core.default,edx.lms.core.high",
    "--without-gossip",
]


def test_the_queue_of_ora2_is_one_of_the_workers() -> None:
    """Once, however often it is asked for, and nothing else changes."""
    expected = "--queues=edx.lms.core.default,edx.lms.core.high,edx.lms.core.ora_workflow_update"
    assert with_ora2(COMMAND) == [*COMMAND[:2], expected, COMMAND[3]]
    assert with_ora2(with_ora2(COMMAND)) == with_ora2(COMMAND)


def test_a_worker_of_all_queues_stays_one() -> None:
    assert with_ora2(["celery", "worker"]) == ["celery", "worker"]
