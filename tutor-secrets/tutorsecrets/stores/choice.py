"""Edge: the store that the settings choose."""

from __future__ import annotations

from tutor.types import Config, get_typed
from tutoraws.services import session

from tutorsecrets import settings
from tutorsecrets.stores.parameterstore import ParameterStore
from tutorsecrets.stores.secretsmanager import SecretsManagerStore
from tutorsecrets.stores.store import Store


def chosen(config: Config) -> Store:
    """The store of this instance, in the region of the aws plugin's AWS_REGION or the environment.

    Raises AwsError if there is no region, or if AWS' settings cannot be used.
    """
    own = settings.read(config)
    region = get_typed(config, "AWS_REGION", str, "") or None
    if own.store == settings.PARAMETER_STORE:
        return ParameterStore(session.client("ssm", region), own.name, own.kms_key, own.tags)
    client = session.client("secretsmanager", region)
    return SecretsManagerStore(client, own.name, own.kms_key, own.tags)
