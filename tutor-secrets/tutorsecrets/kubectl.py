"""Edge: Tutor's kubectl calls, with values in place of tokens. Values go through pipes only.

A step of `tutorplatform.hooks.KUBECTL_STEPS`. It must be the last one for `apply`, which it
carries out itself.
"""

from __future__ import annotations

import functools
import json
import shlex
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import click
from tutor import config as tutor_config
from tutor import env as tutor_env
from tutor import fmt, hooks
from tutor.exceptions import TutorError
from tutor.types import Config
from tutorplatform import manifests as kubernetes
from tutorplatform.hooks import Kubectl
from tutorplatform.manifests import Manifest

from tutorsecrets import arguments
from tutorsecrets.arguments import Application
from tutorsecrets.pods import names_in
from tutorsecrets.resolve import Lookup, Values, resolved
from tutorsecrets.rewrite import rewrite

# Server-side, because a client-side apply would keep the values in an annotation.
APPLY_SECRETS = (
    *("apply", "--server-side", "--field-manager=tutor-secrets", "--force-conflicts"),
    "--filename=-",
)


class Cluster(Protocol):
    """The two ways in which manifests move."""

    def kustomize(self, directory: str) -> str:
        """The YAML stream that kustomize makes of a folder."""

    def feed(self, argv: tuple[str, ...], text: str) -> int:
        """Run `kubectl ARGV` with `text` on its standard input; its exit status, which is 0."""


class Deploy:
    """The step. It holds the values of one `tutor` command, read at the first token met."""

    def __init__(self, read_values: Callable[[Config], Values], cluster: Cluster) -> None:
        self._read_values = read_values
        self._cluster = cluster
        self._values: Values | None = None

    def __call__(self, root: str, argv: tuple[str, ...], proceed: Kubectl) -> int:
        application = arguments.application(argv)
        if application:
            return self._apply(root, application)
        status = proceed(*argv)
        deletion = arguments.secrets_deletion(argv)
        return proceed(*deletion) if deletion else status

    def _apply(self, root: str, application: Application) -> int:
        if application.file:
            own = kubernetes.load(Path(application.file).read_text(encoding="utf-8"))
            borrowed = self._configmaps(root, own)
        else:
            own, borrowed = kubernetes.load(self._cluster.kustomize(application.directory)), []
        rewritten = rewrite([*own, *borrowed], self._lookup(root))
        secrets = arguments.needed_secrets(rewritten, application.selector)
        if secrets and not application.client_dry_run:
            self._cluster.feed((*APPLY_SECRETS, *application.place), stream(secrets))
        rest = [manifest for manifest in rewritten.manifests if manifest not in borrowed]
        return self._cluster.feed(application.arguments, stream(rest))

    def _configmaps(self, root: str, workloads: list[Manifest]) -> list[Manifest]:
        """The instance's ConfigMaps that these workloads refer to. Tutor's job files bring none."""
        names = {name for workload in workloads for name in names_in(workload)}
        rendered = kubernetes.load(self._cluster.kustomize(tutor_env.pathjoin(root)))
        return [
            configmap
            for configmap in kubernetes.of_kind(rendered, "ConfigMap")
            if kubernetes.name(configmap) in names
        ]

    def _lookup(self, root: str) -> Lookup:
        filters = dict(hooks.Filters.ENV_TEMPLATE_FILTERS.iterate())

        # Cached, since taking an RSA key apart is slow and templates do it for each number.
        @functools.cache
        def lookup(token: str) -> str:
            if self._values is None:
                self._values = self._read_values(tutor_config.load_full(root))
            return resolved(token, self._values, filters)

        return lookup


def stream(manifests: Iterable[Manifest]) -> str:
    """JSON documents. In YAML, kubectl and Python disagree on whether `1e3` is a number."""
    return "".join(json.dumps(manifest) + "\n" for manifest in manifests)


class LocalKubectl:
    """The `kubectl` on this machine. What it says goes to the terminal."""

    def kustomize(self, directory: str) -> str:
        """The YAML stream that kustomize makes of a folder; TutorError if it cannot."""
        return _run(("kustomize", directory), "", subprocess.PIPE)

    def feed(self, argv: tuple[str, ...], text: str) -> int:
        """Run `kubectl ARGV` with `text` on its standard input; TutorError unless it succeeds."""
        _run(argv, text, None)
        return 0


def _run(argv: tuple[str, ...], text: str, stdout: int | None) -> str:
    command = shlex.join(("kubectl", *argv))
    click.echo(fmt.command(command))
    try:
        done = subprocess.run(
            ("kubectl", *argv), input=text, stdout=stdout, encoding="utf-8", check=False
        )
    except FileNotFoundError:
        raise TutorError(
            "kubectl is not installed. Please follow instructions from "
            "https://kubernetes.io/docs/tasks/tools/install-kubectl/"
        ) from None
    if done.returncode:
        raise TutorError(f"Command failed with status {done.returncode}: {command}")
    return done.stdout or ""
