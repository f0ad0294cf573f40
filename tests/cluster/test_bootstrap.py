"""`tutor aws instance bootstrap` on a real API server, and an instance that knows no administrator.

Simulated pods run nothing: what the Job's program does is in tests/localservices.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from localcluster.certificates import Authority
from localcluster.cluster import LocalCluster
from localcluster.processes import wait_for
from localservices.aws import AwsEmulator

from demo import audit, instances, scan
from demo.tutor import TUTOR, TutorRoot
from demo.view import View
from tests.cluster.accounts import as_account
from tests.cluster.keeper import objects, refused
from tests.conftest import NewRoot
from tests.localservices.front import Front, in_front_of

pytestmark = pytest.mark.cluster

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "bootstrap-an-instance.md"
ADMIN = "rds!cluster-of-the-platform"
BOOTSTRAP = ("aws", "instance", "bootstrap")
PASSWORD = 'it\'s "$(id)" \\ é🔑'


@pytest.fixture(scope="module")
def front(aws: AwsEmulator) -> Iterator[Front]:
    """The AWS API as everybody but the Job sees it: the administrator's secret is denied."""
    with in_front_of(aws.environment["AWS_ENDPOINT_URL"], ADMIN) as found:
        yield found


@pytest.fixture(scope="module")
def environment(cluster: LocalCluster, aws: AwsEmulator, front: Front) -> dict[str, str]:
    """Of who deploys."""
    return {**cluster.environment, **aws.environment, "AWS_ENDPOINT_URL": front.url}


@pytest.fixture(scope="module")
def platform(cluster: LocalCluster) -> Iterator[str]:
    """The platform's namespace, with what the how-to says, and nothing else."""
    cluster.kubectl("create", "namespace", "platform")
    # What it enforces; the Job keeps to it.
    label = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "namespace", "platform", label)
    blocks = re.findall(r"^```yaml\n(.*?)^```", HOW_TO.read_text(), re.DOTALL | re.MULTILINE)
    documents = [each for block in blocks for each in yaml.safe_load_all(block)]
    assert [each["kind"] for each in documents] == ["ServiceAccount", "Role", "ClusterRole"]
    for document in documents:
        cluster.apply(document)
    yield "platform"
    cluster.kubectl("delete", "clusterrole", "bootstrap-instances")
    cluster.kubectl("delete", "namespace", "platform", "--wait=false")


