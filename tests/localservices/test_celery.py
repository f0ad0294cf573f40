"""Workers that end: real Celery, the rendered command and settings, a Redis that speaks TLS."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from localcluster.model import LOOPBACK
from localcluster.processes import wait_for
from localservices.redis import RedisServer
from tutorautoscale.draining import after_start
from tutorautoscale.workers import with_concurrency
from tutoraws.access import redis_rules
from tutorplatform import manifests
from tutorplatform.instance import Instance

from demo.tutor import TutorRoot
from tests.conftest import NewRoot
from tests.localservices.workerpod import REPOSITORY, WorkerPod

pytestmark = pytest.mark.services

PASSWORD = "made-up-for-workers"
PROCESSES = 2
TASKS_PER_PROCESS = 100
GRACE_S = 60


@dataclass(frozen=True)
class Line:
    """One line of the journal: which worker has begun or done what."""

    worker: str
    what: str
    task: str


class Workers:
    """Pods of one Deployment, their queue, and the journal of what they work on."""

    def __init__(
        self, running: ExitStack, command: list[str], environment: dict[str, str], journal: Path
    ) -> None:
        self._running = running
        self._command = command
        self._environment = {**environment, "JOURNAL": str(journal)}
        self._journal = journal
        journal.touch()

    def new(self, name: str, *, container: bool = False) -> WorkerPod:
        """One more pod, which only begins to start."""
        pod = WorkerPod(self._command, {**self._environment, "WORKER": name}, container)
        return self._running.enter_context(pod)

    def ready(self, name: str) -> WorkerPod:
        """One more pod, once it works."""
        pod = self.new(name)
        pod.wait_until_ready()
        return pod

    def send(self, tasks: dict[str, float]) -> None:
        """These tasks, each with the seconds that it takes."""
        words = [str(word) for task in tasks.items() for word in task]
        program = [sys.executable, "-m", "tests.localservices.worker_app", *words]
        environment = {**os.environ, **self._environment, "WORKER": "nobody"}
        subprocess.run(program, env=environment, cwd=REPOSITORY, check=True)

    def journal(self) -> list[Line]:
        return [Line(*line.split()) for line in self._journal.read_text().splitlines()]

    def names(self, what: str, worker: str | None = None) -> Counter[str]:
        """How often each task was `begun` or `done`, by this worker or by any."""
        return Counter(
            line.task
            for line in self.journal()
            if line.what == what and worker in (None, line.worker)
        )

    def wait_until(self, what: str, count: int) -> None:
        wait_for(lambda: self.names(what).total() >= count, GRACE_S, f"{count} {what}")


@pytest.fixture(scope="module")
def administrator(redis_server: RedisServer) -> Iterator[Any]:
    authority = str(redis_server.authority)
    client: Any = redis.Redis(LOOPBACK, redis_server.port, ssl=True, ssl_ca_certs=authority)
    rules = redis_rules(Instance("acme")).split()
    client.execute_command("ACL", "SETUSER", "acme", "reset", f">{PASSWORD}", *rules)
    yield client
    client.execute_command("ACL", "DELUSER", "acme")
    client.flushall()


@pytest.fixture(scope="module")
def root(administrator: Any, redis_server: RedisServer, new_root: NewRoot) -> TutorRoot:
    found = new_root(
        *("autoscale", "aws"),
        AWS_REDIS={"host": LOOPBACK, "port": redis_server.port, "username": "acme"},
        REDIS_PASSWORD=PASSWORD,
    )
    found.run("config", "save")
    return found


@pytest.fixture(scope="module")
def command(root: TutorRoot) -> list[str]:
    """What kustomize has as the container's `args`; the image has no entrypoint before them."""
    [deployment] = [
        each
        for each in manifests.of_kind(root.rendered(), "Deployment")
        if manifests.name(each) == "lms-worker"
    ]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    return with_concurrency(container["args"], PROCESSES)


@pytest.fixture
def workers(
    root: TutorRoot, command: list[str], redis_server: RedisServer, tmp_path: Path
) -> Iterator[Workers]:
    environment = {
        "TUTOR_ROOT": str(root.path),
        "SSL_CERT_FILE": str(redis_server.authority),
        "PYTHONWARNINGS": "ignore",
    }
    with ExitStack() as running:
        yield Workers(running, command, environment, tmp_path / "journal")


