"""Edge: what a deployment would apply, and how it differs from what is in the cluster."""

from __future__ import annotations

import json

import click
from tutor import fmt
from tutorplatform import manifests as kubernetes
from tutorplatform.errors import ConfigError
from tutorplatform.manifests import Manifest

from tutorsecrets.deploying.kubectl import stream
from tutorsecrets.deploying.session import Session
from tutorsecrets.managing import difference, inspection, tables
from tutorsecrets.rewriting.pods import names_in

WORKLOADS = "deployments,statefulsets,daemonsets,cronjobs"


def show(session: Session) -> None:
    """Print the Secrets that a deployment would bring, then how the rest would change."""
    rewritten = session.rewritten(session.rendered)
    workloads = session.live(WORKLOADS)
    used = {name for each in workloads for name in names_in(each)}
    used |= {kubernetes.name(secret) for secret in rewritten.secrets}
    secrets = [each for each in session.live("secrets") if kubernetes.name(each) in used]
    changes = difference.changes(rewritten.secrets, secrets)
    if changes:
        tables.show(
            ("new Secret", "in place of", "what differs"),
            ((each.new, each.old, ", ".join(each.entries)) for each in changes),
        )
    else:
        fmt.echo_info("No Secret would change.")
    rest = [each for each in rewritten.manifests if each["kind"] not in {"Job", "Namespace"}]
    _show_lines(session, rest)


def _show_lines(session: Session, manifests: list[Manifest]) -> None:
    # `kubectl diff` would write live objects to files; a dry run goes through pipes.
    given = stream(manifests)
    planned = session.cluster.ask(
        "apply", "--dry-run=server", "--output=json", "--filename=-", given=given
    )
    live = session.cluster.ask(
        "get", "--ignore-not-found", "--output=json", "--filename=-", given=given
    )
    values = {} if session.is_external else inspection.known_values(session)
    for line in difference.lines(manifests, _items(live), _items(planned)):
        colour = {"+": "green", "-": "red"}.get(line[:1])
        click.secho(difference.masked(line, values), fg=colour)


def _items(answer: str) -> list[Manifest]:
    items: list[Manifest] = json.loads(answer)["items"] if answer.strip() else []
    return items


def manifests(session: Session) -> str:
    """What is deployed with external-secrets, as YAML; ConfigError in the other mode."""
    if not session.is_external:
        raise ConfigError(
            "SECRETS_MODE",
            "is direct, whose manifests have the values in them",
            "set it to external-secrets; only then can they be kept in Git",
        )
    # Tutor's job templates have no task yet. They would run, and do nothing or harm.
    rendered = [each for each in session.rendered if each["kind"] != "Job"]
    rewritten = session.rewritten(rendered)
    namespaces = list(kubernetes.of_kind(rewritten.manifests, "Namespace"))
    return kubernetes.dump(
        [
            *(_in_wave(each, -2) for each in namespaces),
            *(_in_wave(each, -1) for each in (*session.stores, *rewritten.secrets)),
            *(each for each in rewritten.manifests if each not in namespaces),
        ]
    )


def _in_wave(manifest: Manifest, wave: int) -> Manifest:
    # Argo CD would apply custom resources last, and what they are in may not be there yet.
    # https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/
    metadata = manifest["metadata"]
    annotations = {
        **(metadata.get("annotations") or {}),
        "argocd.argoproj.io/sync-wave": str(wave),
    }
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}
