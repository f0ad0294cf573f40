"""Edge: Tutor's kubectl calls, with values in place of tokens.

A step of `tutorplatform.hooks.KUBECTL_STEPS`. It must be the last one for `apply`, which it
carries out itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from tutor import env as tutor_env
from tutor import fmt
from tutor.exceptions import TutorError
from tutorplatform import manifests as kubernetes
from tutorplatform.hooks import Kubectl
from tutorplatform.manifests import Manifest

from tutorsecrets.deploying import arguments, operator, pruning
from tutorsecrets.deploying.arguments import Application
from tutorsecrets.deploying.housekeeping import Housekeeping
from tutorsecrets.deploying.kubectl import Cluster, stream
from tutorsecrets.deploying.session import Session
from tutorsecrets.rewriting import external
from tutorsecrets.rewriting.pods import names_in, require_gates

# Server-side, because a client-side apply would keep the values in an annotation.
APPLY_SECRETS = (
    *("apply", "--server-side", "--field-manager=tutor-secrets", "--force-conflicts"),
    "--filename=-",
)


class Deploy:
    """The step. What it leaves to be cleaned up is cleaned up at the `end` of the command."""

    def __init__(self, new_session: Callable[[str], Session], cluster: Cluster) -> None:
        """`new_session` makes one for a Tutor root; it is kept until the command ends."""
        self._new_session = new_session
        self._sessions: dict[str, Session] = {}
        self._cluster = cluster
        self._housekeeping = Housekeeping(cluster)

    def __call__(self, root: str, argv: tuple[str, ...], proceed: Kubectl) -> int:
        application = arguments.application(argv)
        if application:
            return self._apply(self._session(root), application)
        status = proceed(*argv)
        deletion = arguments.secrets_deletion(argv)
        return proceed(*deletion, self._deleted_kinds(self._session(root))) if deletion else status

    def end(self) -> None:
        """Forget all values, and delete the Secrets of jobs that this command ran to their end."""
        self._sessions.clear()
        try:
            self._housekeeping.delete_finished()
        except TutorError as error:
            fmt.echo_alert(f"Secrets of jobs could not be deleted; they go with the jobs: {error}")

    def _session(self, root: str) -> Session:
        return self._sessions.setdefault(root, self._new_session(root))

    def _deleted_kinds(self, session: Session) -> str:
        """The kinds that bring Secrets, first those that would make them again."""
        made = self._housekeeping.made(session.namespace, "secrets")
        if (session.is_external or pruning.by_operator(made)) and operator.is_known(self._cluster):
            return f"{external.RESOURCE},{external.STORE_RESOURCES},secrets"
        return "secrets"

    def _apply(self, session: Session, application: Application) -> int:
        own = self._read(session.root, application)
        borrowed = self._configmaps(session.root, own) if application.file else []
        rewritten = session.rewritten([*own, *borrowed])
        secrets = arguments.needed_secrets(rewritten, application.selector)
        if secrets and not application.client_dry_run:
            self._apply_secrets(session, application, secrets)
        rest = [manifest for manifest in rewritten.manifests if manifest not in borrowed]
        status = self._cluster.feed(application.arguments, stream(rest))
        if not application.dry_run:
            self._tidy(session, application, rest, secrets)
        return status

    def _apply_secrets(
        self, session: Session, application: Application, secrets: list[Manifest]
    ) -> None:
        first = [*session.stores, *pruning.stamped(secrets, datetime.now(timezone.utc))]
        apply = functools.partial(
            self._cluster.feed, (*APPLY_SECRETS, *application.place), stream(first)
        )
        if not session.is_external or application.dry_run:
            apply()
            return
        operator.require_operator(self._cluster)
        before = operator.statuses(self._cluster, session.namespace)
        apply()
        operator.wait(self._cluster, session.namespace, secrets, before)

    def _tidy(
        self,
        session: Session,
        application: Application,
        applied: list[Manifest],
        secrets: list[Manifest],
    ) -> None:
        try:
            if application.file:
                self._housekeeping.bind(session.namespace, applied, secrets)
            else:
                self._prune(session.namespace, session.is_external, applied, secrets)
        except TutorError as error:
            # The deployment itself is complete.
            fmt.echo_alert(f"Secrets that nobody uses could not be deleted: {error}")

    def _prune(
        self, namespace: str, is_external: bool, applied: list[Manifest], secrets: list[Manifest]
    ) -> None:
        made = self._housekeeping.prune(namespace, "secrets", applied)
        if is_external:
            self._housekeeping.prune(namespace, external.RESOURCE, applied)
        elif pruning.by_operator(made):
            # SECRETS_MODE was another one. A cluster that does not know these kinds has none.
            self._housekeeping.leave_operator(namespace, applied, secrets)

    def _read(self, root: str, application: Application) -> list[Manifest]:
        if application.file:
            return kubernetes.load(Path(application.file).read_text(encoding="utf-8"))
        return self._rendered(root, application.directory)

    def _rendered(self, root: str, directory: str) -> list[Manifest]:
        manifests = kubernetes.load(self._cluster.kustomize(directory))
        # Other plugins may render folders of their own as they like.
        if Path(directory).resolve() == Path(tutor_env.pathjoin(root)).resolve():
            require_gates(manifests)
        return manifests

    def _configmaps(self, root: str, workloads: list[Manifest]) -> list[Manifest]:
        """The instance's ConfigMaps that these workloads refer to. Tutor's job files bring none."""
        names = {name for workload in workloads for name in names_in(workload)}
        rendered = self._rendered(root, tutor_env.pathjoin(root))
        return [
            configmap
            for configmap in kubernetes.of_kind(rendered, "ConfigMap")
            if kubernetes.name(configmap) in names
        ]
