"""Wiring: a plugin's settings, patches, templates, checks and commands → Tutor's hooks.

Call `register` from a plugin's own `plugin.py`: Tutor re-runs only that module when a plugin
is disabled and enabled again, and it is that module's context which owns the hooks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from typing import Any

import click
import jinja2
from tutor import hooks as tutor_hooks
from tutor.__about__ import __version__ as tutor_version
from tutor.types import Config, ConfigValue

from tutorplatform import deploy, hooks
from tutorplatform.errors import PlatformError
from tutorplatform.instance import instance

SUPPORTED_TUTOR_MAJOR = 22

# A template function sees the whole configuration and returns text for a patch, or an object
# whose attributes a template reads.
TemplateFunction = Callable[[Config], Any]


def register(
    package: str,
    *,
    defaults: Mapping[str, ConfigValue] | None = None,
    template_functions: Mapping[str, TemplateFunction] | None = None,
    checks: Iterable[Callable[[Config], None]] = (),
    kubectl_steps: Iterable[hooks.KubectlStep] = (),
    commands: Iterable[click.Command] = (),
    patch_priority: int | None = None,
) -> None:
    """Register everything a plugin brings, read from the data files of its `package`.

    `checks` run on each full configuration that Tutor loads and raise PlatformError. The
    instance's name is checked with any plugin: every one of them may be the only one enabled.
    A later plugin's default for a setting of Tutor itself wins over Tutor's own. Patches come in
    the order of `patch_priority`, then of the plugins' names: what comes later changes the result.
    """
    require_supported_tutor(package, tutor_version)
    tutor_hooks.Filters.CONFIG_DEFAULTS.add_items(list((defaults or {}).items()))
    tutor_hooks.Filters.ENV_PATCHES.add_items(patches(package), priority=patch_priority)
    tutor_hooks.Filters.ENV_TEMPLATE_VARIABLES.add_items(
        [(name, _with_config(function)) for name, function in (template_functions or {}).items()]
    )
    for check in (_instance_has_a_name, *checks):
        tutor_hooks.Actions.CONFIG_LOADED.add()(check)
    hooks.KUBECTL_STEPS.add_items(list(kubectl_steps))
    tutor_hooks.Filters.CLI_COMMANDS.add_items(list(commands))
    # Late, so that it finds Tutor's group whatever other plugins did to the list.
    tutor_hooks.Filters.CLI_COMMANDS.add(priority=tutor_hooks.priorities.LOW)(deploy.with_k8s_group)


def patches(package: str) -> list[tuple[str, str]]:
    """(patch name, content) of each file in the package's `patches` folder."""
    folder = resources.files(package) / "patches"
    return [
        (file.name, file.read_text(encoding="utf-8"))
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
    ]


def require_supported_tutor(package: str, version: str) -> None:
    """Raise PlatformError unless this major version of Tutor is the one we are made for.

    Tutor turns an exception at load time into a mere warning and goes on *without* the
    plugin, which would start databases inside the cluster and deploy without secrets. So
    every later use of the configuration is refused as well; `tutor plugins disable` works.
    """
    if int(version.split(".")[0]) == SUPPORTED_TUTOR_MAJOR:
        return
    error = PlatformError(
        package,
        f"Tutor {version} is not supported",
        f"run `pip install 'tutor>={SUPPORTED_TUTOR_MAJOR},<{SUPPORTED_TUTOR_MAJOR + 1}'`, "
        "or the release of tutor-contrib-aws-suite made for your Tutor",
    )

    @tutor_hooks.Actions.CONFIG_LOADED.add()
    def _refuse(_config: Config) -> None:
        raise error

    raise error


def _instance_has_a_name(config: Config) -> None:
    instance(config)


def _with_config(function: TemplateFunction) -> Callable[..., Any]:
    """`function` for templates, which is pure: while the configuration is the same, asked once.

    Tutor renders some patches four times for one `config save`, in two environments of Jinja.
    """
    last: list[tuple[dict[str, Any], Any]] = []

    @jinja2.pass_context
    def call(context: jinja2.runtime.Context) -> Any:
        everything = context.get_all()
        # Settings are in capitals; what else a template sees belongs to its environment.
        config = {name: value for name, value in everything.items() if name.isupper()}
        if not last or last[0][0] != config:
            last[:] = [(config, function(everything))]
        return last[0][1]

    return call
