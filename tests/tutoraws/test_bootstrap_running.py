"""A bootstrap's Job is followed to its end, whatever that is; kubectl is a stand-in."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from tutoraws.bootstrap import running
from tutorplatform.errors import DeployError

from tests.conftest import NewRoot

METADATA = {"name": "bootstrap-acme-1", "namespace": "platform", "labels": {}}
JOB = {"apiVersion": "batch/v1", "kind": "Job", "metadata": METADATA}
SECRET = {"kind": "Secret", "metadata": METADATA, "stringData": {"passwords.json": "s3cret"}}

# Answers as the API server would, with what is in its folder, and writes down what it is asked.
KUBECTL = f"""#!{sys.executable}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
given = sys.stdin.read() if "--filename=-" in sys.argv else ""
words = " ".join(word for word in sys.argv[1:] if not word.startswith("--"))
with (here / "calls").open("a") as calls:
    calls.write(json.dumps([words, given]) + chr(10))
known = json.loads((here / "answers.json").read_text())
for start in known:
    if words.startswith(start) and isinstance(known[start], list):
        first, *rest = known[start]
        (here / "answers.json").write_text(json.dumps({{**known, start: rest or first}}))
        known[start] = first
answer = next((known[start] for start in known if words.startswith(start)), "")
if words == "create" and not answer:
    made = json.loads(given)
    answer = {{**made, "metadata": {{**made["metadata"], "uid": "1-2-3"}}}}
if isinstance(answer, dict) and "error" in answer:
    sys.exit(answer["error"])
print(answer if isinstance(answer, str) else json.dumps(answer))
"""


class Kubectl:
    """What it answers, and what it was asked: (words, standard input)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def answers(self, **answers: Any) -> None:
        known = {key.replace("_", " "): value for key, value in answers.items()}
        (self.folder / "answers.json").write_text(json.dumps(known))

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    program = tmp_path / "kubectl"
    program.write_text(KUBECTL)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return Kubectl(tmp_path)


def ended(condition: str, reason: str = "") -> dict[str, Any]:
    return {"status": {"conditions": [{"type": condition, "status": "True", "reason": reason}]}}


JOB_MADE = {**JOB, "metadata": {**METADATA, "uid": "1-2-3"}}
PODS = {"items": [{"metadata": {"name": "pod-1"}, "status": {"phase": "Running"}}]}
LOG = "MySQL database acmeopenedx: made"