def waiting(administrator: Any) -> int:
    """How many tasks no worker has."""
    lists: list[bytes] = administrator.keys("acme:celery:edx.lms.core.*")
    return sum(administrator.llen(name) for name in lists)


def prefetched(administrator: Any) -> int:
    """How many tasks a worker has and has not begun."""
    found: int = administrator.hlen("acme:celery:unacked")
    return found


def test_a_worker_that_ends_finishes_its_tasks_and_gives_back_the_others(
    workers: Workers, administrator: Any
) -> None:
    """Of what it has prefetched nothing is lost, and nothing is done twice.

    A second SIGTERM, as from a kubelet that has started anew meanwhile, changes nothing.
    """
    administrator.acl_log_reset()
    old = workers.ready("old")
    long = {f"long-{number}": 20.0 for number in range(PROCESSES)}
    short = {f"short-{number}": 0.5 for number in range(PROCESSES + 2)}
    workers.send(long)
    workers.wait_until("begun", PROCESSES)
    workers.send(short)
    wait_for(lambda: prefetched(administrator) == PROCESSES, GRACE_S, "prefetched tasks")
    old.terminate()
    time.sleep(1)
    old.terminate()
    workers.ready("new")
    assert old.ended(GRACE_S) == 0
    workers.wait_until("done", len(long) + len(short))
    assert workers.names("done", "old") == Counter(long.keys())
    assert workers.names("done", "new") == Counter(short.keys())
    assert workers.names("begun") == workers.names("done")
    assert (waiting(administrator), prefetched(administrator)) == (0, 0)
    # What a worker does at its end, too, is within the rights of its instance.
    assert administrator.acl_log() == []


def test_an_update_under_load_loses_no_task(workers: Workers, administrator: Any) -> None:
    """Also while Celery replaces processes, each after the number of tasks that Tutor sets.

    That none is done twice is not said: one that has only just begun may be.
    """
    tasks = {f"task-{number}": 0.02 for number in range(2000)}
    pods = [workers.new(name) for name in ("old-0", "old-1", "new")]
    for pod in pods:
        pod.wait_until_ready()
    workers.send(tasks)
    for old, done in zip(pods[:2], (800, 1200), strict=True):
        workers.wait_until("done", done)
        old.terminate()
        assert old.ended(GRACE_S) == 0
    wait_for(lambda: set(workers.names("done")) == set(tasks), GRACE_S, "every task")
    assert workers.names("done", "new").total() > TASKS_PER_PROCESS * PROCESSES
    assert (waiting(administrator), prefetched(administrator)) == (0, 0)


def test_what_tutor_starts_is_celery_itself(root: TutorRoot, command: list[str]) -> None:
    """No shell or entrypoint stands between it and SIGTERM."""
    assert command[0] == "celery"
    assert f"--max-tasks-per-child={TASKS_PER_PROCESS}" in command
    assert not any(word.startswith(("-P", "--pool")) for word in command)
    image = (root.path / "env" / "build" / "openedx" / "Dockerfile").read_text()
    assert "ENTRYPOINT" not in image


def test_a_worker_that_ends_before_it_has_started(workers: Workers) -> None:
    """The hook waits until SIGTERM is heard, and then the worker ends without a task."""
    pod = workers.new("old", container=True)
    process = pod.pid
    subprocess.run(hook(process), check=True, timeout=GRACE_S)
    pod.terminate()
    assert pod.ended(GRACE_S) == 0


def test_without_the_hook_it_would_work_on(workers: Workers) -> None:
    """The kernel keeps from a container's first process what that has no handler for."""
    pod = workers.new("old", container=True)
    pod.terminate()
    pod.wait_until_ready()
    workers.send({"task": 0})
    workers.wait_until("done", 1)


def hook(process: int) -> list[str]:
    """The command of the hook, for the number that a container's first process has here."""
    command: list[str] = after_start()["exec"]["command"]
    return [word.replace("/proc/1/", f"/proc/{process}/") for word in command]
