"""Wiring: `tutor autoscale …`."""

from __future__ import annotations

import json

import click
from tutor.commands.context import Context


@click.group(short_help="See how workloads scale")
def autoscale() -> None:
    """See how the workloads of this instance run and scale."""


@autoscale.command()
@click.argument("names", metavar="[WORKLOAD]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="For programs: everything, as JSON")
@click.pass_obj
def show(context: Context, names: tuple[str, ...], as_json: bool) -> None:
    """Print what each workload runs with, and where each value comes from.

    Reads the configuration only; nothing is asked of a cluster.
    """
    from tutorautoscale import looking, show

    shown = looking.rows(context.root, names)
    if as_json:
        click.echo(json.dumps(show.nested(shown), indent=2))
    else:
        looking.print_table(show.telling(shown))
