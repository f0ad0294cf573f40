"""Wiring: `make bench-wiring`: what the plugins cost `tutor config save`, alone and together."""

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

# Of all three, and of the autoscale plugin alone.
MOST_RATIO, MOST_RATIO_ALONE = 1.10, 1.05


def main() -> int:
    """0 if the limits are kept."""
    console = Console()
    checks = Checks(console)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        plain, wired = roots(Path(folder))
        console.print(f"{len(OFFICIAL)} official plugins, without and with ours, by turns")
        compare(console, checks, "our plugins", plain, wired, MOST_RATIO)
        bare, scaled = (TutorRoot(Path(folder) / name) for name in ("bare", "scaled"))
        bare.write_config({}, ())
        scaled.write_config({}, ("autoscale",))
        console.print("Tutor alone, without and with the autoscale plugin, by turns")
        compare(console, checks, "the autoscale plugin", bare, scaled, MOST_RATIO_ALONE)
    return 1 if checks.failed else 0


def compare(
    console: Console, checks: Checks, what: str, plain: TutorRoot, ours: TutorRoot, most: float
) -> None:
    """Time `config save` of both, and check the ratio."""
    pair = paired(
        console,
        "tutor config save",
        lambda: plain.run("config", "save"),
        lambda: ours.run("config", "save"),
        SAVES,
        cpu_seconds,
    )
    plain_s, ours_s = shown(pair.first), shown(pair.second)
    console.print(f"config save, of one processor: {plain_s}, with {what} {ours_s}")
    claim = f"with {what} config save takes at most {most} times as long"
    checks.check(claim, pair.ratio <= most, f"{pair.ratio:.3f}, of {SAVES} pairs")


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
