"""Wiring: the autoscale plugin."""

from tutor import plugins
from tutor.types import Config
from tutorplatform import manifests
from tutorplatform.registration import register

from tutorautoscale import overrides, profile, scalers, workloads
from tutorautoscale.hooks import AUTOSCALE_PROFILES


def profiles(config: Config) -> dict[str, profile.Profile]:
    """The profiles of this instance, those of other plugins included."""
    loaded = set(plugins.iter_loaded())
    known = AUTOSCALE_PROFILES.apply(workloads.present(config, loaded), config)
    absent = workloads.absent(config, loaded)
    return profile.effective(known, absent, config[profile.SETTING])


def check(config: Config) -> None:
    """Raise ConfigError unless the profiles can be used."""
    profiles(config)


register(
    "tutorautoscale",
    defaults={profile.SETTING: {}},
    template_functions={
        "autoscale_overrides": lambda config: manifests.dump(
            overrides.deployments(profiles(config))
        ),
        "autoscale_scalers": lambda config: manifests.dump(scalers.objects(profiles(config))),
    },
    checks=[check],
)