def test_the_log_is_shown_and_the_job_deleted(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl.answers(get_job=ended("Complete"), get_pods=PODS, logs=LOG)
    running.run(JOB, [SECRET])
    said = capsys.readouterr()
    assert LOG in said.out
    assert "Job bootstrap-acme-1: done" in said.out + said.err
    words = [words for words, _ in kubectl.calls]
    assert words == [
        *("create", "create", "get job bootstrap-acme-1", "get pods", "logs pod-1"),
        "delete job bootstrap-acme-1",
    ]


def test_what_is_made_belongs_to_the_job(kubectl: Kubectl) -> None:
    """And passwords go through a pipe, not through arguments."""
    kubectl.answers(get_job=ended("Complete"), get_pods=PODS, logs=LOG)
    running.run(JOB, [SECRET])
    secret = json.loads(kubectl.calls[1][1])
    assert secret["metadata"]["ownerReferences"][0]["uid"] == "1-2-3"
    assert secret["stringData"] == SECRET["stringData"]
    assert not [words for words, _ in kubectl.calls if "s3cret" in words]


def test_a_job_that_fails_shows_its_log_and_says_what_to_do(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    error = "Error: MySQL db.test:3306: there is no way to it; check the endpoint"
    kubectl.answers(get_job=ended("Failed", "BackoffLimitExceeded"), get_pods=PODS, logs=error)
    with pytest.raises(DeployError, match=r"Job bootstrap-acme-1: has failed \(Backoff") as raised:
        running.run(JOB, [SECRET])
    assert "run the command again: what is done stays done" in str(raised.value)
    assert error in capsys.readouterr().out
    assert kubectl.calls[-1][0] == "delete job bootstrap-acme-1"


def test_a_log_that_cannot_be_read_does_not_fail_what_is_done(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl.answers(get_job=ended("Complete"), get_pods=PODS, logs={"error": "forbidden"})
    running.run(JOB, [])
    said = capsys.readouterr()
    assert "The Job's log cannot be shown: kubectl logs: forbidden" in said.out + said.err


def test_without_a_secret_the_job_does_not_stay(kubectl: Kubectl) -> None:
    """Whatever fails in between."""
    kubectl.answers(create=[JOB_MADE, {"error": "forbidden"}])
    with pytest.raises(DeployError, match="kubectl create: forbidden"):
        running.run(JOB, [SECRET])
    assert kubectl.calls[-1][0] == "delete job bootstrap-acme-1"


def test_a_job_whose_making_is_cut_off_does_not_stay(kubectl: Kubectl) -> None:
    """It may be there all the same."""
    kubectl.answers(create={"error": "timeout"})
    with pytest.raises(DeployError, match="kubectl create: timeout"):
        running.run(JOB, [])
    assert kubectl.calls[-1][0] == "delete job bootstrap-acme-1"


def test_a_gap_does_not_end_a_job_that_works(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    gaps = [{"error": "connection refused"}] * (running.GAPS - 1)
    kubectl.answers(get_job=[*gaps, {}, *gaps, ended("Complete")], get_pods=PODS, logs=LOG)
    running.run(JOB, [SECRET], pause=lambda _: None)
    assert LOG in capsys.readouterr().out


def test_a_job_that_nobody_can_look_at_is_given_up(kubectl: Kubectl) -> None:
    kubectl.answers(get_job={"error": "connection refused"})
    waited: list[float] = []
    with pytest.raises(DeployError, match=r"cannot be followed \(connection refused\)"):
        running.run(JOB, [SECRET], pause=waited.append)
    assert len(waited) == running.GAPS - 1
    assert kubectl.calls[-1][0] == "delete job bootstrap-acme-1"


def test_after_its_deadline_the_last_state_is_said(kubectl: Kubectl) -> None:
    """The pod is gone then, and its log with it."""
    waiting = {"state": {"waiting": {"reason": "ErrImagePull"}}}
    pod = {"metadata": {"name": "pod-1"}, "status": {"containerStatuses": [waiting]}}
    kubectl.answers(
        get_job=[{}, ended("Failed", "DeadlineExceeded")],
        get_pods=[{"items": [pod]}, {"items": []}],
    )
    with pytest.raises(
        DeployError, match="was ended after 15 minutes; the last of it was: waits: ErrImagePull"
    ):
        running.run(JOB, [SECRET], pause=lambda _: None)
    assert kubectl.calls[-1][0] == "delete job bootstrap-acme-1"


# Says when it is asked for values, as the secrets plugin asks its store.
KEEPER = """
import click
from tutorplatform import hooks

@hooks.RESOLVED.add()
def _resolved(manifests, root):
    click.echo("values are read")
    return manifests
"""


def test_values_are_read_again_after_the_answer(kubectl: Kubectl, new_root: NewRoot) -> None:
    """Before, to fail early; but a rotation may have begun while the question stood there."""
    root = new_root(
        *("aws", "keeper"),
        environment={"PATH": os.environ["PATH"]},
        AWS_REGION="eu-west-1",
        AWS_BOOTSTRAP={"redis_user_group": "openedx"},
        AWS_REDIS={"host": "cache.test", "username": "acme"},
        REDIS_PASSWORD="of-the-instance-1",
        **{f"RUN_{service}": True for service in ("MYSQL", "MONGODB", "SMTP")},
        AWS_S3={"enabled": False},
    )
    (root.path / "plugins").mkdir()
    (root.path / "plugins" / "keeper.py").write_text(KEEPER)
    kubectl.answers(
        version={"clientVersion": {"minor": "36"}, "serverVersion": {"minor": "36"}},
        get_namespace="\n",
        get_deployments="\n",
        get_job=ended("Complete"),
        get_pods=PODS,
        logs=LOG,
    )
    argv = ("aws", "instance", "bootstrap", "--reset-passwords")
    said = root.run(*argv, given="y\n").stdout
    first, asked, second = (
        said.index("values are read"),
        said.index("Go on?"),
        said.rindex("values are read"),
    )
    assert first < said.index("ElastiCache (as the Job's role)") < asked < second
    assert "Users who know another password get the instance's, at once." in said
    [config_map] = [json.loads(given) for _, given in kubectl.calls if '"ConfigMap"' in given]
    assert json.loads(config_map["data"]["plan.json"])["reset_passwords"] is True


def test_without_kubectl_it_says_where_it_is_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DeployError, match="kubectl: is not installed; install it: https://"):
        running.run(JOB, [])
