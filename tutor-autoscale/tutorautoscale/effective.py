"""Defaults, what plugins say and what the operator says → how each workload runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tutorplatform.errors import ConfigError

from tutorautoscale import workloads
from tutorautoscale.discovery import Deployment
from tutorautoscale.profile import READERS, Profile, consistent
from tutorautoscale.settings import checked_keys, overlaid

SETTING = "AUTOSCALE_SERVICES"
FILTER = "AUTOSCALE_WORKLOADS"

# Plugin → what it says of workloads: name, and differences as in AUTOSCALE_SERVICES.
Contributions = Mapping[str, Iterable[tuple[str, Any]]]


class Workload(NamedTuple):
    """A Deployment that scales. `origins`: path of a setting → who has changed its default."""

    found: Deployment
    profile: Profile
    origins: Mapping[str, str]


def effective(
    found: Mapping[str, Deployment],
    size: str,
    hosts: Mapping[str, str],
    contributions: Contributions,
    settings: Any,
) -> dict[str, Workload]:
    """The workloads that scale, by name, with what holds for each in the end.

    `hosts`: workload → the host that it answers. What is stateful scales only if somebody names
    it. Raises ConfigError with the path of whatever is unknown, unusable or contradictory.
    """
    named = _checked(settings, found)
    plugins = _by_workload(contributions)
    return {
        name: _workload(deployment, size, hosts.get(name), plugins.get(name), named.get(name))
        for name, deployment in found.items()
        if not deployment.off and (not deployment.stateful or name in plugins or name in named)
    }


def _workload(
    found: Deployment,
    size: str,
    host: str | None,
    plugin: tuple[str, Any] | None,
    settings: Any,
) -> Workload:
    profile = workloads.default(found, size, [host] if host else ())
    origins: dict[str, str] = {}
    where = f"{SETTING}.{found.name}"
    if plugin:
        where = f"{FILTER} of plugin {plugin[0]}, {found.name}"
        profile = overlaid(profile, plugin[1], where, READERS)
        origins.update(dict.fromkeys(_paths(plugin[1]), f"plugin {plugin[0]}"))
    if settings is not None:
        where = f"{SETTING}.{found.name}"
        profile = overlaid(profile, settings, where, READERS)
        origins.update(dict.fromkeys(_paths(settings), SETTING))
    # Defaults do not contradict themselves; a test says so.
    if origins:
        _refuse_processes_of_others(found, profile, where)
        consistent(profile, where)
    return Workload(found, profile, origins)


def _refuse_processes_of_others(found: Deployment, profile: Profile, where: str) -> None:
    if profile.celery.concurrency and not found.main.is_celery:
        raise ConfigError(
            f"{where}.celery.concurrency",
            f"container {found.main.name} does not run a Celery worker",
            "remove this setting",
        )


def _checked(settings: Any, found: Mapping[str, Deployment]) -> Mapping[str, Any]:
    names = ", ".join(sorted(found))
    if not isinstance(settings, Mapping):
        raise ConfigError(SETTING, f"{settings!r} is not a mapping", f"write any of {names} in it")
    for name in settings:
        if name not in found:
            known = name in workloads.STANDARD
            raise ConfigError(
                f"{SETTING}.{name}",
                "this instance has no such workload",
                f"enable its plugin, or remove this setting; there are {names}"
                if known
                else f"use one of {names}",
            )
        # `lms:` with nothing behind it is no mapping.
        checked_keys(settings[name], READERS, f"{SETTING}.{name}")
    return settings


def _by_workload(contributions: Contributions) -> dict[str, tuple[str, Any]]:
    found: dict[str, tuple[str, Any]] = {}
    for plugin, items in contributions.items():
        for name, differences in _pairs(items, plugin):
            if name in found:
                raise ConfigError(
                    FILTER,
                    f"{name} is defined by plugin {found[name][0]} and by plugin {plugin}",
                    "disable one of them",
                )
            found[name] = (plugin, differences)
    return found


def _pairs(items: Iterable[Any], plugin: str) -> Iterator[tuple[str, Any]]:
    for each in items:
        if not isinstance(each, tuple | list) or len(each) != 2 or not isinstance(each[0], str):
            raise ConfigError(
                f"{FILTER} of plugin {plugin}",
                f"{each!r} is not a name with differences",
                'add ("acme", {"max": 6})',
            )
        yield each[0], each[1]


def _paths(differences: Any, path: str = "") -> Iterator[str]:
    for key, value in differences.items():
        if isinstance(value, Mapping) and value:
            yield from _paths(value, f"{path}{key}.")
        else:
            yield f"{path}{key}"
