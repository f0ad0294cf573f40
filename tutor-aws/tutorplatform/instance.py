"""Instance: one Open edX, which is one Tutor root and one Kubernetes namespace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tutorplatform import names


@dataclass(frozen=True)
class Instance:
    """What an instance is called, on the cluster and on the services that it shares with others."""

    name: str

    def database(self, application: str) -> str:
        """The database, and its user, of one application."""
        return names.database_name(self.name, application)

    @property
    def key_prefix(self) -> str:
        """What every Redis key of the instance starts with."""
        return names.key_prefix(self.name)

    @property
    def index_prefix(self) -> str:
        """What every search index of the instance starts with."""
        return names.index_prefix(self.name)


def instance(config: Mapping[str, Any]) -> Instance:
    """The instance of this configuration, named like its namespace; ConfigError for a bad name."""
    # As text: what is a number, a list or nothing in config.yml is no name either.
    return Instance(names.checked_instance_name(str(config["K8S_NAMESPACE"]), "K8S_NAMESPACE"))


def has_made_users(config: Mapping[str, Any]) -> bool:
    """Whether its MySQL users were made for it, and it knows no administrator of the server.

    So it is on a server that instances share, with the aws plugin: see `tutor aws instance
    bootstrap`. Both users of each database have the same password, unless a rotation is under way.
    """
    return "AWS_MYSQL" in config and not config["RUN_MYSQL"]
