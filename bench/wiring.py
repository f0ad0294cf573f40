"""Wiring: `make bench-wiring`: what the three plugins cost `tutor config save`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from localcluster.certificates import Authority
from rich.console import Console

from bench.timing import cpu_seconds, paired, shown
from demo import instances
from demo.report import Checks
from demo.tutor import TutorRoot

OFFICIAL = ("credentials", "discovery", "forum", "mfe", "notes", "xqueue")
OURS = ("autoscale", "aws", "secrets")
SAVES = 15

MOST_RATIO = 1.10


def main() -> int:
    """0 if the limit is kept."""
    console = Console()
    checks = Checks(console)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        plain, wired = roots(Path(folder))
        console.print(f"{len(OFFICIAL)} official plugins, without and with ours, by turns")
        pair = paired(
            console,
            "tutor config save",
            lambda: plain.run("config", "save"),
            lambda: wired.run("config", "save"),
            SAVES,
            cpu_seconds,
        )
    plain_s, wired_s = shown(pair.first), shown(pair.second)
    console.print(f"config save, of one processor: {plain_s}, with our plugins {wired_s}")
    claim = f"config save takes at most {MOST_RATIO} times as long"
    checks.check(claim, pair.ratio <= MOST_RATIO, f"{pair.ratio:.3f}, of {SAVES} pairs")
    return 1 if checks.failed else 0


def roots(folder: Path) -> tuple[TutorRoot, TutorRoot]:
    """An instance with all of Tutor's own services, and one with all of AWS'."""
    authority = folder / "databases.pem"
    authority.write_bytes(Authority.new("platform databases").pem)
    settings = instances.settings(0, authority)
    plain = TutorRoot(folder / "plain")
    own = {name: value for name, value in settings.items() if not name.startswith(("AWS_", "AUTO"))}
    plain.write_config(own, OFFICIAL)
    wired = TutorRoot(folder / "wired")
    wired.write_config(settings, [*OFFICIAL, *OURS])
    return plain, wired


if __name__ == "__main__":
    sys.exit(main())
