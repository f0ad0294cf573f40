"""Wiring: the secrets plugin."""

from tutor import hooks as tutor_hooks
from tutorplatform.registration import register

from tutorsecrets import configuration, providers, settings, tokens
from tutorsecrets.commands import command
from tutorsecrets.kubectl import Deploy, LocalKubectl

TOKENS = configuration.Tokens(configuration.current_root())
LAST = tutor_hooks.priorities.LOW + 50
FIRST = tutor_hooks.priorities.HIGH - 1

register(
    "tutorsecrets",
    defaults=settings.DEFAULTS,
    checks=[TOKENS.keep, TOKENS.refuse_plain],
    kubectl_steps=[Deploy(providers.deployed_values, LocalKubectl())],
    commands=[command],
)

tutor_hooks.Filters.CONFIG_USER.add()(TOKENS.provide)
tutor_hooks.Filters.ENV_TEMPLATE_FILTERS.add(priority=LAST)(tokens.recording_filters)
tutor_hooks.Actions.PLUGIN_UNLOADED.add(priority=FIRST)(TOKENS.leave)
tutor_hooks.Actions.COMPOSE_PROJECT_STARTED.add(priority=FIRST)(configuration.refuse_compose)
