"""Extension points of the autoscale plugin."""

from __future__ import annotations

from tutor.core.hooks import Filter
from tutor.types import Config

from tutorautoscale.profile import Profile

# What each workload runs with before AUTOSCALE_SERVICES is applied: name of the Deployment and
# of its container → Profile, given the configuration of the instance. Add a workload only where
# the Deployment is rendered too: an override without a Deployment fails the whole deployment.
AUTOSCALE_PROFILES: Filter[dict[str, Profile], [Config]] = Filter()
