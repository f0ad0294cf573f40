"""Tutor's kubectl calls run through our steps, and not before the cluster has been looked at."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from tutor import utils
from tutor.commands.k8s import k8s
from tutor.types import Config
from tutorplatform import deploy
from tutorplatform.errors import DeployError
from tutorplatform.hooks import Kubectl, KubectlStep

Answer = Callable[..., "subprocess.CompletedProcess[str]"]
CONFIG: Config = {"K8S_NAMESPACE": "acme", "ID": "abc"}


def answering(stdout: str = "", stderr: str = "", returncode: int = 0) -> Answer:
    return lambda *argv: subprocess.CompletedProcess(argv, returncode, stdout, stderr)


def versions(client: str, server: str) -> str:
    return json.dumps({"clientVersion": {"minor": client}, "serverVersion": {"minor": server}})


@pytest.mark.parametrize(("client", "server"), [("36", "36"), ("35", "36"), ("36+", "35")])
def test_a_kubectl_next_to_the_clusters_version_is_accepted(
    client: str, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy.check_cluster(answering(versions(client, server)))
    assert capsys.readouterr().err + capsys.readouterr().out == ""


def test_a_kubectl_far_from_the_clusters_version_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It may still work, so it is no error."""
    deploy.check_cluster(answering(versions("32", "36+")))
    captured = capsys.readouterr()
    assert "kubectl: version 1.32 is not made for this cluster's 1.36; install kubectl 1.36" in (
        captured.err + captured.out
    )


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [("dial tcp\nconnection refused\n", "connection refused"), ("", "no answer")],
)
def test_a_cluster_that_does_not_answer_is_refused(stderr: str, reason: str) -> None:
    with pytest.raises(DeployError) as raised:
        deploy.check_cluster(answering(stderr=stderr, returncode=1))
    assert raised.value.where == "cluster"
    assert reason in raised.value.problem


@pytest.mark.parametrize("owner", ["", "openedx-abc"], ids=["nobody", "this instance"])
def test_a_namespace_of_nobody_or_of_this_instance_is_accepted(owner: str) -> None:
    assert deploy.check_namespace(answering(owner), CONFIG)


def test_a_namespace_of_another_instance_is_refused() -> None:
    with pytest.raises(DeployError, match="namespace acme: belongs to another Open edX instance"):
        deploy.check_namespace(answering("openedx-other"), CONFIG)


FORBIDDEN = 'Error from server (Forbidden): namespaces "acme" is forbidden: User "deployer" cannot'


def deployer(*, deployments: str | None, label: str | None = None) -> Answer:
    """Somebody who sees a namespace's `label` and the owners of its `deployments`, if he may."""

    def kubectl(*argv: str) -> subprocess.CompletedProcess[str]:
        if argv[0] == "version":
            return answering(versions("36", "36"))(*argv)
        if argv[1] == "namespace" and label is not None:
            return answering(label)(*argv)
        if argv[1] == "namespace" or deployments is None:
            return answering(stderr=FORBIDDEN, returncode=1)(*argv)
        return answering(deployments)(*argv)

    return kubectl


@pytest.mark.parametrize("owners", ["", "openedx-abc openedx-abc", "openedx-abc traefik"])
def test_deployments_tell_the_owner_of_a_namespace_that_may_not_be_read(owners: str) -> None:
    """Other charts put names of their own into the same label."""
    assert not deploy.check_namespace(deployer(deployments=owners), CONFIG)


def test_another_instance_in_a_namespace_that_may_not_be_read_is_refused() -> None:
    with pytest.raises(DeployError, match=r"another Open edX instance \(openedx-other; "):
        deploy.check_namespace(deployer(deployments="openedx-abc openedx-other"), CONFIG)


def test_who_may_read_neither_namespace_nor_deployments_is_refused() -> None:
    """Nothing would tell whose namespace it is."""
    with pytest.raises(DeployError, match="ask the cluster's administrator"):
        deploy.check_namespace(deployer(deployments=None), CONFIG)


def test_a_namespace_without_an_owner_is_of_whoever_is_deployed_there() -> None:
    """An operator has made it, without our label."""
    with pytest.raises(DeployError, match=r"another Open edX instance \(openedx-other; "):
        deploy.check_namespace(deployer(label="", deployments="openedx-other"), CONFIG)


@pytest.mark.parametrize("deployments", ["", "openedx-abc", "traefik", None])
def test_a_namespace_without_an_owner_or_another_deployment_is_accepted(
    deployments: str | None,
) -> None:
    """Whoever may read it need not be able to list what is in it."""
    assert deploy.check_namespace(deployer(label="", deployments=deployments), CONFIG)


def test_the_owner_of_a_namespace_need_not_be_looked_for_inside() -> None:
    kubectl = deployer(label="openedx-abc", deployments="openedx-other")
    assert deploy.check_namespace(kubectl, CONFIG)


def tutor_root(folder: Path) -> str:
    (folder / "config.yml").write_text("K8S_NAMESPACE: acme\nID: abc\n")
    return str(folder)


def programs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH with a kubectl on it, which nobody runs."""
    (folder / "kubectl").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_a_namespace_that_may_not_be_read_is_not_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tutor takes a refused `get namespaces` for "there is none" and would create it."""
    programs(tmp_path, monkeypatch)
    calls: list[tuple[str, ...]] = []

    def proceed(*argv: str) -> int:
        calls.append(argv)
        return 0

    preflight = deploy.Preflight(deployer(deployments=""))
    root = tutor_root(tmp_path)
    assert preflight(root, ("get", "namespaces", "acme"), proceed) == 0
    assert preflight(root, ("apply", "--kustomize", "env"), proceed) == 0
    assert calls == [("apply", "--kustomize", "env")]


def test_the_cluster_is_asked_once_per_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path, monkeypatch)
    asked: list[tuple[str, ...]] = []

    def kubectl(*argv: str) -> subprocess.CompletedProcess[str]:
        asked.append(argv)
        return answering(versions("36", "36") if argv[0] == "version" else "openedx-abc")(*argv)

    preflight = deploy.Preflight(kubectl)
    for _ in range(3):
        preflight(tutor_root(tmp_path), ("get", "pods"), lambda *_: 0)
    assert [argv[0] for argv in asked] == ["version", "get"]


def step(name: str, calls: list[str]) -> KubectlStep:
    def run(root: str, argv: tuple[str, ...], proceed: Kubectl) -> int:
        calls.append(f"{name} {root} {' '.join(argv)}")
        return proceed(*argv)

    return run


def stop(root: str, argv: tuple[str, ...], proceed: Kubectl) -> int:
    return 7


def test_steps_run_in_order_and_the_last_one_may_keep_the_call() -> None:
    calls: list[str] = []
    with deploy.kubectl_through([step("a", calls), step("b", calls), stop], "/root"):
        assert utils.kubectl("get", "pods") == 7
    assert calls == ["a /root get pods", "b /root get pods"]


def test_tutors_own_function_is_back_after_an_error() -> None:
    original = utils.kubectl
    with pytest.raises(KeyError), deploy.kubectl_through([stop], "/root"):
        raise KeyError
    assert utils.kubectl is original


def test_tutors_group_keeps_its_commands_and_is_replaced_once() -> None:
    other = click.Command("other")
    commands = deploy.with_k8s_group([k8s, other])
    assert isinstance(commands[0], deploy.K8sGroup)
    assert commands[0].commands is k8s.commands
    assert commands[1] is other
    assert deploy.with_k8s_group(commands) == commands
