"""Children on loopback: they are waited for, their end is explained, and they never stay behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from localcluster import cluster, processes
from localcluster.errors import LocalClusterError
from localcluster.model import LOOPBACK
from localcluster.processes import Process


def test_a_port_that_is_taken_is_refused_by_number() -> None:
    with socket.socket() as holder:
        holder.bind((LOOPBACK, 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(LocalClusterError, match=f"^API server: port {port} .* is taken"):
            processes.require_free(port, "API server")


def test_a_cluster_on_a_taken_port_starts_nothing() -> None:
    """The port is looked at before anything is built or started."""
    with socket.socket() as holder:
        holder.bind((LOOPBACK, 0))
        holder.listen()
        taken = cluster.LocalCluster(api_port=holder.getsockname()[1])
        with pytest.raises(LocalClusterError, match="is taken"):
            taken.start()
        with pytest.raises(LocalClusterError, match=r"^cluster: does not run"):
            _ = taken.home


def test_a_cluster_that_never_ran_can_be_stopped() -> None:
    cluster.LocalCluster().stop()


def test_ports_that_are_drawn_together_differ() -> None:
    assert len(set(processes.free_ports(50))) == 50


def test_too_little_memory_is_refused_with_both_figures() -> None:
    with pytest.raises(LocalClusterError, match=r"^memory: 900 MiB are free, .* needs 1536 MiB"):
        cluster.require_memory(900)


def test_enough_memory_is_accepted() -> None:
    cluster.require_memory(cluster.NEEDED_MEMORY_MIB)


def test_a_child_that_ends_early_is_explained_by_its_last_words(tmp_path: Path) -> None:
    child = Process.start("child", ["/bin/sh", "-c", "echo no such thing; exit 3"], tmp_path)
    with pytest.raises(LocalClusterError, match=r"^child: ended with status 3: no such thing;"):
        child.wait_until(lambda: False, 10)


def test_a_child_that_never_gets_ready_is_reported_in_time(tmp_path: Path) -> None:
    child = Process.start("child", ["/bin/sh", "-c", "echo waiting; exec sleep 60"], tmp_path)
    try:
        with pytest.raises(LocalClusterError, match=r"^child: not up within 0 s: waiting;"):
            child.wait_until(lambda: None, 0.3)
    finally:
        child.kill()


def test_kill_ends_the_child_and_may_be_repeated(tmp_path: Path) -> None:
    child = Process.start("child", ["sleep", "60"], tmp_path)
    child.kill()
    child.kill()
    assert not child.alive


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_children_end_with_a_parent_that_is_killed_outright(tmp_path: Path) -> None:
    """Even SIGKILL, which no code can handle, leaves nothing running."""
    program = (
        "import pathlib, time; from localcluster.processes import Process;"
        f"p = Process.start('child', ['sleep', '60'], pathlib.Path({str(tmp_path)!r}));"
        "print(p.popen.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and is_running(child):
        time.sleep(0.05)
    assert not is_running(child)


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
