"""The instance that most tests of the secrets plugin use; those of other modes have their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from localcluster import binaries
from localcluster.certificates import Authority
from localcluster.cluster import LocalCluster
from localservices.aws import AwsEmulator

from demo.tutor import TutorRoot
from platformchart import upstream
from platformchart.release import Release
from tests.cluster.installation import without_crds
from tests.cluster.keeper import HOSTILE, api, wait_until_rolled_out
from tests.conftest import NewRoot


@pytest.fixture(scope="module")
def platform_release(
    cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Release]:
    """charts/platform with whatever can be had of the charts that it depends on; not installed."""
    helm = binaries.ensure(["helm"], print)["helm"]
    chart, _ = upstream.prepare(tmp_path_factory.mktemp("platform"), helm, print)
    yield Release(helm, chart, cluster.environment)
    without_crds(cluster)


@pytest.fixture(scope="module")
def environment(cluster: LocalCluster, aws: AwsEmulator) -> dict[str, str]:
    return {**cluster.environment, **aws.environment}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of who vouches for the databases."""
    path = tmp_path_factory.mktemp("authority") / "databases.pem"
    path.write_bytes(Authority.new("databases").pem)
    return path


@pytest.fixture(scope="module")
def running(new_root: NewRoot, environment: dict[str, str]) -> Iterator[TutorRoot]:
    """An instance with the secrets plugin alone, started."""
    settings = {"K8S_NAMESPACE": "keeper", "SMTP_USERNAME": "mail"}
    root = new_root("secrets", "notes", environment=environment, **settings)
    root.run("config", "save")
    root.run("secrets", "init")
    root.run("secrets", "set", "SMTP_PASSWORD", given=HOSTILE)
    root.run("k8s", "start")
    yield root
    root.run("k8s", "delete", "--yes")
    # The next module starts anew.
    api(environment).delete_secret(SecretId="openedx/keeper", ForceDeleteWithoutRecovery=True)


@pytest.fixture
def instance(running: TutorRoot, cluster: LocalCluster) -> TutorRoot:
    """The same, with all its pods ready and the newest values in use."""
    running.run("k8s", "start")
    wait_until_rolled_out(cluster, "keeper")
    return running
