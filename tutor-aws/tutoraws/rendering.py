"""Wiring: Tutor's configuration → the text that our patches put into Tutor's Kubernetes files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import resources
from typing import Any

import yaml
from tutor import plugins
from tutor.types import Config
from tutorplatform import manifests
from tutorplatform.broker import Broker
from tutorplatform.instance import instance

from tutoraws import (
    cdn,
    clients,
    endpoints,
    images,
    ingresses,
    meilisearch,
    mysqlnames,
    network,
    objects,
    passwords,
    settings,
)
from tutoraws.certificates import certificates
from tutoraws.hosts import public_hosts
from tutoraws.workloads import plugins_with_database


def objects_text(config: Config) -> str:
    """Our own objects, for Tutor's services.yml."""
    aws = settings.read(config)
    served = cdn.hosts(aws, public_hosts(config))
    hosts = [] if config["ENABLE_WEB_PROXY"] else served
    accounts = [
        objects.service_account(objects.SERVICE_ACCOUNT, aws.role_arn),
        *(
            [objects.service_account(objects.PLUGINS_SERVICE_ACCOUNT, aws.plugins_role_arn)]
            if clients.of_plugins(aws, config)
            else []
        ),
        objects.default_service_account(),
    ]
    return manifests.dump(
        [*accounts, *ingresses.ingresses(aws, hosts), *network.policies(aws, config)]
    )


def overrides_text(config: Config) -> str:
    """Our changes to Tutor's workloads, for its override.yml."""
    aws, loaded = settings.read(config), set(plugins.iter_loaded())
    services = plugins_with_database(config)
    accounts = {
        **dict.fromkeys(meilisearch.workloads(aws, config), objects.SERVICE_ACCOUNT),
        **dict.fromkeys(clients.of_plugins(aws, config), objects.PLUGINS_SERVICE_ACCOUNT),
    }
    return manifests.dump(
        [
            *objects.overrides(aws, certificates(aws, config), services, accounts),
            *clients.overrides(aws, services),
            *meilisearch.overrides(aws, config),
            *objects.caddies(config, loaded),
            *objects.unexposed_services(loaded),
        ]
    )


def deployments_text(config: Config) -> str:
    """Our own Deployments, for Tutor's deployments.yml."""
    return manifests.dump(meilisearch.deployments(settings.read(config), config))


def without_claim(config: Config) -> bool:
    """Whether Meilisearch has no volume of its own."""
    return meilisearch.is_ephemeral(settings.read(config), config)


def config_map_generators_text(config: Config) -> str:
    """List items for the configMapGenerator of Tutor's kustomization.yml."""
    aws = settings.read(config)
    script = (resources.files("tutoraws") / meilisearch.SCRIPT).read_text(encoding="utf-8")
    generators = [
        *objects.config_map_generators(certificates(aws, config)),
        *clients.config_map_generators(aws),
        *meilisearch.config_map_generators(aws, config, script),
    ]
    return yaml.safe_dump(generators) if generators else ""


def image(config: Config) -> Callable[[str], str]:
    """Where pods get an image of others from, as a function of its name."""
    ecr = settings.read(config).ecr
    return partial(images.cached, registry=ecr.registry, prefixes=ecr.pull_through)


def ca_folder(_config: Config) -> str:
    """Where the pods find the CA files."""
    return objects.CA_FOLDER


def request_seconds(_config: Config) -> int:
    """How long a request to the platform may take."""
    return settings.REQUEST_S


def broker(found: Broker, config: Mapping[str, Any]) -> Broker:
    """Where tasks wait: as the patch `openedx-common-settings` has it for ElastiCache."""
    if config["RUN_REDIS"]:
        return found
    return found._replace(tls=True, key_prefix=f"{instance(config).key_prefix}celery:")


def is_isolated(_found: bool, config: Mapping[str, Any]) -> bool:
    """Whether our NetworkPolicies are there."""
    return settings.read(config).network.enabled


def check(config: Config) -> None:
    """Raise ConfigError for settings that cannot be used, whatever is still missing."""
    aws = settings.read(config)
    endpoints.check(config)
    passwords.check(config)
    mysqlnames.check(config)
    meilisearch.check(config)
    certificates(aws, config)
    cdn.check(aws, config)
