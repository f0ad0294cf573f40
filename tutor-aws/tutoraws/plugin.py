"""Wiring: the aws plugin."""

from tutor.hooks import Actions, Filters, priorities
from tutorplatform.hooks import BROKER, ISOLATED
from tutorplatform.instance import instance
from tutorplatform.registration import register

from tutoraws import deployment, jobs, masterkey, rendering, settings, statics, workers
from tutoraws.commands import aws
from tutoraws.defaults import DEFAULTS, of_plugins

register(
    "tutoraws",
    defaults=DEFAULTS,
    template_functions={
        "aws_ca_folder": rendering.ca_folder,
        "aws_image": rendering.image,
        "aws_instance": instance,
        "aws_request_seconds": rendering.request_seconds,
        "aws_settings": settings.read,
        "aws_uses_ses": settings.uses_ses,
        "aws_objects": rendering.objects_text,
        "aws_deployments": rendering.deployments_text,
        "aws_meilisearch_without_claim": rendering.without_claim,
        "aws_overrides": rendering.overrides_text,
        "aws_config_map_generators": rendering.config_map_generators_text,
    },
    checks=[rendering.check],
    kubectl_steps=[deployment.refuse_if_incomplete],
    commands=[aws],
)
Actions.ENV_SAVED.add()(deployment.alert_if_incomplete)
Actions.ENV_SAVED.add()(masterkey.remove)
# After those of all plugins.
Filters.CONFIG_DEFAULTS.add(priority=priorities.LOW)(of_plugins)
Filters.CLI_DO_INIT_TASKS.add()(statics.with_upload)
Filters.LMS_WORKER_COMMAND.add()(workers.with_ora2)
Filters.CLI_DO_COMMANDS.add(priority=jobs.LAST)(jobs.with_own_sqlshell)
Actions.PLUGINS_LOADED.add()(jobs.use_own_users)
BROKER.add()(rendering.broker)
ISOLATED.add()(rendering.is_isolated)
