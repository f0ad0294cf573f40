"""The demo itself: its claims hold, and an interrupted one leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from platformchart import upstream

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]


@contextmanager
def demo(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A running demo, with `folder` for its temporary files and what it leaves.

    It is killed when the block ends, and its own children with it.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "demo"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT), "KEEP": ""},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_an_interrupted_demo_leaves_nothing_running(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        assert process.stdout
        for line in process.stdout:
            if "are up after" in line:
                break
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 9
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(30) == 1
    assert "everything that was started is gone" in rest
    assert [child for child in children if child.is_running()] == []
    assert {path.name for path in tmp_path.iterdir()} == {"demo-output"}


@pytest.mark.proof
def test_every_claim_of_the_demo_holds(tmp_path: Path) -> None:
    """Two instances launched, loaded, a zone lost and healed: some five minutes."""
    with demo(tmp_path) as process:
        output, _ = process.communicate()
    print(output)
    assert process.returncode == 0
    assert "✗" not in output
    for claim in (
        "the LMS of acme never had zero ready pods",
        "the LMS of beta never had zero ready pods",
        "full strength is back",
        "no secret of acme in temporary files",
    ):
        assert f"✓ {claim}" in output
    # Of the chart, which the demo goes on without where nothing is known of those in it.
    has_policies = "✓ acme cannot take a host of another instance" in output
    assert has_policies == upstream.available().knows_values
    ElementTree.parse(tmp_path / "demo-output" / "zone-loss.svg")
