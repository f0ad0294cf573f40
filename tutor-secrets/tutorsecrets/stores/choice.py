"""Edge: the store that the settings choose, and its region."""

from __future__ import annotations

from tutor.types import Config, get_typed
from tutoraws.services import session

from tutorsecrets import settings
from tutorsecrets.stores.parameterstore import ParameterStore
from tutorsecrets.stores.secretsmanager import SecretsManagerStore
from tutorsecrets.stores.store import Store


def chosen(config: Config) -> Store:
    """The store of this instance, in the region of the aws plugin's AWS_REGION or the environment.

    Raises AwsError if there is no region, or if AWS' settings cannot be used; ConfigError if
    SECRETS_NAME is a secret in another region.
    """
    own = settings.read(config)
    service = "ssm" if own.store == settings.PARAMETER_STORE else "secretsmanager"
    client = session.client(service, get_typed(config, "AWS_REGION", str, "") or None)
    settings.require_region(own.name, client.meta.region_name, "AWS is asked in")
    store = ParameterStore if own.store == settings.PARAMETER_STORE else SecretsManagerStore
    return store(client, own.name, own.kms_key, own.tags)


def region(config: Config) -> str:
    """The region of this instance's store; empty if neither settings nor environment tell.

    Raises AwsError if AWS' settings cannot be used.
    """
    arn = settings.ARN.fullmatch(settings.read(config).name)
    return (
        get_typed(config, "AWS_REGION", str, "")
        or (arn["region"] if arn else "")
        or session.default_region()
    )
