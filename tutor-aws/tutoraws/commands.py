"""Wiring: `tutor aws …`."""

from __future__ import annotations

import json

import click
from tutor import fmt
from tutor.commands.context import Context


@click.group(name="aws", short_help="Manage what Open edX uses on AWS")
def aws() -> None:
    """Manage what this Open edX instance uses on AWS."""


@aws.command(name="ca-bundle")
@click.option("--region", help="AWS region of the database [default: AWS_REGION]")
@click.pass_obj
def ca_bundle(context: Context, region: str | None) -> None:
    """Fetch the certificate authorities of Amazon RDS into the Tutor root.

    Shows the checksum, what has changed, and the command that makes MySQL verified with them.
    """
    from tutoraws import truststore

    fmt.echo_info(truststore.renewed(context.root, region))


@aws.group(short_help="Manage this instance")
def instance() -> None:
    """Manage this instance, which is one Tutor root and one namespace."""


@instance.command()
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation")
@click.option(
    "--reset-passwords",
    is_flag=True,
    help="Users who know another password get the instance's; without it, they stop the run",
)
@click.pass_obj
def bootstrap(context: Context, yes: bool, reset_passwords: bool) -> None:
    """Make the databases and users of this instance on the services that it shares.

    A Job in the platform's namespace does so, with a role of its own: neither you nor the instance
    holds an administrator's password. What is there stays as it is; whenever it is interrupted,
    repeat it.
    """
    from tutoraws.bootstrap import running

    running.bootstrap(
        context.root,
        lambda question: yes or click.confirm(question),
        reset_passwords=reset_passwords,
    )


@instance.command()
@click.option("--account", default="*", help="AWS account; any, if it is left out")
@click.option("--kms-key", default="", help="The key that the administrators' secrets have")
@click.pass_obj
def policy(context: Context, account: str, kms_key: str) -> None:
    """Print the IAM policy that the role of the bootstrap's Job needs."""
    from tutor import config as tutor_config

    from tutoraws import settings
    from tutoraws.bootstrap.policy import policy as policy_of

    found = settings.read(tutor_config.load_full(context.root))
    click.echo(json.dumps(policy_of(found, account, kms_key), indent=2))
