"""Wiring: `python -m platformchart fetch|bundle|measure|docs`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from localcluster import binaries

from platformchart import bundle, measure, pages, upstream
from platformchart.errors import ChartError


def main() -> int:
    """0 if the command did what it is for."""
    parser = argparse.ArgumentParser(prog="platformchart")
    commands = parser.add_subparsers(required=True, dest="command")
    commands.add_parser("docs", help="write the generated parts of pages anew")
    fetch = commands.add_parser("fetch", help="put the charts of others into charts/")
    fetch.add_argument("--try", action="store_true", dest="tolerant", help="go on without")
    bundled = commands.add_parser("bundle", help="pack the chart, and list its images")
    bundled.add_argument("--values", type=Path, default=bundle.EVERYTHING)
    bundled.add_argument("--kubernetes", default=bundle.KUBERNETES)
    commands.add_parser("measure", help="print what an installation takes")
    chosen = parser.parse_args()
    try:
        run(chosen)
    except ChartError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def run(chosen: argparse.Namespace) -> None:
    """Do what was asked for; ChartError if that cannot be."""
    if chosen.command == "docs":
        pages.write()
        return
    helm = binaries.ensure(["helm"], print)["helm"]
    if chosen.command == "fetch":
        upstream.obtain(helm, print, chosen.tolerant)
    elif chosen.command == "bundle":
        bundle.make(helm, chosen.values, chosen.kubernetes, print)
    else:
        measure.report(helm, print)


if __name__ == "__main__":
    sys.exit(main())
