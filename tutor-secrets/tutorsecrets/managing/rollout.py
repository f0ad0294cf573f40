"""Edge: deploys an instance with Tutor's own commands, and waits until it has taken effect."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import click
from tutor import config as tutor_config
from tutor import fmt
from tutor.commands import k8s
from tutor.env import save as save_env
from tutorplatform import deploy
from tutorplatform import manifests as kubernetes
from tutorplatform.manifests import Manifest

from tutorsecrets.deploying.session import Session
from tutorsecrets.managing import oldpods, patience
from tutorsecrets.rewriting.rewrite import OWN_SELECTOR, title

TIMEOUT = "--timeout=20m"

# The next run of a CronJob has the new values by itself.
ROLLED = ("deployment/", "statefulset/", "daemonset/")


class TutorOperations:
    """What a rotation does to the instance, as `rotating.Operations` describes it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def require_cluster(self) -> None:
        deploy.preflight(self._session.root)

    def run_sql(self, script: str) -> None:
        run(self._session.root, "mysql", script)

    def save_settings(self, changes: Mapping[str, str]) -> None:
        root = self._session.root
        config = tutor_config.load_minimal(root)
        config.update(changes)
        tutor_config.save_config_file(root, config)
        save_env(root, tutor_config.load_full(root))

    def deploy(self, workloads: Collection[str]) -> None:
        session = self._session.anew()
        start(session.root)
        if session.is_external:
            restart(session, workloads)
        wait(session, workloads)

    def initialise(self, applications: Iterable[str]) -> None:
        for application in applications:
            _invoke(self._session.root, k8s.init, limit=application)

    def wait_for_old_pods(self, keys: Collection[str]) -> None:
        patience.wait_until_none(old_pods(self._session.anew(), keys))


def start(root: str) -> None:
    """`tutor k8s start`."""
    _invoke(root, k8s.start, names=[], prune_configmaps=False)


def run(root: str, service: str, script: str) -> None:
    """Run a script as a job of `service`, as `tutor k8s do` would."""
    with deploy.k8s_commands(root):
        runner = k8s.K8sContext(root).job_runner(tutor_config.load(root))
        runner.run_task_from_str(service, script)


def wait(session: Session, workloads: Iterable[str]) -> None:
    """Wait until these workloads run their newest pods; TutorError if one does not."""
    namespace = f"--namespace={session.namespace}"
    for workload in _rolled(workloads):
        session.cluster.feed(("rollout", "status", workload, namespace, TIMEOUT), "")


def wait_for_ending_pods(session: Session) -> None:
    """Wait until pods on their way out are gone; workers with a task may be for long."""
    pods = [each for each in session.live("pods") if "deletionTimestamp" in each["metadata"]]
    if pods:
        fmt.echo_info(f"Waiting for {len(pods)} old pods to finish what they do...")
        names = map(kubernetes.name, pods)
        namespace = f"--namespace={session.namespace}"
        session.cluster.feed(("wait", "pods", namespace, "--for=delete", TIMEOUT, *names), "")


def restart(session: Session, workloads: Iterable[str]) -> None:
    """Let these workloads start new pods, though nothing about them has changed."""
    namespace = f"--namespace={session.namespace}"
    for workload in _rolled(workloads):
        session.cluster.feed(("rollout", "restart", workload, namespace), "")


def old_pods(session: Session, keys: Collection[str]) -> Iterator[list[str]]:
    """Who still has old values of these settings, each time one asks; after a deployment."""
    current = {kubernetes.name(each) for each in session.rewritten(session.rendered).secrets}
    users = oldpods.Users(current, oldpods.untouched(session.rendered, keys))
    # The operator's Secrets keep their names. Whatever a deployment does not replace may have
    # started before the new value was there.
    first: set[str] = set()
    if session.is_external:
        first = set(map(title, users.passing(*_look(session))))
    while True:
        live, own = _look(session)
        late = {title(each) for each in users.passing(live, own)} & first
        yield sorted(late.union(map(title, users.outdated(live, own))))


def _look(session: Session) -> tuple[list[Manifest], set[str]]:
    live = session.live(oldpods.KINDS)
    return live, session.live_secrets(f"--selector={OWN_SELECTOR}")


def _rolled(workloads: Iterable[str]) -> list[str]:
    return [workload for workload in workloads if workload.startswith(ROLLED)]


def _invoke(root: str, command: click.Command, **arguments: Any) -> None:
    with deploy.k8s_commands(root), click.Context(command, obj=k8s.K8sContext(root)) as context:
        context.invoke(command, **arguments)
