"""Edge: deploys an instance with Tutor's own commands, and waits until it has taken effect."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
from tutor import fmt
from tutor.commands import k8s
from tutorplatform import deploy
from tutorplatform import manifests as kubernetes

from tutorsecrets.deploying.session import Session

TIMEOUT = "--timeout=20m"


def start(root: str) -> None:
    """`tutor k8s start`."""
    _invoke(root, k8s.start, names=[], prune_configmaps=False)


def initialise(root: str, applications: Iterable[str]) -> None:
    """`tutor k8s init --limit=…` for each of these applications."""
    for application in applications:
        _invoke(root, k8s.init, limit=application)


def run(root: str, service: str, script: str) -> None:
    """Run a script as a job of `service`, as `tutor k8s do` would."""
    from tutor import config as tutor_config

    with deploy.k8s_commands(root):
        runner = k8s.K8sContext(root).job_runner(tutor_config.load(root))
        runner.run_task_from_str(service, script)


def wait(session: Session, deployments: Iterable[str]) -> None:
    """Wait until these Deployments run their newest pods; TutorError if one does not."""
    namespace = f"--namespace={session.namespace}"
    for name in deployments:
        session.cluster.feed(("rollout", "status", f"deployment/{name}", namespace, TIMEOUT), "")


def wait_for_old_pods(session: Session, workloads: Iterable[str]) -> None:
    """Wait until pods on their way out are gone; workers with a task may be for long."""
    for name in workloads:
        deletion = ("wait", "pods", f"--namespace={session.namespace}", "--for=delete", TIMEOUT)
        ending = [
            kubernetes.name(pod)
            for pod in session.live("pods")
            if "deletionTimestamp" in pod["metadata"]
            and kubernetes.labels(pod).get("app.kubernetes.io/name") == name
        ]
        if ending:
            fmt.echo_info(f"Waiting for {len(ending)} pods of {name} to finish what they do...")
            session.cluster.feed((*deletion, *ending), "")


def restart(session: Session, workloads: Iterable[str]) -> None:
    """Let these Deployments start new pods, though nothing about them has changed."""
    for name in workloads:
        session.cluster.feed(
            ("rollout", "restart", f"deployment/{name}", f"--namespace={session.namespace}"), ""
        )


def _invoke(root: str, command: click.Command, **arguments: Any) -> None:
    with deploy.k8s_commands(root), click.Context(command, obj=k8s.K8sContext(root)) as context:
        context.invoke(command, **arguments)
