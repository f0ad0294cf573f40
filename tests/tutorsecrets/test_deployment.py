"""Kubectl: an apply becomes two, values travel on standard input, and errors come before both."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from tutor.exceptions import TutorError
from tutor.types import Config
from tutorplatform import manifests as kubernetes
from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest
from tutorsecrets.kubectl import Deploy, LocalKubectl
from tutorsecrets.resolve import Values
from tutorsecrets.tokens import token

A = token("A")
VALUES = {"A": "s3cretA", "SECRETS_HASH_KEY": "k"}


def configmap(name: str, **data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def job(name: str, uses: str, *args: str) -> Manifest:
    container = {"name": "lms", "args": list(args)}
    volume = {"name": "settings", "configMap": {"name": uses}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/component": "job"}},
        "spec": {"template": {"spec": {"containers": [container], "volumes": [volume]}}},
    }


NAMESPACE: Manifest = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "acme", "labels": {"app.kubernetes.io/component": "namespace"}},
}
RENDERED = [
    NAMESPACE,
    configmap("config", f=A),
    configmap("caddy", f="x"),
    job("lms-job", "config"),
]


class Cluster:
    """A cluster that remembers what it is given."""

    def __init__(self, rendered: list[Manifest]) -> None:
        self.rendered = rendered
        self.calls: list[tuple[tuple[str, ...], list[Manifest]]] = []

    def kustomize(self, directory: str) -> str:
        assert directory.endswith("env")
        return kubernetes.dump(self.rendered)

    def feed(self, argv: tuple[str, ...], text: str) -> int:
        self.calls.append((argv, [json.loads(line) for line in text.splitlines()]))
        return 0

    def given(self) -> list[list[str]]:
        """Kind/name, less its last part, of what came with each call."""
        return [
            [f"{item['kind']}/{kubernetes.name(item).rpartition('-')[0]}" for item in items]
            for _, items in self.calls
        ]


class Session:
    """One `tutor` command on a root without any settings."""

    def __init__(self, root: Path, rendered: list[Manifest], **values: str) -> None:
        (root / "config.yml").write_text("ID: x\n")
        self.root, self.values, self.reads = str(root), values, 0
        self.passed_on: list[tuple[str, ...]] = []
        self.cluster = Cluster(rendered)
        self.step = Deploy(self.read, self.cluster)

    def read(self, config: Config) -> Values:
        assert config["ID"] == "x"
        self.reads += 1
        return Values("openedx/acme", self.values)

    def proceed(self, *argv: str) -> int:
        self.passed_on.append(argv)
        return 0

    def kubectl(self, *argv: str) -> int:
        return self.step(self.root, argv, self.proceed)


def session(root: Path, *rendered: Manifest, **values: str) -> Session:
    return Session(root, list(rendered), **values)


def test_secrets_come_first_and_server_side(tmp_path: Path) -> None:
    """Server-side, no annotation keeps the value; the rest is applied with Tutor's arguments."""
    run = session(tmp_path, *RENDERED, **VALUES)
    assert run.kubectl("apply", "--kustomize", "env", "--prune") == 0
    (first, secrets), (second, rest) = run.cluster.calls
    assert first == (
        *("apply", "--server-side", "--field-manager=tutor-secrets", "--force-conflicts"),
        "--filename=-",
    )
    assert [b64decode(secret["data"]["f"]) for secret in secrets] == [b"s3cretA"]
    assert second == ("apply", "--filename=-", "--prune")
    assert [item["kind"] for item in rest] == ["Namespace", "ConfigMap", "Job"]
    assert not run.passed_on


def test_values_are_nowhere_but_in_secrets(tmp_path: Path) -> None:
    """Neither the arguments nor the other manifests hold a value."""
    run = session(tmp_path, *RENDERED, job("x-job", "config", f"echo {A}"), **VALUES)
    run.kubectl("apply", "--kustomize", "env")
    (first, _), (second, rest) = run.cluster.calls
    assert "s3cretA" not in json.dumps([first, second, rest])


def test_a_selector_limits_the_secrets_too(tmp_path: Path) -> None:
    """Before there is a namespace, there can be no Secret in it."""
    run = session(tmp_path, *RENDERED, **VALUES)
    run.kubectl(
        "apply", "-k", "env", "--wait", "--selector", "app.kubernetes.io/component=namespace"
    )
    ((argv, rest),) = run.cluster.calls
    assert argv[-2:] == ("--selector", "app.kubernetes.io/component=namespace")
    assert not [item for item in rest if item["kind"] == "Secret"]


