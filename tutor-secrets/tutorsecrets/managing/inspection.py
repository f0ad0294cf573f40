"""Edge: is every secret where it has to be, and nowhere else? Store, files and cluster compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tutor.exceptions import TutorError
from tutorplatform import manifests as kubernetes
from tutorplatform.errors import PlatformError
from tutorplatform.manifests import Manifest

from tutorsecrets.deploying.pruning import USERS
from tutorsecrets.deploying.session import Session
from tutorsecrets.managing import generation, journal, upkeep
from tutorsecrets.managing.search import keys_found
from tutorsecrets.rewriting.pods import names_in
from tutorsecrets.rewriting.rewrite import Rewritten, rewrite, texts, title
from tutorsecrets.rewriting.sealing import Direct
from tutorsecrets.stores.entries import PENDING
from tutorsecrets.stores.store import Content

# Everything that a value could have got into, but for Secrets and what only lists other things.
KINDS = f"{USERS},configmaps,events,services,ingresses"

DEPLOY = "run `tutor k8s start`"
MIGRATE = "run `tutor secrets migrate`"


@dataclass(frozen=True)
class Finding:
    """Where something is not as it should be, what is wrong, and what to do."""

    where: str
    problem: str
    remedy: str


def findings(session: Session) -> Iterator[Finding]:
    """All that is wrong with the instance's secrets."""
    content = session.content
    if content is None:
        problem = f"does not exist in {session.store.region}"
        remedy = "correct SECRETS_NAME or the region; for a new instance run `tutor secrets init`"
        yield Finding(session.store.title, problem, remedy)
        return
    lacking = list(_lacking(session, content))
    yield from lacking
    yield from _in_store(session, content)
    yield from unfinished(session.store.title, content.values)
    if lacking:
        # Nothing could be deployed, and so be compared with what runs.
        return
    try:
        rewritten = _rewritten(session)
    except PlatformError as error:
        yield Finding(error.where, error.problem, error.remedy)
        return
    try:
        yield from outdated(rewritten, session.live(USERS), session.live_secrets())
    except TutorError as error:
        yield Finding("cluster", str(error), "check `kubectl config current-context`")
        return
    yield from plain_values(session, known_values(session))


def unfinished(store: str, values: Mapping[str, str]) -> Iterator[Finding]:
    """A rotation that has not come to its end, or an entry that should tell of one and does not.

    `store` is the store's title, `values` are all its entries.
    """
    try:
        rotation = journal.parsed(values.get(PENDING))
    except PlatformError as error:
        yield Finding(error.where, error.problem, error.remedy)
        return
    if rotation:
        problem = f"the rotation of {', '.join(rotation.keys)} is not finished"
        yield Finding(store, problem, "run `tutor secrets rotate`")


def plain_values(session: Session, values: Mapping[str, str]) -> Iterator[Finding]:
    """Where values stand in plain text: files of the Tutor root, objects in the namespace."""
    yield from _in_files(session, values)
    for manifest in session.live(KINDS):
        for key in keys_found([text for _, text in texts(manifest)], values):
            yield Finding(title(manifest), f"has the value of {key} in plain text", MIGRATE)


def known_values(session: Session) -> dict[str, str]:
    """Token → value, for all that the instance's manifests and jobs use, and its whole store."""
    return {**session.stored, **{text: session.lookup(text) for text in session.tokens}}


def _lacking(session: Session, content: Content) -> Iterator[Finding]:
    generators = generation.generators()
    for key in sorted(session.keys - set(content.values)):
        remedy = "tutor secrets init" if key in generators else f"tutor secrets set {key}"
        yield Finding(session.store.title, f"has no {key}", f"run `{remedy}`")
    for key in sorted(key for key, value in content.values.items() if not value):
        yield Finding(session.store.title, f"{key} is empty", f"run `tutor secrets set {key}`")


def _in_store(session: Session, content: Content) -> Iterator[Finding]:
    for name in sorted(upkeep.stale(session, content.values)):
        problem = f"{name}, which derives from another value, is missing or outdated"
        yield Finding(session.store.title, problem, "run `tutor secrets init`")
    for problem, remedy in session.store.deviations():
        yield Finding(session.store.title, problem, remedy)


def _rewritten(session: Session) -> Rewritten:
    # With values in any mode, so that one that does not fit is found here.
    direct = Direct(session.lookup)
    rewrite([*session.rendered, *session.jobs], direct, direct)
    return session.rewritten(session.rendered)


def _in_files(session: Session, values: Mapping[str, str]) -> Iterator[Finding]:
    for path in sorted(Path(session.root).rglob("*")):
        if path.is_file() and ".git" not in path.parts:
            text = path.read_text(encoding="utf-8", errors="replace")
            for key in keys_found([text], values):
                yield Finding(str(path), f"holds the value of {key}", f"delete it, then {MIGRATE}")


def outdated(
    rewritten: Rewritten, live: Iterable[Manifest], secrets: set[str]
) -> Iterator[Finding]:
    """The workloads that do not use the Secrets which a deployment now would bring."""
    made = {kubernetes.name(secret) for secret in rewritten.secrets}
    running = {(each["kind"], kubernetes.name(each)): names_in(each) for each in live}
    for workload in rewritten.manifests:
        wanted = names_in(workload) & made
        found = running.get((workload["kind"], kubernetes.name(workload)))
        if not wanted or workload["kind"] == "Job":
            continue
        if found is None:
            yield Finding(title(workload), "is not deployed", DEPLOY)
        elif not wanted <= found:
            yield Finding(title(workload), "runs with older settings or values", DEPLOY)
        elif not wanted <= secrets:
            lost = ", ".join(sorted(wanted - secrets))
            yield Finding(title(workload), f"needs Secret {lost}, which is gone", DEPLOY)
