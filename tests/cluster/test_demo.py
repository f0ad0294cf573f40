"""The demo itself: its claims hold, and an interrupted one leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]


def start(folder: Path) -> subprocess.Popen[str]:
    """The demo, with `folder` for its temporary files and what it leaves."""
    return subprocess.Popen(
        [sys.executable, "-m", "demo"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT), "KEEP": ""},
    )


def test_an_interrupted_demo_leaves_nothing_running(tmp_path: Path) -> None:
    demo = start(tmp_path)
    assert demo.stdout
    for line in demo.stdout:
        if "are up after" in line:
            break
    children = psutil.Process(demo.pid).children(recursive=True)
    assert len(children) >= 9
    demo.send_signal(signal.SIGINT)
    rest = demo.stdout.read()
    assert demo.wait(30) == 1
    assert "everything that the demo started is gone" in rest
    assert [child for child in children if child.is_running()] == []
    assert {path.name for path in tmp_path.iterdir()} == {"demo-output"}


@pytest.mark.proof
def test_every_claim_of_the_demo_holds(tmp_path: Path) -> None:
    """Two instances launched, loaded, a zone lost and healed: some five minutes."""
    demo = start(tmp_path)
    output, _ = demo.communicate(timeout=1200)
    print(output)
    assert demo.returncode == 0
    assert "✗" not in output
    for claim in ("LMS of acme never had zero", "LMS of beta never had zero", "full strength"):
        assert f"✓ the {claim}" in output or f"✓ {claim}" in output
    ElementTree.parse(tmp_path / "demo-output" / "zone-loss.svg")
