"""Wiring: the autoscale plugin."""

from tutor.hooks import priorities
from tutorplatform.hooks import Kubectl
from tutorplatform.registration import register

from tutorautoscale import commands, configuration, rendering


def step(root: str, argv: tuple[str, ...], proceed: Kubectl) -> int:
    """Around each kubectl call; only these commands need what it imports."""
    from tutorautoscale import deployment

    return deployment.step(root, argv, proceed)


register(
    "tutorautoscale",
    defaults=configuration.DEFAULTS,
    # What others patch afterwards is theirs; ours come after `k8s-override` whatever they do.
    patch_priority=priorities.HIGH,
    template_functions={
        "autoscale": rendering.rendered,
        "autoscale_counts_requests": rendering.counts_requests,
    },
    checks=[rendering.check],
    kubectl_steps=[step],
    commands=[commands.autoscale],
)
