"""AWS refuses, somebody interrupts, two deploy at once: what runs is untouched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from localcluster.cluster import LocalCluster
from localservices.faults import Faults, aws_with

from demo.tutor import TutorRoot
from tests.cluster.keeper import HOSTILE, OPENEDX, changed, generations, objects, refused

pytestmark = [pytest.mark.cluster, pytest.mark.proof]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDeniedException", "AccessDeniedException; allow this action for your user or role"),
        ("ExpiredTokenException", "ExpiredTokenException; renew your AWS credentials"),
    ],
)
def test_a_refusal_of_aws_leaves_everything_as_it_is(
    code: str, message: str, instance: TutorRoot, cluster: LocalCluster
) -> None:
    """And the command succeeds when it is repeated."""
    faults = Faults()
    before = generations(cluster)
    with aws_with(faults, instance.environment["AWS_ENDPOINT_URL"]) as endpoint:
        root = TutorRoot(instance.path, {**instance.environment, "AWS_ENDPOINT_URL": endpoint})
        faults.codes = [code]
        assert f"secretsmanager.BatchGetSecretValue: {message}" in refused(root, "k8s", "start")
        assert generations(cluster) == before
        root.run("k8s", "start")
    assert generations(cluster) == before


def test_throttling_is_waited_out(instance: TutorRoot) -> None:
    """Visibly."""
    faults = Faults()
    with aws_with(faults, instance.environment["AWS_ENDPOINT_URL"]) as endpoint:
        root = TutorRoot(instance.path, {**instance.environment, "AWS_ENDPOINT_URL": endpoint})
        faults.codes = ["ThrottlingException"] * 2
        said = root.run("k8s", "start").stdout
    assert "BatchGetSecretValue, attempt 3 of 5" in said
    assert faults.calls == ["BatchGetSecretValue"] * 3


def test_a_deployment_reads_the_store_once(instance: TutorRoot) -> None:
    """However many jobs follow: credentials that expire meanwhile harm nobody."""
    faults = Faults()
    with aws_with(faults, instance.environment["AWS_ENDPOINT_URL"]) as endpoint:
        root = TutorRoot(instance.path, {**instance.environment, "AWS_ENDPOINT_URL": endpoint})
        root.run("k8s", "init", "--limit=lms")
    assert faults.calls == ["BatchGetSecretValue"]


def test_between_secrets_and_deployments_nothing_is_lost(
    instance: TutorRoot, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Pods go on with the Secrets that they have; the next run goes on from there."""
    kubectl = tmp_path / "kubectl"
    real = shutil.which("kubectl")
    kubectl.write_text(
        '#!/bin/sh\ncase "$1 $*" in\n'
        f'"apply "*--server-side*) exec {real} "$@" ;;\n"apply "*) exit 1 ;;\n'
        f'*) exec {real} "$@" ;;\nesac\n'
    )
    kubectl.chmod(0o755)
    path = f"{tmp_path}:{instance.environment['PATH']}"
    instance.run("secrets", "set", "SMTP_PASSWORD", given="another-s3cret")
    before, secrets = generations(cluster), set(objects(cluster, "keeper", "secrets"))
    interrupted = TutorRoot(instance.path, {**instance.environment, "PATH": path})
    assert "Command failed with status 1: kubectl apply" in refused(interrupted, "k8s", "start")
    assert generations(cluster) == before
    assert secrets < set(objects(cluster, "keeper", "secrets"))
    instance.run("k8s", "start")
    assert changed(before, generations(cluster)) == OPENEDX
    instance.run("secrets", "set", "SMTP_PASSWORD", given=HOSTILE)


def test_two_deployments_at_once(instance: TutorRoot, tmp_path: Path) -> None:
    """Of the same values: both succeed, and neither takes away what the other one needs."""
    instance.run("secrets", "set", "SMTP_PASSWORD", given="another-s3cret")
    runs = [instance.start(tmp_path / f"{n}.log", "k8s", "start") for n in (1, 2)]
    assert [run.wait(120) for run in runs] == [0, 0]
    assert "Every secret is where it has to be" in instance.run("secrets", "check").stdout
    instance.run("secrets", "set", "SMTP_PASSWORD", given=HOSTILE)
