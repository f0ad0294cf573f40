"""Edge: makes up what the store lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tutor.exceptions import TutorError
from tutorplatform.errors import ConfigError

from tutorsecrets.deploying.kubectl import Cluster
from tutorsecrets.deploying.session import Session
from tutorsecrets.managing import generation, upkeep, usage
from tutorsecrets.managing.databases import database_user
from tutorsecrets.rewriting.rewrite import OWN_SELECTOR
from tutorsecrets.stores.store import Content
from tutorsecrets.tokens import parse, stored_name


@dataclass(frozen=True)
class Filled:
    """What was done to the store and what was not, as names of settings."""

    added: list[str]
    # Somebody else was quicker with these.
    kept: list[str]
    # For External Secrets: what derives from these was stored anew.
    renewed: list[str]
    # Chosen by somebody else, and not there yet.
    missing: list[str]
    empty: list[str]

    @property
    def done(self) -> str:
        """What was done, in words."""
        parts = [
            f"added {', '.join(self.added)}" if self.added else "",
            f"kept {', '.join(self.kept)}, just added by somebody else" if self.kept else "",
            f"renewed what derives from {', '.join(self.renewed)}" if self.renewed else "",
        ]
        nothing = "nothing to add" if self.missing or self.empty else "complete"
        return "; ".join(filter(None, parts)) or nothing

    @property
    def left(self) -> list[str]:
        """What is left for the operator to do, in words."""
        return [
            *(f"{key} is chosen by somebody else: {_setting(key)}" for key in self.missing),
            *(f"{key} is empty: {_setting(key)}" for key in self.empty),
        ]


def _setting(key: str) -> str:
    return f"run `tutor secrets set {key}`"


def fill(session: Session, cluster: Cluster, *, force: bool = False) -> Filled:
    """Make up what the store lacks. What is there is never changed, but for derived values.

    Whenever it is interrupted, repeat it. Raises ConfigError, unless `force`, if the store has
    nothing although `cluster` runs the instance: it has its values from another store. The same
    for a password of a MySQL user whom something that runs logs in as.
    """
    before = session.content or Content({})
    if not before.values and not force:
        _require_nothing_runs(session, cluster)
    lacking = sorted(session.keys - set(before.values) - set(session.settings.references))
    if not force:
        _require_nobody_logs_in(session, cluster, lacking)
    new = generation.new_values(session.config, lacking)
    added = session.store.write(new, keep_existing=True) if new else []
    values = _values(session, before) if new else before.values
    # Nothing derives from no value.
    known = {key: value for key, value in values.items() if value}
    return Filled(
        added,
        [key for key in new if key not in added],
        _renewed(session, known, added),
        [key for key in lacking if key not in values],
        sorted(key for key, value in values.items() if not value),
    )


def _values(session: Session, before: Content) -> Mapping[str, str]:
    # Without references: where they lead nowhere yet, a deployment says so.
    own = session.store.read({}) or Content({})
    return {**before.values, **own.values}


def _renewed(session: Session, values: Mapping[str, str], added: list[str]) -> list[str]:
    """Store what derives from values; the settings of which that was there, and outdated."""
    stale = upkeep.stale(session, values)
    if not stale:
        return []
    session.store.write(stale)
    keys = {parse(token).key for token in session.tokens if stored_name(token) in stale}
    return sorted(keys - set(added))


def _require_nothing_runs(session: Session, cluster: Cluster) -> None:
    place = f"--namespace={session.namespace}"
    try:
        found = cluster.ask("get", "secrets", place, f"--selector={OWN_SELECTOR}", "--output=name")
    except TutorError:
        # There may be no cluster yet.
        return
    if found.strip():
        raise ConfigError(
            "SECRETS_NAME",
            f"there is no {session.store.title} in {session.store.region}, but namespace "
            f"{session.namespace} runs with secrets: new ones would lock the instance out",
            "correct SECRETS_NAME, AWS_REGION or the AWS account, or bring back what was deleted "
            "there; to start anew, run `tutor secrets init --force`",
        )


def _require_nobody_logs_in(session: Session, cluster: Cluster, lacking: list[str]) -> None:
    passwords = [key for key in lacking if database_user(key, session.config)]
    if not passwords:
        return
    place = f"--namespace={session.namespace}"
    try:
        running = cluster.ask("get", "deployments", place, "--output=name").split()
    except TutorError:
        return
    live = {name.partition("/")[2] for name in running}
    users = usage.by_workload(session.rendered) if live else {}
    for key in passwords:
        found = sorted(live & {name.partition("/")[2] for name in users.get(key, ())})
        if found:
            raise ConfigError(
                session.store.title,
                f"has no {key}, but {', '.join(found)} runs with one, which the server knows: "
                "a new one would lock it out",
                "bring the value back, from a version before this one or with `tutor secrets set`; "
                "to make one up all the same, run `tutor secrets init --force`",
            )
