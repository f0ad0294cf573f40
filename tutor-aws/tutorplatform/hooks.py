"""Extension points that the plugins of this suite share.

Tutor has no hook at the moment manifests reach the cluster, so we declare one: every
`kubectl` call of a `tutor k8s` command runs through the steps of KUBECTL_STEPS, each of
which may refuse it, replace it, or pass it on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tutor.core.hooks import Action, Filter

from tutorplatform.broker import Broker
from tutorplatform.manifests import Manifest

# What Tutor's `utils.kubectl` is: arguments after "kubectl" → exit status.
Kubectl = Callable[..., int]

# (Tutor root, arguments after "kubectl", the next step) → exit status.
KubectlStep = Callable[[str, tuple[str, ...], Kubectl], int]

KUBECTL_STEPS: Filter[list[KubectlStep], []] = Filter()

# At the end of a `tutor k8s` command, whether it went well or not.
K8S_ENDED: Action[[]] = Action()

# Manifests on their way to the cluster by another way than a `tutor k8s` command, and the Tutor
# root: a plugin that keeps values elsewhere puts them in.
RESOLVED: Filter[list[Manifest], [str]] = Filter()

# Where the platform's tasks wait, for those who look from outside; with the configuration.
BROKER: Filter[Broker, [Mapping[str, Any]]] = Filter()

# Whether only what a NetworkPolicy allows reaches the instance's pods; with the configuration.
ISOLATED: Filter[bool, [Mapping[str, Any]]] = Filter()
