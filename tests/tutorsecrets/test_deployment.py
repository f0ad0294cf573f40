"""Deployment: an apply becomes two, values travel on standard input, errors come before both."""

from __future__ import annotations

import json
import os
import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tutor.exceptions import TutorError
from tutorplatform import manifests as kubernetes
from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest
from tutorsecrets.deploying import pruning
from tutorsecrets.deploying.deployment import Deploy
from tutorsecrets.deploying.kubectl import LocalKubectl, QuietKubectl
from tutorsecrets.deploying.session import Session
from tutorsecrets.rewriting.pods import GATE
from tutorsecrets.stores.store import Content
from tutorsecrets.tokens import token
from tutorsecrets.typed import Typed

A = token("A")
VALUES = {"A": "s3cretA", "SECRETS_HASH_KEY": "k"}

EXTERNAL = """
SECRETS_MODE: external-secrets
SECRETS_EXTERNAL: {role_arn: "arn:aws:iam::000000000000:role/x"}
AWS_REGION: eu-west-1
"""
ALL_KINDS = (
    "externalsecrets.external-secrets.io,secretstores.external-secrets.io,serviceaccounts,secrets"
)


def configmap(name: str, **data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def job(name: str, uses: str, *args: str) -> Manifest:
    container = {"name": "lms", "args": list(args)}
    volume = {"name": "settings", "configMap": {"name": uses}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/component": "job"}},
        "spec": {
            "template": {
                "spec": {
                    "containers": [container],
                    "volumes": [volume],
                    "schedulingGates": [{"name": GATE}],
                }
            }
        },
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
    """A cluster that remembers what it is given, and what is asked of it."""

    def __init__(self, rendered: list[Manifest]) -> None:
        self.rendered = rendered
        self.calls: list[tuple[tuple[str, ...], list[Manifest]]] = []
        self.asked: list[tuple[str, ...]] = []
        self.answers: dict[str, str] = {}

    def kustomize(self, directory: str) -> str:
        assert directory.endswith("env")
        return kubernetes.dump(self.rendered)

    def feed(self, argv: tuple[str, ...], text: str) -> int:
        self.calls.append((argv, [json.loads(line) for line in text.splitlines()]))
        return 0

    def ask(self, *argv: str, given: str = "") -> str:
        assert not given
        self.asked.append(argv)
        return self.answers.get("".join(argv[1:2]), "")

    def given(self) -> list[list[str]]:
        """Kind/name of what came with each call, less the hash of a Secret's name."""
        return [
            [
                f"{item['kind']}/{re.sub('-[0-9a-f]{10}$', '', kubernetes.name(item))}"
                for item in items
            ]
            for _, items in self.calls
        ]


class Store:
    """A store that counts how often it is read."""

    title = "secret openedx/acme"
    region = "eu-west-1"

    def __init__(self, values: dict[str, str]) -> None:
        self.values, self.reads = values, 0

    def read(self, references: Mapping[str, str]) -> Content | None:
        assert not references
        self.reads += 1
        return Content(self.values)

    def write(self, changes: Mapping[str, str], *, keep_existing: bool = False) -> list[str]:
        raise AssertionError("a deployment writes nothing to the store")

    def deviations(self) -> list[tuple[str, str]]:
        return []


class Command:
    """One `tutor` command on a root without any settings."""

    def __init__(self, root: Path, rendered: list[Manifest], **values: str) -> None:
        (root / "config.yml").write_text("ID: x\n")
        self.root = str(root)
        self.passed_on: list[tuple[str, ...]] = []
        self.cluster = Cluster(rendered)
        self.store = Store(values)
        self.step = Deploy(self.new_session, self.cluster)

    def new_session(self, root: str) -> Session:
        return Session(root, lambda _: self.store, Typed(), self.cluster)

    @property
    def reads(self) -> int:
        return self.store.reads

    def proceed(self, *argv: str) -> int:
        self.passed_on.append(argv)
        return 0

    def kubectl(self, *argv: str) -> int:
        return self.step(self.root, argv, self.proceed)


def session(root: Path, *rendered: Manifest, **values: str) -> Command:
    return Command(root, list(rendered), **values)


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
    assert run.cluster.given() == [
        ["Secret/config", "Secret/lms-job-20250101120000-secrets"],
        ["Job/lms-job-20250101120000"],
    ]
    (volume,) = rest[0]["spec"]["template"]["spec"]["volumes"]
    assert volume["secret"]["secretName"] == secrets[0]["metadata"]["name"]


def test_a_job_with_plain_configmaps_is_applied_alone(tmp_path: Path) -> None:
    """A ConfigMap without tokens is there already, under its own name."""
    run = session(tmp_path, *RENDERED)
    file = tmp_path / "job.yml"
    file.write_text(kubernetes.dump([job("lms-job-20250101120000", "caddy")]))
    run.kubectl("apply", "-f", str(file))
    assert run.cluster.given() == [["Job/lms-job-20250101120000"]]
    assert run.reads == 0


def test_values_are_read_once_per_command(tmp_path: Path) -> None:
    """However many times a command applies something."""
    run = session(tmp_path, *RENDERED, **VALUES)
    for _ in range(3):
        run.kubectl("apply", "-k", "env")
    assert run.reads == 1


def test_the_next_command_reads_them_anew(tmp_path: Path) -> None:
    """In between, somebody may have changed them."""
    run = session(tmp_path, *RENDERED, **VALUES)
    run.kubectl("apply", "-k", "env")
    run.step.end()
    run.kubectl("apply", "-k", "env")
    assert run.reads == 2


def test_each_secret_says_when_it_was_applied(tmp_path: Path) -> None:
    """What was applied a moment ago is not deleted as unused."""
    run = session(tmp_path, *RENDERED, **VALUES)
    run.kubectl("apply", "-k", "env")
    [secret] = run.cluster.calls[0][1]
    applied = datetime.fromisoformat(secret["metadata"]["annotations"]["tutorsecrets/applied"])
    assert abs(datetime.now(timezone.utc) - applied) < timedelta(minutes=1)


def test_the_secret_of_a_job_goes_with_it(tmp_path: Path) -> None:
    """With the job at the latest, at the end of the command if it is done by then."""
    run = session(tmp_path, *RENDERED, **VALUES)
    file = tmp_path / "job.yml"
    name = "lms-job-20250101120000"
    file.write_text(kubernetes.dump([job(name, "config", f"echo {A}")]))
    run.cluster.answers = {"job": "some-uid", "jobs": done(name)}
    run.kubectl("apply", "-f", str(file))
    [patch] = [argv for argv in run.cluster.asked if argv[0] == "patch"]
    assert patch[1:3] == ("secret", f"{name}-secrets")
    assert '"kind": "Job"' in patch[-1]
    assert '"uid": "some-uid"' in patch[-1]
    run.step.end()
    [deletion] = [argv for argv in run.cluster.asked if argv[0] == "delete"]
    assert deletion[1] == "secret"
    assert deletion[-1] == f"{name}-secrets"


def done(name: str) -> str:
    status = {"conditions": [{"type": "Complete", "status": "True"}]}
    return json.dumps({"items": [{"kind": "Job", "metadata": {"name": name}, "status": status}]})


def test_the_secret_of_a_job_that_still_runs_stays(tmp_path: Path) -> None:
    """After Ctrl-C, for example. Its next pod needs it."""
    run = session(tmp_path, *RENDERED, **VALUES)
    file = tmp_path / "job.yml"
    file.write_text(kubernetes.dump([job("lms-job-20250101120000", "config", f"echo {A}")]))
    run.cluster.answers = {"job": "some-uid", "jobs": '{"items": []}'}
    run.kubectl("apply", "-f", str(file))
    run.step.end()
    assert not [argv for argv in run.cluster.asked if argv[0] == "delete"]


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
        pytest.param(
            [*RENDERED, configmap("x", f="s3cretAAA")],
            {**VALUES, "A": "s3cretAAA"},
            "ConfigMap x, data.f: has the value of A in plain text",
            id="plain value",
        ),
        pytest.param(
            [*RENDERED, configmap("x", f="an-old-setting-of-B")],
            {**VALUES, "B": "old-setting-of-B"},
            "ConfigMap x, data.f: has the value of B in plain text",
            id="plain value of another setting",
        ),
        pytest.param(
            [*RENDERED, configmap("x", DB_PASSWORD="x")],
            VALUES,
            "ConfigMap x, data: DB_PASSWORD is in plain text",
            id="plain password",
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


def test_what_the_store_has_for_itself_is_no_secret(tmp_path: Path) -> None:
    """User names, for example; and what is declared to be none."""
    values = {**VALUES, "SECRETS_USERS": "{}" + " " * 8, "MAP_API_KEY": "public-value"}
    run = session(tmp_path, *RENDERED, configmap("x", f="{}" + " " * 8 + "public-value"), **values)
    (tmp_path / "config.yml").write_text("ID: x\nSECRETS_PLAIN: [MAP_API_KEY]\n")
    run.kubectl("apply", "-k", "env")
    assert len(run.cluster.calls) == 2
    assert run.reads == 1


def workload(kind: str = "Deployment", version: str = "apps/v1", **pod: Any) -> Manifest:
    spec = {"template": {"spec": {"containers": [], **pod}}}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "lms"}, "spec": spec}


@pytest.mark.parametrize("gates", [[], [{"name": "another/gate"}]], ids=["none", "another's"])
def test_an_environment_rendered_without_the_plugin_is_refused(
    tmp_path: Path, gates: list[dict[str, str]]
) -> None:
    """It has values in place of tokens; there is nothing else to tell it by."""
    run = session(tmp_path, NAMESPACE, workload(schedulingGates=gates))
    with pytest.raises(DeployError) as raised:
        run.kubectl("apply", "-k", str(tmp_path / "env"))
    assert str(raised.value).startswith("Deployment lms: was rendered without the secrets plugin")
    assert "run `tutor config save`" in str(raised.value)
    assert run.cluster.calls == []


def test_no_job_runs_out_of_an_environment_rendered_without_the_plugin(tmp_path: Path) -> None:
    """Tutor takes its template from there."""
    run = session(tmp_path, NAMESPACE, workload())
    file = tmp_path / "job.yml"
    file.write_text(kubernetes.dump([job("lms-job-20250101120000", "config", f"echo {A}")]))
    with pytest.raises(DeployError, match="run `tutor config save`"):
        run.kubectl("apply", "-f", str(file))
    assert run.cluster.calls == []


@pytest.mark.parametrize(
    "manifest",
    [
        workload(schedulingGates=[{"name": GATE}, {"name": "another/gate"}]),
        # The plugin's patch does not reach these.
        workload("Rollout", "argoproj.io/v1alpha1"),
        workload("Job", "batch.volcano.sh/v1alpha1"),
        configmap("x"),
    ],
    ids=["gated", "another kind", "another group", "no workload"],
)
def test_an_environment_rendered_with_the_plugin_passes(tmp_path: Path, manifest: Manifest) -> None:
    run = session(tmp_path, NAMESPACE, manifest)
    run.kubectl("apply", "-k", str(tmp_path / "env"))
    [(_, applied)] = run.cluster.calls
    assert GATE not in json.dumps(applied)


def test_folders_of_other_plugins_need_no_gates(tmp_path: Path) -> None:
    """They render them as they like."""
    run = session(tmp_path, workload())
    run.kubectl("apply", "-k", str(tmp_path / "other" / "env"))
    assert len(run.cluster.calls) == 1


def test_a_dry_run_on_the_client_leaves_secrets_out(tmp_path: Path) -> None:
    """They would be created for real: server-side apply knows no such dry run."""
    run = session(tmp_path, *RENDERED, **VALUES)
    run.kubectl("apply", "-k", "env", "--dry-run=client", "--output=yaml")
    assert [argv for argv, _ in run.cluster.calls] == [
        ("apply", "--filename=-", "--dry-run=client", "--output=yaml")
    ]


@pytest.mark.parametrize(
    ("settings", "secrets", "versions", "kinds"),
    [
        ("", "a|tokens||\n", "v1", "secrets"),
        ("", "a|tokens||\n", "v1 external-secrets.io/v1", "secrets"),
        (EXTERNAL, "", "v1 external-secrets.io/v1", ALL_KINDS),
        (EXTERNAL, "", "v1", "secrets"),
        ("", "a|tokens|ExternalSecret|\n", "v1 external-secrets.io/v1", ALL_KINDS),
    ],
    ids=["direct", "operator not in use", "external", "operator gone", "mode changed"],
)
def test_stop_deletes_secrets_as_well(
    tmp_path: Path, settings: str, secrets: str, versions: str, kinds: str
) -> None:
    """After what uses them; and what would make them again."""
    run = session(tmp_path)
    (tmp_path / "config.yml").write_text("ID: x\n" + settings)
    run.cluster.answers = {"secrets": secrets, "": versions}
    run.kubectl("delete", "--selector=a=b", "deployments,configmaps")
    assert run.passed_on == [
        ("delete", "--selector=a=b", "deployments,configmaps"),
        ("delete", "--selector=a=b,tutorsecrets/made-from=tokens", kinds),
    ]


OLD = "2020-01-01T00:00:00+00:00"
USER = {"kind": "ReplicaSet", "metadata": {"name": "r"}, "spec": {"uses": "in-use"}}


@pytest.mark.parametrize(
    ("listing", "deleted"),
    [
        pytest.param(
            f"unused|tokens||{OLD}\n",
            [("serviceaccounts", "made-from=tokens"), ("externalsecrets", "unused")],
            id="all",
        ),
        pytest.param(
            f"unused|tokens||{OLD}\nin-use|tokens||{OLD}\n",
            [("externalsecrets", "unused")],
            id="one can go back to one",
        ),
        pytest.param(
            f"theirs|secret||{OLD}\n",
            [("externalsecrets", "theirs"), ("serviceaccounts", "made-from=tokens")],
            id="of another plugin",
        ),
    ],
)
def test_after_a_change_to_the_direct_mode_the_operator_has_nothing_left(
    tmp_path: Path, listing: str, deleted: list[tuple[str, str]]
) -> None:
    """ExternalSecrets go as Secrets do; a Secret that keeps its name stays."""
    theirs = {"kind": "Secret", "metadata": {"name": "theirs"}, "stringData": {"a": A}}
    run = session(tmp_path, *RENDERED, theirs, **VALUES)
    run.cluster.answers = {
        "secrets": "unused|tokens|ExternalSecret|\n",
        "externalsecrets.external-secrets.io": listing,
        pruning.USERS: json.dumps({"items": [USER]}),
    }
    run.kubectl("apply", "-k", "env")
    deletions = [argv for argv in run.cluster.asked if argv[0] == "delete"]
    assert len(deletions) == len(deleted)
    for argv, (kind, what) in zip(deletions, deleted, strict=True):
        assert kind in argv[1]
        assert argv[-1].endswith(what)
        assert ("--cascade=orphan" in argv) is (what == "theirs")


def test_where_the_operator_is_not_in_use_nobody_asks_for_its_objects(tmp_path: Path) -> None:
    """The cluster may not know these kinds, and kubectl would fail."""
    run = session(tmp_path, *RENDERED, **VALUES)
    run.cluster.answers = {"secrets": f"unused|tokens||{OLD}\n", pruning.USERS: '{"items": []}'}
    run.kubectl("apply", "-k", "env")
    assert not [argv for argv in run.cluster.asked if "external" in argv[1]]
    [deletion] = [argv for argv in run.cluster.asked if argv[0] == "delete"]
    assert (deletion[1], deletion[-1]) == ("secrets", "unused")


def test_after_a_change_to_external_secrets_the_secrets_of_before_go(tmp_path: Path) -> None:
    """Once nothing uses them; the operator's own are its business."""
    run = session(tmp_path, NAMESPACE)
    (tmp_path / "config.yml").write_text("ID: x\n" + EXTERNAL)
    run.cluster.answers = {
        "secrets": f"before|tokens||{OLD}\nin-use|tokens||{OLD}\nnew|tokens|ExternalSecret|\n",
        pruning.USERS: json.dumps({"items": [USER]}),
        "": "external-secrets.io/v1",
        "externalsecrets.external-secrets.io": "",
    }
    run.kubectl("apply", "-k", "env")
    [deletion] = [argv for argv in run.cluster.asked if argv[0] == "delete"]
    assert (deletion[1], deletion[-1]) == ("secrets", "before")


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


def fake_kubectl(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "kubectl").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_a_cluster_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where it may well be that there is none; and nobody hears of it."""
    fake_kubectl(tmp_path, "echo no route >&2; exec sleep 60", monkeypatch)
    with pytest.raises(TutorError, match=r"No answer in 0\.2 s: kubectl get secrets"):
        QuietKubectl(0.2).ask("get", "secrets")
    fake_kubectl(tmp_path, "echo refused >&2; exit 1", monkeypatch)
    with pytest.raises(TutorError, match="Command failed with status 1: kubectl get secrets"):
        QuietKubectl().ask("get", "secrets")
    assert capfd.readouterr() == ("", "")
    fake_kubectl(tmp_path, "echo secret/a", monkeypatch)
    assert QuietKubectl().ask("get", "secrets") == "secret/a\n"
