"""Wiring: the secrets plugin."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from tutor import hooks as tutor_hooks
from tutorplatform import hooks
from tutorplatform.manifests import Manifest
from tutorplatform.registration import register
from tutorplatform.roots import current_root

from tutorsecrets import configuration, recording, settings, templates
from tutorsecrets.commands import group
from tutorsecrets.typed import Typed, refuse_test_setup

if TYPE_CHECKING:
    from tutorsecrets.deploying.deployment import Deploy
    from tutorsecrets.deploying.session import Session

TOKENS = configuration.Tokens(current_root())
TYPED = Typed()

LAST = tutor_hooks.priorities.LOW + 50
FIRST = tutor_hooks.priorities.HIGH - 1


# What deploys is imported when something is deployed: every command would wait for it.
def new_session(root: str) -> Session:
    from tutorsecrets.deploying.kubectl import LocalKubectl
    from tutorsecrets.deploying.session import Session
    from tutorsecrets.stores.choice import chosen

    return Session(root, chosen, TYPED, LocalKubectl())


@functools.cache
def deploy() -> Deploy:
    from tutorsecrets.deploying.deployment import Deploy
    from tutorsecrets.deploying.kubectl import LocalKubectl

    return Deploy(new_session, LocalKubectl())


register(
    "tutorsecrets",
    defaults=settings.DEFAULTS,
    checks=[TOKENS.keep, TOKENS.refuse_plain],
    kubectl_steps=[lambda root, argv, proceed: deploy()(root, argv, proceed)],
    commands=[group(new_session)],
)

templates.record()
tutor_hooks.Filters.CONFIG_USER.add()(TOKENS.provide)
tutor_hooks.Filters.ENV_TEMPLATE_FILTERS.add(priority=LAST)(recording.recording_filters)
tutor_hooks.Actions.PLUGINS_LOADED.add()(TYPED.hide_options)
tutor_hooks.Actions.DO_JOB.add(priority=FIRST)(refuse_test_setup)
tutor_hooks.Actions.PLUGIN_UNLOADED.add(priority=FIRST)(TOKENS.leave)
tutor_hooks.Actions.COMPOSE_PROJECT_STARTED.add(priority=FIRST)(configuration.refuse_compose)
hooks.K8S_ENDED.add()(lambda: deploy().end())


@hooks.RESOLVED.add()
def _filled(manifests: list[Manifest], root: str) -> list[Manifest]:
    from tutorsecrets.managing import elsewhere

    return elsewhere.filled(new_session(root), manifests)
