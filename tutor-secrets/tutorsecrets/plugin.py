"""Wiring: the secrets plugin."""

from tutor import hooks as tutor_hooks
from tutorplatform import hooks
from tutorplatform.registration import register
from tutorplatform.roots import current_root

from tutorsecrets import configuration, recording, settings, templates
from tutorsecrets.commands import group
from tutorsecrets.deploying.deployment import Deploy
from tutorsecrets.deploying.kubectl import LocalKubectl
from tutorsecrets.deploying.session import Session
from tutorsecrets.stores.choice import chosen
from tutorsecrets.typed import Typed, refuse_test_setup

TOKENS = configuration.Tokens(current_root())
TYPED = Typed()
KUBECTL = LocalKubectl()
DEPLOY = Deploy(lambda root: Session(root, chosen, TYPED, KUBECTL), KUBECTL)

LAST = tutor_hooks.priorities.LOW + 50
FIRST = tutor_hooks.priorities.HIGH - 1

register(
    "tutorsecrets",
    defaults=settings.DEFAULTS,
    checks=[TOKENS.keep, TOKENS.refuse_plain],
    kubectl_steps=[DEPLOY],
    commands=[group(lambda root: Session(root, chosen, TYPED, KUBECTL))],
)

templates.record()
tutor_hooks.Filters.CONFIG_USER.add()(TOKENS.provide)
tutor_hooks.Filters.ENV_TEMPLATE_FILTERS.add(priority=LAST)(recording.recording_filters)
tutor_hooks.Actions.PLUGINS_LOADED.add()(TYPED.hide_options)
tutor_hooks.Actions.DO_JOB.add(priority=FIRST)(refuse_test_setup)
tutor_hooks.Actions.PLUGIN_UNLOADED.add(priority=FIRST)(TOKENS.leave)
tutor_hooks.Actions.COMPOSE_PROJECT_STARTED.add(priority=FIRST)(configuration.refuse_compose)
hooks.K8S_ENDED.add()(DEPLOY.end)
