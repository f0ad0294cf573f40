"""Wiring: `tutor secrets …`."""

from __future__ import annotations

import click
from tutor import config as tutor_config
from tutor import env as tutor_env
from tutor import fmt
from tutor.commands.context import Context

from tutorsecrets import settings
from tutorsecrets.tokens import keys_in


@click.group(name="secrets", short_help="Manage the secrets of this instance")
def command() -> None:
    """Manage the secrets of this instance, which AWS Secrets Manager keeps."""


@command.command()
@click.pass_obj
def init(context: Context) -> None:
    """Make up the secrets that are missing in the store.

    Values that are there are never changed or shown: run it as often as you like.
    """
    from tutorsecrets import configuration, providers

    config = tutor_config.load(context.root)
    name = settings.read(config).name
    added = providers.complete(
        providers.AwsStore(config),
        name,
        settings.wanted(keys_in(dict(config)), configuration.known_secrets()),
        lambda template: tutor_env.render_str(config, template),
    )
    fmt.echo_info(f"Secret {name}: " + (f"added {', '.join(added)}" if added else "complete"))
