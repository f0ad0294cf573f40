"""Pods that are lost or taken by slow clients: real uWSGI, a real Caddy, its rendered Caddyfile."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from localservices.caddy import CaddyServer

from tests.conftest import NewRoot
from tests.localservices.clusterip import ClusterIp
from tests.localservices.webload import Load, load, outcome
from tests.localservices.webpod import WORKERS_PER_POD, WebPod

pytestmark = pytest.mark.services

# The more at once, the more dials: with fewer, a pool of kept connections might have none to a
# lost pod by chance, and vanilla Tutor would look well.
CLIENTS = 24
LOAD_S = 5
# Ten draws of a lost pod in a row, of which there is one in 59,000 requests.
SLOW_S = 8
UPLOAD_S = 9
PODS = 3
WORKERS = PODS * WORKERS_PER_POD


@dataclass(frozen=True)
class Instance:
    """Three pods of the LMS behind one address, and the Caddy that asks there."""

    caddy: CaddyServer
    address: ClusterIp
    pods: list[WebPod]

    def received(self) -> Counter[str]:
        """How often each path was asked for, in all pods."""
        return sum((pod.requests() for pod in self.pods), Counter[str]())


def instance(new_root: NewRoot, *plugins: str) -> Iterator[Instance]:
    root = new_root(*plugins, ENABLE_WEB_PROXY=False)
    root.run("config", "save")
    apps = root.path / "env" / "apps"
    with ExitStack() as running:
        address = running.enter_context(ClusterIp())
        ini = (apps / "openedx" / "uwsgi.ini").read_text()
        pods = [running.enter_context(WebPod(ini)) for _ in range(PODS)]
        for pod in pods:
            address.add(pod.port)
        upstreams = {"lms:8000": address.address}
        caddyfile = (apps / "caddy" / "Caddyfile").read_text()
        caddy = running.enter_context(CaddyServer(caddyfile, upstreams))
        yield Instance(caddy, address, pods)


@pytest.fixture(params=[("autoscale",), ("autoscale", "aws", "mfe")], ids="+".join)
def ours(new_root: NewRoot, request: pytest.FixtureRequest) -> Iterator[Instance]:
    yield from instance(new_root, *request.param)


@pytest.fixture
def vanilla(new_root: NewRoot) -> Iterator[Instance]:
    yield from instance(new_root)


def test_a_lost_pod_fails_no_request(ours: Instance) -> None:
    """Those that get it in the draw come to another one within seconds, and none comes twice."""
    with load(ours.caddy.port, CLIENTS, 2, "before") as before:
        pass
    assert before.failed() == []
    ours.address.lose(ours.pods[0].port)
    with load(ours.caddy.port, CLIENTS, LOAD_S, "after") as after:
        pass
    assert len(after.outcomes) > 200
    assert after.failed() == []
    assert after.slowest_s() < SLOW_S
    assert set(ours.received().values()) == {1}


def test_with_vanilla_tutor_a_lost_pod_fails_requests(vanilla: Instance) -> None:
    """After a while, which tells them from those that a connection fails which uWSGI has closed."""
    with load(vanilla.caddy.port, CLIENTS, 2, "before") as before:
        pass
    assert not slow_failures(before)
    vanilla.address.lose(vanilla.pods[0].port)
    failed: set[str] = set()
    # On a busy machine, few connections are new ones, and so go to the lost pod.
    for attempt in range(4):
        with load(vanilla.caddy.port, CLIENTS, LOAD_S, f"after-{attempt}") as after:
            pass
        failed |= slow_failures(after)
        if "GET" in failed:
            break
    assert "GET" in failed


def slow_failures(found: Load) -> set[str]:
    """Methods of those that had no answer for as long as Caddy waits for a connection."""
    return {each.method for each in found.failed() if each.seconds > 2.5}


def test_what_a_pod_may_have_done_is_not_sent_again(ours: Instance) -> None:
    """A process that ends with a request, as for want of memory: a GET goes on to others, of which
    each has its own death of it here. A POST is an error for who sent it."""
    dying = outcome(ours.caddy.port, "GET", "/dies/get")
    assert dying.status == 200
    assert ours.received()["/dies/get"] > 1
    assert outcome(ours.caddy.port, "POST", "/dies/post").status == 502
    assert ours.received()["/dies/post"] == 1


def beside_uploads(found: Instance) -> Load:
    """What others get while more upload slowly than there are workers."""
    with ThreadPoolExecutor(WORKERS + 4) as clients:
        uploads = [
            clients.submit(outcome, found.caddy.port, "POST", f"/upload/{number}", UPLOAD_S)
            for number in range(WORKERS + 4)
        ]
        # On a busy machine it takes a moment until all of them have a worker.
        time.sleep(2.5)
        with load(found.caddy.port, 2, 1) as others:
            pass
    assert {each.result().status for each in uploads} == {200}
    return others


def test_slow_uploads_leave_workers_to_others(ours: Instance) -> None:
    """Caddy takes them in, and a pod gets them when they are complete."""
    others = beside_uploads(ours)
    assert others.failed() == []
    assert others.slowest_s() < UPLOAD_S / 3


def test_with_vanilla_tutor_slow_uploads_take_all_workers(vanilla: Instance) -> None:
    # Now and then one fails, on a connection that uWSGI has closed.
    assert beside_uploads(vanilla).slowest_s() > UPLOAD_S / 2


def test_a_service_that_is_down_is_an_error_in_seconds(ours: Instance) -> None:
    """Whatever else waits: the number of dials is bounded."""
    for pod in ours.pods:
        ours.address.remove(pod.port)
    for method in ("GET", "POST"):
        found = outcome(ours.caddy.port, method, "/")
        assert found.status == 502
        assert 2 < found.seconds < SLOW_S
