"""Fixtures that more than one folder of tests uses, and what CI demands of all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from localcluster import binaries
from localcluster.cluster import LocalCluster
from localcluster.model import ClusterShape, PodTimes
from localservices.aws import AwsEmulator
from localservices.mariadb import MariadbServer
from localservices.redis import RedisServer
from localservices.service import MissingServerError, Service
from xdist.scheduler import LoadScopeScheduling

from demo.tutor import TutorRoot
from platformchart import upstream

NewRoot = Callable[..., TutorRoot]

CLUSTER_TESTS = "tests/cluster/"
# Chosen so that both take about as long; demo and surge have clusters of their own.
OTHER_CLUSTER_TESTS = tuple(
    f"{CLUSTER_TESTS}test_{name}" for name in ("platform_", "demo.py", "resilience.py", "surge.py")
)
IN_CI = bool(os.environ.get("CI"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test that is skipped has failed: whatever it needs is to be installed."""
    report = yield
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


class TwoClusters(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Spreads tests over workers one by one, but those on a cluster go to one and the same.

    Some go to another: most of their time is waiting, which two do at once.
    xdist's own groups (`--dist loadgroup`) have no effect with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(OTHER_CLUSTER_TESTS):
            return OTHER_CLUSTER_TESTS[0]
        return CLUSTER_TESTS if nodeid.startswith(CLUSTER_TESTS) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> TwoClusters:
    return TwoClusters(config, log)


def pytest_report_header() -> list[str]:
    """What the results of chart tests rest on."""
    source = upstream.available()
    without = "tests of those (marker `contracts`) are left out; run `make charts`"
    return [upstream.heading(source), *([] if source.knows_values else [without])]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the proofs that take minutes to CI (or to `CI=1 make test`).

    And leave out what nobody could test here: a test that is skipped would fail in CI.
    """
    unwanted = {"proof": not IN_CI, "contracts": not upstream.available().knows_values}
    markers = [marker for marker, is_unwanted in unwanted.items() if is_unwanted]
    left_out = [item for item in items if any(map(item.get_closest_marker, markers))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def pinned_kubectl() -> None:
    """Put the kubectl that fits the local cluster first on PATH; this machine may have none.

    `make prepare` has built it.
    """
    kubectl = binaries.ensure(["kubectl"], print)["kubectl"]
    os.environ["PATH"] = os.pathsep.join([str(kubectl.parent), os.environ["PATH"]])


@pytest.fixture(scope="session")
def new_root(pinned_kubectl: None, tmp_path_factory: pytest.TempPathFactory) -> NewRoot:
    """Makes a fresh Tutor root: `new_root(*plugins, **settings)`, not yet rendered.

    `environment` is for what Tutor runs with there.
    """

    def make(
        *plugins: str, environment: dict[str, str] | None = None, **settings: Any
    ) -> TutorRoot:
        root = TutorRoot(tmp_path_factory.mktemp("tutor-root"), environment or {})
        defaults = {"LMS_HOST": "learn.acme.test", "K8S_NAMESPACE": "acme"}
        root.write_config({**defaults, **settings}, plugins)
        return root

    return make


@pytest.fixture(scope="session")
def aws() -> Iterator[AwsEmulator]:
    """An AWS API on loopback that the whole session shares."""
    with AwsEmulator() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def aws_endpoint(aws: AwsEmulator) -> str:
    """The URL of the AWS API."""
    return aws.environment["AWS_ENDPOINT_URL"]


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    """A Kubernetes cluster that the tests marked `cluster` of one worker share.

    Its pods are quick: what takes a believable time is the demo, which is a proof.
    """
    shape = ClusterShape(pods=PodTimes(openedx_s=4, other_s=2, job_s=1, stop_s=0.5))
    with LocalCluster(shape) as running:
        yield running


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A Redis that speaks TLS only."""
    with _installed(RedisServer()) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariadbServer]:
    """A MariaDB that speaks TLS only."""
    with _installed(MariadbServer()) as server:
        yield server


AnyService = TypeVar("AnyService", bound=Service)


@contextmanager
def _installed(service: AnyService) -> Iterator[AnyService]:
    try:
        started = service.__enter__()
    except MissingServerError as error:
        pytest.skip(str(error))
    try:
        yield started
    finally:
        started.stop()