@pytest.fixture(scope="module")
def operator(
    cluster: LocalCluster,
    platform: str,
    environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """The environment of somebody with these rights, and no others."""
    cluster.kubectl("create", "serviceaccount", "operator", "--namespace=default")
    who = "--serviceaccount=default:operator"
    for kind, role, place in (
        ("rolebinding", "--role=bootstrap-instances", f"--namespace={platform}"),
        ("clusterrolebinding", "--clusterrole=bootstrap-instances", "--namespace=default"),
    ):
        cluster.kubectl("create", kind, "operator", role, who, place)
    yield as_account(cluster, "operator", environment, tmp_path_factory.mktemp("operator"))
    cluster.kubectl("delete", "clusterrolebinding", "operator")
    cluster.kubectl("delete", "serviceaccount", "operator", "--namespace=default")


@pytest.fixture(scope="module")
def acme(
    new_root: NewRoot, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> TutorRoot:
    """An instance with its secrets in the store, not deployed yet."""
    authority = tmp_path_factory.mktemp("authority") / "databases.pem"
    authority.write_bytes(Authority.new("databases").pem)
    settings = {
        **instances.settings(0, authority),
        "K8S_NAMESPACE": "boot",
        "AWS_BOOTSTRAP": {
            "mysql_admin": ADMIN,
            "mongodb_admin": ADMIN,
            "redis_user_group": "openedx",
        },
    }
    settings["AWS_REDIS"]["username"] = "boot"
    plugins = {*instances.PLUGINS, "credentials", "discovery", "notes"}
    root = new_root(*plugins, environment=environment, **settings)
    root.run("config", "save")
    for key in ("MONGODB_PASSWORD", "REDIS_PASSWORD"):
        root.run("secrets", "set", key, given=PASSWORD)
    root.run("secrets", "init")
    return root


@pytest.fixture
def operated(acme: TutorRoot, operator: dict[str, str], cluster: LocalCluster) -> TutorRoot:
    """The same Tutor root in the operator's hands; nothing of former runs is left."""
    cluster.kubectl("delete", "jobs", "--all", "--namespace=platform")
    wait_for(lambda: left(cluster) == set(), 30, "former runs are gone")
    return TutorRoot(acme.path, operator)


def left(cluster: LocalCluster) -> set[str]:
    """What bootstraps have left in the platform's namespace."""
    return {
        name
        for kind in ("jobs", "configmaps", "secrets", "pods")
        for name in objects(cluster, "platform", kind)
        if name.startswith("bootstrap-boot")
    }


def test_it_runs_with_the_rights_of_the_how_to_and_leaves_nothing(
    operated: TutorRoot, cluster: LocalCluster
) -> None:
    said = operated.run(*BOOTSTRAP, "--yes").stdout
    assert f"(as {ADMIN}): database bootopenedx; users bootopenedx, bootopenedx_2" in said
    assert "namespace platform, as service account bootstrap, in docker.io/overhangio" in said
    assert re.search(r"Job bootstrap-boot-\d+: done", said)
    wait_for(lambda: left(cluster) == set(), 30, "everything of the run is gone")


def test_a_second_run_is_as_good(operated: TutorRoot) -> None:
    for _ in range(2):
        operated.run(*BOOTSTRAP, "--yes")


def test_it_asks_first_and_makes_nothing_before(operated: TutorRoot, cluster: LocalCluster) -> None:
    answer = operated.run(*BOOTSTRAP, check=False, given="n\n")
    assert answer.returncode == 1
    assert "Go on? [y/N]" in answer.stdout
    assert left(cluster) == set()


def until_secret(operated: TutorRoot, cluster: LocalCluster) -> subprocess.Popen[str]:
    """A run, stopped when the Job, the ConfigMap and the Secret are there."""
    process = subprocess.Popen(
        [TUTOR, *BOOTSTRAP, "--yes"],
        env=operated.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_for(lambda: own_secrets(cluster) != {}, 60, "the Secret is there", poll_s=0.05)
    process.send_signal(signal.SIGSTOP)
    return process


def own_secrets(cluster: LocalCluster) -> dict[str, Any]:
    found = objects(cluster, "platform", "secrets")
    return {name: each for name, each in found.items() if name.startswith("bootstrap-boot")}


def test_passwords_are_in_a_secret_of_the_job_and_nowhere_else(
    operated: TutorRoot, cluster: LocalCluster, environment: dict[str, str]
) -> None:
    """As they are in the store, whatever is in them; an administrator's is not among them."""
    with until_secret(operated, cluster) as process:
        found = View(cluster).objects("platform")
        [secret] = own_secrets(cluster).values()
        process.kill()
    stored = audit.stored_values(environment, "boot")
    passwords = json.loads(b64decode(secret["data"]["passwords.json"]))
    assert passwords["REDIS_PASSWORD"] == PASSWORD
    assert passwords == {key: stored[key] for key in passwords}
    assert {key.rpartition("_")[0] for key in passwords} == {
        *("CREDENTIALS_MYSQL", "DISCOVERY_MYSQL", "NOTES_MYSQL", "OPENEDX_MYSQL"),
        *("MONGODB", "REDIS"),
    }
    assert scan.leaks(scan.object_texts(found), passwords) == {}
    assert scan.leaks(dict(scan.files_below(operated.path)), passwords) == {}


def test_what_is_killed_goes_by_itself_and_can_be_repeated(
    operated: TutorRoot, cluster: LocalCluster
) -> None:
    """The passwords belong to a Job that ends, and is deleted, without us."""
    with until_secret(operated, cluster) as process:
        process.kill()
    [(name, secret)] = own_secrets(cluster).items()
    job = objects(cluster, "platform", "jobs")[name]
    [owner] = secret["metadata"]["ownerReferences"]
    assert owner["uid"] == job["metadata"]["uid"]
    assert job["spec"]["activeDeadlineSeconds"] + job["spec"]["ttlSecondsAfterFinished"] <= 1800
    operated.run(*BOOTSTRAP, "--yes")
    cluster.kubectl("delete", "job", name, "--namespace=platform")
    wait_for(lambda: left(cluster) == set(), 30, "what belongs to it goes too")


def test_what_is_interrupted_is_cleaned_up(operated: TutorRoot, cluster: LocalCluster) -> None:
    with until_secret(operated, cluster) as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        process.wait(60)
    assert process.returncode != 0
    wait_for(lambda: left(cluster) == set(), 30, "everything of the run is gone")


def test_without_the_rights_it_says_which_page_has_them(
    acme: TutorRoot, cluster: LocalCluster, environment: dict[str, str], tmp_path: Path
) -> None:
    cluster.kubectl("create", "serviceaccount", "stranger", "--namespace=default")
    try:
        stranger = TutorRoot(acme.path, as_account(cluster, "stranger", environment, tmp_path))
        assert "namespace boot: you may neither `get` it" in refused(stranger, *BOOTSTRAP, "--yes")
    finally:
        cluster.kubectl("delete", "serviceaccount", "stranger", "--namespace=default")


def test_another_roots_instance_is_left_alone(operated: TutorRoot, cluster: LocalCluster) -> None:
    """Or its users would get this root's passwords."""
    cluster.kubectl("create", "namespace", "boot")
    cluster.kubectl("label", "namespace", "boot", "app.kubernetes.io/instance=openedx-other")
    try:
        said = refused(operated, *BOOTSTRAP, "--yes")
        assert "namespace boot: belongs to another Open edX instance" in said
        assert left(cluster) == set()
    finally:
        cluster.kubectl("delete", "namespace", "boot")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("OPENEDX_MYSQL_DATABASE=betaopenedx", "OPENEDX_MYSQL_DATABASE: 'betaopenedx' is not a"),
        ("AWS_BOOTSTRAP={namespace: nowhere, mysql_admin: x}", "kubectl create: "),
        ("AWS_BOOTSTRAP={}", "AWS_BOOTSTRAP: names no administrator"),
    ],
    ids=["another's name", "no namespace", "no administrator"],
)
def test_what_cannot_be_is_refused(
    setting: str, message: str, operated: TutorRoot, cluster: LocalCluster
) -> None:
    before = operated.config()
    operated.run("config", "save", "--set", setting)
    try:
        assert message in refused(operated, *BOOTSTRAP, "--yes")
        assert left(cluster) == set()
    finally:
        operated.write_config(before, before["PLUGINS"])
        operated.run("config", "save")


@pytest.mark.proof
def test_who_is_denied_the_administrators_secret_deploys_all_the_same(
    acme: TutorRoot, cluster: LocalCluster, front: Front
) -> None:
    """`launch`, `upgrade`, every `do`, a rotation: none of them even asks for it."""
    front.refused.clear()
    try:
        acme.run("k8s", "launch", "-I")
        for argv in (
            # Simulated pods take no `kubectl exec`, which earlier releases need.
            ("upgrade", "--from=palm"),
            ("do", "sqlshell", "-e", "SELECT 1"),
            ("do", "sqlshell", "bootnotes", "-e", "SELECT 1"),
            ("do", "convert-mysql-utf8mb4-charset", "--non-interactive"),
            ("do", "update-mysql-authentication-plugin", "bootopenedx"),
            ("do", "createuser", "-p", "typed", "ada", "ada@boot.test"),
            ("do", "importdemocourse"),
            ("do", "importdemolibraries", "ada"),
            ("do", "settheme", "indigo"),
            ("do", "print-edx-platform-setting", "SITE_NAME"),
            *(("init", f"--limit={name}") for name in ("mysql", "credentials", "notes")),
        ):
            acme.run("k8s", *argv)
        acme.run("secrets", "rotate", "--yes", "OPENEDX_MYSQL_PASSWORD")
        assert acme.config()["OPENEDX_MYSQL_USERNAME"] == "bootopenedx_2"
        jobs = objects(cluster, "boot", "jobs").values()
        assert {job["status"].get("succeeded") for job in jobs} == {1}
        assert "DROP USER" not in str(jobs)
        assert sum("ALTER USER USER()" in str(job["spec"]) for job in jobs) == 2
        assert front.refused == []
        assert "BatchGetSecretValue" in front.passed
    except subprocess.CalledProcessError as error:
        pytest.fail(error.stdout[-3000:])
    finally:
        acme.run("k8s", "delete", "--yes")
