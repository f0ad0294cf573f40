"""Wiring: an instance's configuration → its workloads, and what is rendered for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import yaml
from tutor import env, plugins
from tutor.hooks import Contexts
from tutor.types import Config
from tutorplatform import hooks, manifests
from tutorplatform.broker import broker
from tutorplatform.errors import ConfigError
from tutorplatform.manifests import Manifest

from tutorautoscale import configuration, discovery, overrides, strategic
from tutorautoscale.effective import SETTING, Workload, effective
from tutorautoscale.hooks import AUTOSCALE_WORKLOADS
from tutorautoscale.keda import Sources
from tutorautoscale.objects import objects

# Our patch of this name is Tutor's file with all Deployments; others change them in the second.
MANIFESTS, OVERRIDES = "autoscale-manifests", "k8s-override"


class Rendered(NamedTuple):
    """Texts for Tutor's environment: entries of kustomize's `patches`, and a YAML stream."""

    patches: str
    objects: str


def rendered(config: Mapping[str, Any]) -> Rendered:
    """What a template function sees → the two files of this plugin."""
    # In Python, as its text may hold what the secrets plugin lets no template look into.
    found = workloads(config, config["patch"])
    cluster = configuration.cluster(config)
    return Rendered(
        "".join(_patch(overrides.deployment(each, cluster)) for each in found.values()),
        manifests.dump_quickly(instance_objects(config, found)),
    )


def _patch(override: Manifest) -> str:
    # With a target, as one without a match is no error: later patches may take a Deployment away.
    entry = {
        "target": {"kind": override["kind"], "name": f"^{manifests.name(override)}$"},
        "patch": json.dumps(override, ensure_ascii=False),
    }
    return f"- {json.dumps(entry, ensure_ascii=False)}\n"


def counts_requests(config: Mapping[str, Any]) -> bool:
    """Whether Caddy is to count requests, as some workload scales for them."""
    # By default none does, and to find out would be to look through all manifests.
    if not _somebody_says("requests", config):
        return False
    found = workloads(config, config["patch"])
    return any(each.profile.requests.target is not None for each in found.values())


def _somebody_says(key: str, config: Mapping[str, Any]) -> bool:
    of_plugins = (each for items in _contributions().values() for _, each in items)
    return any(key in (each or {}) for each in (*config[SETTING].values(), *of_plugins))


def workloads(config: Mapping[str, Any], patch: Callable[[str], str]) -> dict[str, Workload]:
    """The workloads that scale, by name. Raises ConfigError for settings that cannot be used."""
    found = _found(patch)
    size, cluster = configuration.size(config), configuration.cluster(config)
    scaled = effective(found, size, _hosts(config, found), _contributions(), config[SETTING])
    configuration.require_sources(scaled.values(), cluster)
    return scaled


def _found(patch: Callable[[str], str]) -> dict[str, discovery.Deployment]:
    texts = [patch(name) for name in (MANIFESTS, OVERRIDES)]
    try:
        # Ours come after those of others, and leave of them what is not for us to say.
        patched = strategic.patched(*map(manifests.load, texts))
        return discovery.deployments(patched)
    except (AttributeError, IndexError, KeyError, TypeError, yaml.YAMLError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ConfigError(
            "patch k8s-deployments or k8s-override of a plugin",
            f"is no list of Kubernetes objects, or lacks something in one ({reason})",
            "correct the plugin, or disable one after the other to find it",
        ) from error


def instance_workloads(config: Config) -> dict[str, Workload]:
    """The same outside of a template."""
    return workloads(config, env.Renderer(config).patch)


def instance_objects(config: Mapping[str, Any], found: Mapping[str, Workload]) -> list[Manifest]:
    """What these workloads want to be in the instance's namespace, beside the Deployments."""
    return objects(found.values(), _sources(config))


def check(config: Config) -> None:
    """Raise ConfigError for settings that cannot be used, before anything is written."""
    configuration.refuse_unknown(config)
    configuration.size(config)
    cluster = configuration.cluster(config)
    # To look for workloads takes time, which is not needed to see that nothing was set.
    if config[SETTING] != {} or cluster != configuration.Cluster() or _contributions():
        instance_workloads(config)


def _sources(config: Mapping[str, Any]) -> Sources:
    return Sources(
        str(config["K8S_NAMESPACE"]),
        configuration.cluster(config),
        hooks.BROKER.apply(broker(config), config),
        hooks.ISOLATED.apply(False, config),
    )


def _hosts(config: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, str]:
    settings = {name: f"{name.upper().replace('-', '_')}_HOST" for name in names}
    return {name: str(config[key]) for name, key in settings.items() if config.get(key)}


def _contributions() -> dict[str, list[tuple[str, Any]]]:
    each = {
        name: list(AUTOSCALE_WORKLOADS.iterate_from_context(Contexts.app(name).name))
        for name in plugins.iter_loaded()
    }
    return {name: items for name, items in each.items() if items}
