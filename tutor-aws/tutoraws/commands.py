"""Wiring: `tutor aws …`."""

from __future__ import annotations

import click
from tutor import fmt
from tutor.commands.context import Context


@click.group(name="aws", short_help="What an instance needs on AWS")
def aws() -> None:
    """What an instance needs on AWS."""


@aws.command(name="ca-bundle")
@click.option("--region", help="AWS region of the database [default: AWS_REGION]")
@click.pass_obj
def ca_bundle(context: Context, region: str | None) -> None:
    """Fetch the certificate authorities of Amazon RDS into the Tutor root.

    Shows the checksum, what has changed, and the command that makes MySQL verified with them.
    """
    from tutoraws import truststore

    fmt.echo_info(truststore.renewed(context.root, region))
