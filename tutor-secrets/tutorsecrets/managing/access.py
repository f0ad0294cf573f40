"""The IAM policies of an instance's secrets, from its settings."""

from __future__ import annotations

from tutoraws import policies

from tutorsecrets.settings import PARAMETER_STORE, Settings


def policy(settings: Settings, region: str, role: str, account: str) -> policies.Policy:
    """The policy of a role: `deployer`, `operator` or `keeper`. `*` for any region or account."""
    others = {reference.partition("#")[0] for reference in settings.references.values()}
    secrets = policies.Secrets(
        region=region,
        account=account,
        name=settings.name,
        others=sorted(others),
        kms_key=settings.kms_key,
        parameters=settings.store == PARAMETER_STORE,
    )
    return policies.secrets_policy(role, secrets)
