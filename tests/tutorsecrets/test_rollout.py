"""Rollout: which workloads are rolled, and who is waited for, in both modes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from tutor.types import Config
from tutorplatform import manifests as kubernetes
from tutorplatform.manifests import Manifest
from tutorsecrets.deploying.session import Session
from tutorsecrets.managing import rollout
from tutorsecrets.stores.store import Content
from tutorsecrets.tokens import token
from tutorsecrets.typed import Typed

KEY = "X_MYSQL_PASSWORD"
WORKLOADS = ["cronjob/nightly", "daemonset/log", "deployment/lms", "pod/one", "statefulset/db"]
EXTERNAL = {
    "SECRETS_MODE": "external-secrets",
    "SECRETS_EXTERNAL": {"role_arn": "arn:aws:iam::123456789012:role/acme"},
}


class Store:
    """A store with one value."""

    title = "secret openedx/acme"
    region = "eu-west-1"

    def read(self, _references: Mapping[str, str]) -> Content:
        return Content({KEY: "new-password", "SECRETS_HASH_KEY": "k"})

    def write(self, changes: Mapping[str, str], *, keep_existing: bool = False) -> list[str]:
        raise AssertionError("nothing is written here")

    def deviations(self) -> list[tuple[str, str]]:
        return []


class Cluster:
    """A cluster with these pods and jobs, and Secrets of these names."""

    def __init__(self, secrets: list[str]) -> None:
        self.secrets, self.live = secrets, list[Manifest]()
        self.calls: list[str] = []

    def kustomize(self, directory: str) -> str:
        raise AssertionError(f"nobody renders {directory}")

    def feed(self, argv: tuple[str, ...], text: str) -> int:
        self.calls.append(" ".join([*argv, text]))
        return 0

    def ask(self, *argv: str, given: str = "") -> str:
        assert not given
        if argv[1] == "secrets":
            assert "--selector=tutorsecrets/made-from=tokens" in argv
            return " ".join(self.secrets)
        assert argv[1] == "pods,jobs"
        return json.dumps({"items": self.live})


class KnownSession(Session):
    """A session with one Deployment that has the password in a file."""

    @cached_property
    def config(self) -> Config:
        settings: Any = json.loads(Path(self.root, "config.json").read_text())
        return {"K8S_NAMESPACE": "acme", "SECRETS_NAME": "openedx/acme", **settings}

    @cached_property
    def rendered(self) -> list[Manifest]:
        data = {"f.py": f'X = "{token(KEY)}"'}
        pod = {"containers": [], "volumes": [{"name": "v", "configMap": {"name": "config"}}]}
        return [
            {"kind": "ConfigMap", "metadata": {"name": "config"}, "data": data},
            {
                "kind": "Deployment",
                "metadata": {"name": "lms"},
                "spec": {"template": {"spec": pod}},
            },
        ]


def session(root: Path, cluster: Cluster, settings: Mapping[str, Any]) -> Session:
    (root / "config.json").write_text(json.dumps(settings))
    return KnownSession(str(root), lambda _: Store(), Typed(), cluster)


def pod(name: str, secret: str, **metadata: Any) -> Manifest:
    volume = {"name": "v", "secret": {"secretName": secret}}
    return {
        "kind": "Pod",
        "metadata": {"name": name, **metadata},
        "spec": {"containers": [], "volumes": [volume]},
        "status": {"phase": "Running"},
    }


@pytest.mark.parametrize("verb", ["restart", "status"])
def test_what_is_rolled_is_what_can_be(verb: str, tmp_path: Path) -> None:
    """A CronJob's next run has the new value by itself."""
    cluster = Cluster([])
    act = rollout.restart if verb == "restart" else rollout.wait
    act(session(tmp_path, cluster, {}), WORKLOADS)
    assert [call.split()[:3] for call in cluster.calls] == [
        ["rollout", verb, "daemonset/log"],
        ["rollout", verb, "deployment/lms"],
        ["rollout", verb, "statefulset/db"],
    ]


def test_pods_with_an_older_secret_are_old(tmp_path: Path) -> None:
    """As long as they run; pods of other Secrets are nobody's business here."""
    cluster = Cluster(["config-9876543210"])
    instance = session(tmp_path, cluster, {})
    [secret] = instance.rewritten(instance.rendered).secrets
    current = kubernetes.name(secret)
    cluster.secrets.append(current)
    old = rollout.old_pods(instance, [KEY])
    cluster.live = [
        pod("a", "config-9876543210"),
        pod("b", current, ownerReferences=[{"kind": "Job", "name": "j"}]),
        pod("c", "foreign"),
    ]
    assert next(old) == ["Pod a"]
    cluster.live = cluster.live[1:]
    assert next(old) == []


def test_where_names_stay_the_first_look_tells_who_is_old(tmp_path: Path) -> None:
    """Pods of a Deployment are new by then; jobs are as old as they are."""
    cluster = Cluster([])
    instance = session(tmp_path, cluster, EXTERNAL)
    [secret] = instance.rewritten(instance.rendered).secrets
    current = kubernetes.name(secret)
    cluster.secrets = [current]
    old = rollout.old_pods(instance, [KEY])
    job = [{"kind": "Job", "name": "nightly"}]
    early = pod("early", current, ownerReferences=job)
    cluster.live = [early, pod("ending", current, deletionTimestamp="2026-01-01T00:00:00Z")]
    cluster.live += [pod("lms", current)]
    assert next(old) == ["Pod early", "Pod ending"]
    cluster.live = [early, pod("lms", current), pod("late", current, ownerReferences=job)]
    assert next(old) == ["Pod early"]
    cluster.live = cluster.live[1:]
    assert next(old) == []
