"""Pods that end: rolling updates as Kubernetes does them, of real uWSGI, under load."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from localservices.caddy import CaddyServer
from tutorautoscale.draining import after_requests

from tests.conftest import NewRoot
from tests.localservices.clusterip import ClusterIp
from tests.localservices.webload import Outcome, load, outcome
from tests.localservices.webpod import WebPod

pytestmark = pytest.mark.services

# How long other nodes still send requests to a pod that is to end, and how long it expects that.
PROPAGATION_S, DRAIN_S = 1, 2
GRACE_S = 120
# Half of it is more than Caddy takes in before it sends it on.
FILE = b"x" * 1_000_000


class Rollout:
    """Pods of one Deployment, the Caddy before them, and their update."""

    def __init__(self, running: ExitStack, apps: Path, drained: bool) -> None:
        self._running = running
        self._ini = (apps / "openedx" / "uwsgi.ini").read_text()
        self._drained = drained
        self._address = running.enter_context(ClusterIp())
        self.pods = [self._new_pod() for _ in range(2)]
        caddyfile = (apps / "caddy" / "Caddyfile").read_text()
        upstreams = {"lms:8000": self._address.address}
        self.caddy = running.enter_context(CaddyServer(caddyfile, upstreams))

    def _new_pod(self) -> WebPod:
        pod = self._running.enter_context(WebPod(self._ini))
        self._address.add(pod.port)
        return pod

    def end(self, pod: WebPod) -> tuple[int, float]:
        """A pod's exit status, and the seconds that its end took.

        Its address goes out of use at the same time as the hook runs, somewhat later.
        """
        removal = threading.Timer(PROPAGATION_S, self._address.remove, [pod.port])
        removal.start()
        start = time.monotonic()
        status = pod.end(pre_stop(pod) if self._drained else [], GRACE_S)
        took_s = time.monotonic() - start
        removal.join()
        return status, took_s

    def update(self) -> None:
        """Each pod is replaced in turn; a new one serves before an old one is to end."""
        for old in self.pods:
            self._new_pod()
            self.end(old)


def pre_stop(pod: WebPod) -> list[str]:
    """The command of the hook, for the port that the pod has here."""
    command: list[str] = after_requests(pod.port, DRAIN_S)["exec"]["command"]
    return command


def rollout(new_root: NewRoot, *plugins: str) -> Iterator[Rollout]:
    root = new_root(*plugins, ENABLE_WEB_PROXY=False)
    root.run("config", "save")
    with ExitStack() as running:
        yield Rollout(running, root.path / "env" / "apps", drained="autoscale" in plugins)


@pytest.fixture(params=[("autoscale",), ("autoscale", "aws", "mfe")], ids="+".join)
def ours(new_root: NewRoot, request: pytest.FixtureRequest) -> Iterator[Rollout]:
    yield from rollout(new_root, *request.param)


@pytest.fixture
def vanilla(new_root: NewRoot) -> Iterator[Rollout]:
    yield from rollout(new_root)


@pytest.fixture
def clients() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def uploads(
    clients: ThreadPoolExecutor, caddy: CaddyServer, name: str, seconds: float
) -> list[Future[Outcome]]:
    """Two that run by the time that they are returned, so that a pod that ends has one."""
    running = [
        clients.submit(outcome, caddy.port, "POST", f"/{name}/{number}", seconds, FILE)
        for number in range(2)
    ]
    time.sleep(1)
    return running


@pytest.mark.parametrize("upload_s", [5, pytest.param(60, marks=pytest.mark.proof)])
def test_an_update_drops_nothing(
    ours: Rollout, clients: ThreadPoolExecutor, upload_s: float
) -> None:
    """Neither short requests nor uploads that have begun before a pod is to end."""
    running = uploads(clients, ours.caddy, "upload", upload_s)
    with load(ours.caddy.port, 4, 0) as found:
        ours.update()
    assert {each.result().status for each in running} == {200}
    assert len(found.outcomes) > 200
    assert found.failed() == []


def test_with_vanilla_tutor_an_update_cuts_uploads(
    vanilla: Rollout, clients: ThreadPoolExecutor
) -> None:
    """Nothing else is asked meanwhile, and without the update both are done."""
    undisturbed = uploads(clients, vanilla.caddy, "undisturbed", 2)
    assert {each.result().status for each in undisturbed} == {200}
    running = uploads(clients, vanilla.caddy, "upload", 5)
    vanilla.update()
    assert {each.result().status for each in running} != {200}


def test_an_idle_pod_ends_at_once(ours: Rollout) -> None:
    status, took_s = ours.end(ours.pods[0])
    assert status == 0
    assert DRAIN_S < took_s < DRAIN_S + 10


def hook_ends(port: int, within_s: float) -> bool:
    """Whether the hook of a pod with this port ends in that time. It does not drain before."""
    command = after_requests(port, 0)["exec"]["command"]
    try:
        subprocess.run(command, check=True, timeout=within_s)
    except subprocess.TimeoutExpired:
        return False
    return True


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_hook_waits_for_connections_to_its_port(address: str) -> None:
    """One that is not accepted yet is a request, too; what the pod asks elsewhere is not."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as server:
        port = server.getsockname()[1]
        assert hook_ends(port, 3)
        with socket.create_connection((address, port)) as client:
            assert not hook_ends(port, 3)
            assert hook_ends(client.getsockname()[1] + 1, 3)
            accepted, _ = server.accept()
        with accepted:
            assert hook_ends(port, 3)


def test_caddy_finishes_what_it_has_begun(ours: Rollout, clients: ThreadPoolExecutor) -> None:
    """By itself: it needs no hook but one that waits for its address to go out of use."""
    process = ours.caddy.process
    assert process
    running = uploads(clients, ours.caddy, "upload", 4)
    process.popen.send_signal(signal.SIGTERM)
    assert {each.result().status for each in running} == {200}
    assert process.popen.wait(GRACE_S) == 0
