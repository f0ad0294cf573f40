"""Edge: the kubectl calls that Tutor makes during one `tutor k8s …` command.

Tutor's `k8s` commands call `tutor.utils.kubectl` through the module, and `launch` calls its
sub-commands as module globals, so neither a hook nor a replaced sub-command sees the apply
(https://github.com/overhangio/tutor/blob/v22.0.3/tutor/commands/k8s.py). We therefore put
our own click group in front of Tutor's, and for the length of one invocation route that one
function through the steps of `hooks.KUBECTL_STEPS`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, reduce
from typing import Any

import click
from tutor import config as tutor_config
from tutor import fmt, utils
from tutor.types import Config, get_typed

from tutorplatform import hooks
from tutorplatform.errors import DeployError

# `kubectl` supports a server one minor version older or newer than itself.
# https://kubernetes.io/releases/version-skew-policy/#kubectl
SUPPORTED_SKEW = 1

TIMEOUT = "--request-timeout=10s"

OWNER = r"{.metadata.labels.app\.kubernetes\.io/instance}"
OWNERS = r"{.items[*].metadata.labels.app\.kubernetes\.io/instance}"

# Arguments after "kubectl" → what it answers.
Query = Callable[..., "subprocess.CompletedProcess[str]"]


class K8sGroup(click.Group):
    """Tutor's `k8s` group with the very same commands; its kubectl calls run through our steps."""

    def __init__(self, tutor_group: click.Group) -> None:
        super().__init__(
            name=tutor_group.name,
            # The same mapping, not a copy: Tutor adds `do` to it once plugins are loaded.
            commands=tutor_group.commands,
            callback=tutor_group.callback,
            params=tutor_group.params,
            help=tutor_group.help,
        )

    def invoke(self, ctx: click.Context) -> Any:
        with k8s_commands(ctx.obj.root):
            return super().invoke(ctx)


@contextmanager
def k8s_commands(root: str) -> Iterator[None]:
    """Until the block ends, Tutor's `k8s` commands run with the steps of all plugins."""
    steps: list[hooks.KubectlStep] = [Preflight(_kubectl), *hooks.KUBECTL_STEPS.iterate()]
    with kubectl_through(steps, root):
        try:
            yield
        finally:
            hooks.K8S_ENDED.do()


def with_k8s_group(commands: list[click.Command]) -> list[click.Command]:
    """Tutor's commands with K8sGroup in place of its `k8s` group, unless it is there already."""
    return [
        K8sGroup(command)
        if isinstance(command, click.Group)
        and command.name == "k8s"
        and not isinstance(command, K8sGroup)
        else command
        for command in commands
    ]


@contextmanager
def kubectl_through(steps: Sequence[hooks.KubectlStep], root: str) -> Iterator[None]:
    """Route Tutor's kubectl calls through `steps`, first one outermost, until the block ends."""
    original = utils.kubectl

    def through(step: hooks.KubectlStep, proceed: hooks.Kubectl) -> hooks.Kubectl:
        return lambda *argv: step(root, argv, proceed)

    chain: hooks.Kubectl = reduce(
        lambda proceed, step: through(step, proceed), reversed(steps), original
    )
    utils.kubectl = chain
    try:
        yield
    finally:
        utils.kubectl = original


class Preflight:
    """The first step: is this a cluster that answers, and is the namespace this instance's own?"""

    def __init__(self, kubectl: Query) -> None:
        self.kubectl = kubectl
        self.passed = False
        self.reads_namespace = True

    def __call__(self, root: str, argv: tuple[str, ...], proceed: hooks.Kubectl) -> int:
        self.require(root)
        if not self.reads_namespace and argv[:2] == ("get", "namespaces"):
            # Tutor's `start` takes any failure for "there is none", and would create it, which
            # whoever may not even read it may not do either.
            return 0
        return proceed(*argv)

    def require(self, root: str) -> None:
        """Raise ClickException unless it is so; asked once."""
        # Without kubectl Tutor's own message is the best one.
        if self.passed or not shutil.which("kubectl"):
            return
        config = tutor_config.load_full(root)
        try:
            check_cluster(self.kubectl)
            self.reads_namespace = check_namespace(self.kubectl, config)
        except DeployError as error:
            # Click shows it as Tutor would. A TutorError from its first call, `get namespaces`,
            # Tutor's `start` takes for "there is no such namespace".
            raise click.ClickException(str(error)) from error
        self.passed = True


def preflight(root: str) -> None:
    """Raise ClickException unless the cluster answers, and the namespace is this instance's own."""
    Preflight(_kubectl).require(root)


def check_cluster(kubectl: Query) -> None:
    """Raise DeployError when the API server does not answer; name an unfit kubectl."""
    answer = kubectl("version", "--output=json", TIMEOUT)
    if answer.returncode != 0:
        raise _unreachable(answer)
    versions = json.loads(answer.stdout)
    client, server = (
        int(versions[side]["minor"].rstrip("+")) for side in ("clientVersion", "serverVersion")
    )
    if abs(client - server) > SUPPORTED_SKEW:
        fmt.echo_alert(
            f"kubectl: version 1.{client} is not made for this cluster's 1.{server}; "
            f"install kubectl 1.{server}"
        )


def check_namespace(kubectl: Query, config: Config) -> bool:
    """Whether we may read the instance's namespace; its Deployments tell its owner if not.

    Raises DeployError when it already belongs to another Tutor root, or nothing tells.
    """
    namespace = get_typed(config, "K8S_NAMESPACE", str)
    owner = f"openedx-{get_typed(config, 'ID', str)}"
    answer = kubectl(
        "get", "namespace", namespace, "--ignore-not-found", f"--output=jsonpath={OWNER}", TIMEOUT
    )
    readable = not _forbidden(answer)
    if readable and answer.returncode != 0:
        raise _unreachable(answer)
    label = answer.stdout.strip()
    # A namespace that an operator has made has no label; whoever lives there has.
    found = {label} if label else _owners_inside(kubectl, namespace, required=not readable)
    others = found - {owner, ""}
    if others:
        raise DeployError(
            f"namespace {namespace}",
            f"belongs to another Open edX instance "
            f"({', '.join(sorted(others))}; this Tutor root is {owner})",
            "give this instance a name of its own with `tutor config save --set K8S_NAMESPACE=…`, "
            "or deploy from the Tutor root that owns the namespace",
        )
    return readable


def _owners_inside(kubectl: Query, namespace: str, *, required: bool) -> set[str]:
    answer = kubectl(
        "get", "deployments", "--namespace", namespace, f"--output=jsonpath={OWNERS}", TIMEOUT
    )
    if _forbidden(answer):
        if not required:
            return set()
        raise DeployError(
            f"namespace {namespace}",
            "you may neither `get` it nor `list` its deployments, so nothing tells whose it is",
            "ask the cluster's administrator for one of these rights",
        )
    if answer.returncode != 0:
        raise _unreachable(answer)
    # Other charts put their own names into this label.
    return {label for label in answer.stdout.split() if label.startswith("openedx-")}


def _forbidden(answer: subprocess.CompletedProcess[str]) -> bool:
    return answer.returncode != 0 and "(Forbidden)" in answer.stderr


def _unreachable(answer: subprocess.CompletedProcess[str]) -> DeployError:
    reason = (answer.stderr.strip().splitlines() or ["no answer"])[-1]
    return DeployError(
        "cluster",
        f"kubectl gets no answer from it ({reason})",
        "check `kubectl config current-context` and your network, then run the command again",
    )


def _run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=False)


_kubectl = partial(_run, "kubectl")
