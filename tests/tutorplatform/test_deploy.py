"""Tutor's kubectl calls run through our steps, and not before the cluster has been looked at."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

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
    deploy.check_namespace(answering(owner), CONFIG)


def test_a_namespace_of_another_instance_is_refused() -> None:
    with pytest.raises(DeployError, match="namespace acme: belongs to another Open edX instance"):
        deploy.check_namespace(answering("openedx-other"), CONFIG)


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