def test_a_job_file_brings_the_secrets_it_needs(tmp_path: Path) -> None:
    """Tutor's job files refer to ConfigMaps of the environment, which are Secrets by now."""
    run = session(tmp_path, *RENDERED, **VALUES)
    file = tmp_path / "job.yml"
    file.write_text(kubernetes.dump([job("lms-job-20250101120000", "config", f"echo {A}")]))
    run.kubectl("apply", "-f", str(file))
    (_, secrets), (argv, rest) = run.cluster.calls
    assert argv == ("apply", "--filename=-")
    assert run.cluster.given() == [["Secret/config", "Secret/lms-job-secrets"], ["Job/lms-job"]]
    (volume,) = rest[0]["spec"]["template"]["spec"]["volumes"]
    assert volume["secret"]["secretName"] == secrets[0]["metadata"]["name"]


def test_a_job_with_plain_configmaps_is_applied_alone(tmp_path: Path) -> None:
    """A ConfigMap without tokens is there already, under its own name."""
    run = session(tmp_path, *RENDERED)
    file = tmp_path / "job.yml"
    file.write_text(kubernetes.dump([job("lms-job-20250101120000", "caddy")]))
    run.kubectl("apply", "-f", str(file))
    assert run.cluster.given() == [["Job/lms-job"]]
    assert run.reads == 0


def test_values_are_read_once_per_command(tmp_path: Path) -> None:
    """However many times a command applies something."""
    run = session(tmp_path, *RENDERED, **VALUES)
    for _ in range(3):
        run.kubectl("apply", "-k", "env")
    assert run.reads == 1


def test_without_tokens_the_store_is_not_asked(tmp_path: Path) -> None:
    """Nothing to resolve, nothing to read."""
    run = session(tmp_path, NAMESPACE, configmap("caddy", f="x"))
    run.kubectl("apply", "-k", "env")
    assert run.reads == 0
    assert len(run.cluster.calls) == 1


@pytest.mark.parametrize(
    ("manifests", "values", "message"),
    [
        pytest.param(RENDERED, {"A": "x"}, "the key SECRETS_HASH_KEY is missing", id="hash key"),
        pytest.param(RENDERED, {"SECRETS_HASH_KEY": "k"}, "the key A is missing", id="missing"),
        pytest.param(RENDERED, {**VALUES, "A": ""}, "the key A is empty", id="empty"),
        pytest.param(
            [{"kind": "Service", "metadata": {"name": A}}], VALUES, "a secret cannot go", id="left"
        ),
    ],
)
def test_nothing_is_applied_after_an_error(
    tmp_path: Path, manifests: list[Manifest], values: dict[str, Any], message: str
) -> None:
    """Not even the namespace."""
    run = session(tmp_path, *manifests, **values)
    with pytest.raises(DeployError, match=message):
        run.kubectl("apply", "-k", "env")
    assert run.cluster.calls == []


def test_a_dry_run_on_the_client_leaves_secrets_out(tmp_path: Path) -> None:
    """They would be created for real: server-side apply knows no such dry run."""
    run = session(tmp_path, *RENDERED, **VALUES)
    run.kubectl("apply", "-k", "env", "--dry-run=client", "--output=yaml")
    assert [argv for argv, _ in run.cluster.calls] == [
        ("apply", "--filename=-", "--dry-run=client", "--output=yaml")
    ]


def test_stop_deletes_secrets_as_well(tmp_path: Path) -> None:
    """After what uses them."""
    run = session(tmp_path)
    run.kubectl("delete", "--selector=a=b", "deployments,configmaps")
    assert run.passed_on == [
        ("delete", "--selector=a=b", "deployments,configmaps"),
        ("delete", "--selector=a=b,tutorsecrets/made-from=tokens", "secrets"),
    ]


def test_other_commands_pass(tmp_path: Path) -> None:
    """`logs`, `exec` and the like are none of our business."""
    run = session(tmp_path)
    run.kubectl("logs", "--follow", "lms")
    assert run.passed_on == [("logs", "--follow", "lms")]


@pytest.mark.render
@pytest.mark.usefixtures("pinned_kubectl")
def test_local_kubectl_renders_a_folder(tmp_path: Path) -> None:
    """With kustomize, as `kubectl apply --kustomize` would."""
    (tmp_path / "kustomization.yml").write_text("configMapGenerator: [{name: a, literals: [b=c]}]")
    (rendered,) = kubernetes.load(LocalKubectl().kustomize(str(tmp_path)))
    assert rendered["data"] == {"b": "c"}


@pytest.mark.render
@pytest.mark.usefixtures("pinned_kubectl")
def test_local_kubectl_reports_failure_without_its_input(tmp_path: Path) -> None:
    """The error repeats the command, and not what was written to it."""
    with pytest.raises(TutorError, match=r"^Command failed with status 1: kubectl ") as caught:
        LocalKubectl().feed(("label", "--local", "--filename=-", "a=b"), '{"s3cret": 1}')
    assert "s3cret" not in str(caught.value)
    with pytest.raises(TutorError, match="kubectl kustomize"):
        LocalKubectl().kustomize(str(tmp_path))
