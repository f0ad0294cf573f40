"""Wiring: `make demo`: starts emulator and cluster, tells the story, cleans up."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from localcluster.cluster import LocalCluster
from localservices.aws import AwsEmulator
from rich.console import Console

from demo import running
from demo.instances import REGION
from demo.report import Checks
from demo.story import Story
from demo.view import View

OUTPUT = Path("demo-output")


def main() -> int:
    """0 if every claim of the demo held."""
    return running.run("demo", partial(tell, keep=bool(os.environ.get("KEEP"))))


def tell(console: Console, keep: bool) -> int:
    """Run the story on a fresh emulator and cluster; with `keep` leave it running until Ctrl-C."""
    OUTPUT.mkdir(exist_ok=True)
    checks = Checks(console)
    started = time.monotonic()

    def progress(text: str) -> None:
        console.print(text, highlight=False)

    with (
        tempfile.TemporaryDirectory(prefix="demo-") as workspace,
        AwsEmulator(REGION, progress=progress) as aws,
        LocalCluster(progress=progress) as cluster,
    ):
        up = f"{time.monotonic() - started:.0f} s, the cluster takes {cluster.memory_mib():.0f} MiB"
        progress(f"AWS emulator and cluster are up after {up}")
        environment = {**cluster.environment, **aws.environment}
        story = Story(View(cluster), environment, console, Path(workspace), OUTPUT, checks)
        run(story)
        if keep:
            leave_running(console, story)
    seconds = time.monotonic() - started
    progress(f"{len(checks.failed)} of the claims failed; {seconds:.0f} s in all")
    return 1 if checks.failed else 0


def run(story: Story) -> None:
    """The steps of the story."""
    story.console.rule("two instances")
    story.create()
    story.launch()
    story.show()
    story.console.rule("load")
    story.raise_load()
    story.console.rule("a zone is lost")
    zone = story.lose_zone()
    story.heal(zone)


def leave_running(console: Console, story: Story) -> None:
    """Say how to reach what is running, and wait for Ctrl-C."""
    console.rule("left running (KEEP=1); Ctrl-C stops it")
    # Where `tutor` is, too: in this program's own environment.
    path = os.pathsep.join([str(Path(sys.executable).parent), story.environment["PATH"]])
    for name, value in sorted({**story.environment, "PATH": path}.items()):
        console.print(f"export {name}='{value}'", highlight=False, soft_wrap=True)
    for number, root in enumerate(story.roots.values()):
        choice = "# or: " if number else ""
        line = f"{choice}export TUTOR_ROOT='{root.path}'"
        console.print(line, highlight=False, soft_wrap=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        console.print("stopping")


if __name__ == "__main__":
    sys.exit(main())
