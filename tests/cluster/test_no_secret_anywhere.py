"""The proof of the secrets plugin: a whole launch with nine plugins, and no value to be found.

Every secret has a value of its own that is looked for in all that the deployer's machine writes
and runs, in all that the cluster keeps, and in all that is printed.
"""

from __future__ import annotations

import json
import re
import uuid
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from localcluster.certificates import Authority
from localcluster.cluster import LocalCluster
from localservices.aws import AwsEmulator
from tutor import utils
from tutorplatform import manifests
from tutorsecrets.tokens import keys_in

from demo import instances, scan
from demo.tutor import TUTOR, TutorRoot
from tests import tracing
from tests.conftest import NewRoot

pytestmark = [pytest.mark.cluster, pytest.mark.proof]

PLUGINS = (
    *("autoscale", "aws", "secrets"),
    *("credentials", "discovery", "forum", "mfe", "notes", "xqueue"),
)
NAMESPACE = "sentinel"
FIXED = {
    "ID": "an-id",
    "MEILISEARCH_API_KEY_UID": "5a0a3e5c-5b5c-4f4f-8f3f-0f2f8f6f7a1b",
    "K8S_NAMESPACE": NAMESPACE,
    "SMTP_USERNAME": "mail",
    "SMTP_HOST": "mail.example.org",
}


@dataclass(frozen=True)
class Launch:
    """A launch that was watched, and the values that nobody should have seen."""

    root: TutorRoot
    trace: tracing.Trace
    values: dict[str, str]
    settings: dict[str, Any]

    @property
    def searched(self) -> dict[str, str]:
        """The values, the numbers of the RSA key, and the lines of its PEM."""
        lines = [line for line in self.values["JWT_RSA_PRIVATE_KEY"].splitlines() if len(line) > 60]
        pem = {f"JWT_RSA_PRIVATE_KEY line {n}": line for n, line in enumerate(lines)}
        return {**scan.with_derived(self.values), **pem}


@pytest.fixture(scope="module")
def launch(
    new_root: NewRoot, cluster: LocalCluster, aws: AwsEmulator, tmp_path_factory: Any
) -> Iterator[Launch]:
    folder = tmp_path_factory.mktemp("sentinel")
    authority = folder / "databases.pem"
    authority.write_bytes(Authority.new("databases").pem)
    (folder / "tmp").mkdir()
    settings = {**instances.settings(0, authority), **FIXED}
    environment = {**cluster.environment, **aws.environment, "TMPDIR": str(folder / "tmp")}
    root = new_root(*PLUGINS, environment=environment, **settings)
    root.run("config", "save")
    texts = dict(scan.files_below(root.path)).values()
    values = {key: f"s3cret-{uuid.uuid4().hex}" for key in sorted(keys_in(list(texts)))}
    values |= {"JWT_RSA_PRIVATE_KEY": utils.rsa_private_key(2048), "SECRETS_HASH_KEY": "a-key-of-x"}
    store(aws, values)
    trace = tracing.run([TUTOR, "k8s", "launch", "-I"], root.variables, folder / "trace")
    yield Launch(root, trace, values, settings)
    root.run("k8s", "delete", "--yes")


def store(aws: AwsEmulator, values: dict[str, str]) -> None:
    boto3.client(
        "secretsmanager",
        endpoint_url=aws.environment["AWS_ENDPOINT_URL"],
        region_name=aws.region,
        aws_access_key_id=aws.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=aws.environment["AWS_SECRET_ACCESS_KEY"],
    ).create_secret(Name=f"openedx/{NAMESPACE}", SecretString=json.dumps(values))


def everything(cluster: LocalCluster) -> list[dict[str, Any]]:
    """Every object in the cluster, of every kind that can be listed."""
    listed = cluster.kubectl("api-resources", "--verbs=list", "--output=name").split()
    kinds = ",".join(kind for kind in listed if not kind.endswith("metrics.k8s.io"))
    answer = json.loads(cluster.kubectl("get", kinds, "--all-namespaces", "--output=json"))
    items: list[dict[str, Any]] = answer["items"]
    return items


def test_the_launch_runs_to_its_end(launch: Launch, cluster: LocalCluster) -> None:
    assert launch.trace.returncode == 0, launch.trace.output[-3000:]
    jobs = json.loads(cluster.kubectl("get", "jobs", f"--namespace={NAMESPACE}", "--output=json"))[
        "items"
    ]
    assert len(jobs) >= 15
    assert {job["status"].get("succeeded") for job in jobs} == {1}


def test_every_secret_of_nine_plugins_has_a_value(launch: Launch) -> None:
    """Otherwise this would prove little."""
    assert len(launch.values) >= 25
    prefixes = {key.partition("_")[0] for key in launch.values}
    assert prefixes >= {"CREDENTIALS", "DISCOVERY", "JWT", "MEILISEARCH", "MONGODB", "MYSQL"}
    assert prefixes >= {"NOTES", "OPENEDX", "REDIS", "SMTP", "XQUEUE"}


def test_no_value_was_written_to_any_file(launch: Launch) -> None:
    """Anywhere on the machine, by Tutor, by kubectl, or by anything that they start."""
    assert len(launch.trace.writes) > 100
    texts = {line[:120]: line for line in launch.trace.writes}
    assert scan.leaks(texts, launch.searched) == {}


def test_no_program_was_called_with_a_value(launch: Launch) -> None:
    """A list of processes is for everybody to read."""
    assert sum('"kubectl"' in line for line in launch.trace.starts) > 50
    texts = {line[:120]: line for line in launch.trace.starts}
    assert scan.leaks(texts, launch.searched) == {}


def test_no_value_was_printed(launch: Launch) -> None:
    assert scan.found_in(launch.trace.output, launch.searched) == set()


def test_no_value_is_left_in_files(launch: Launch, cluster: LocalCluster) -> None:
    """The Tutor root can be published as it is."""
    for folder in (launch.root.path, cluster.home / ".kube"):
        assert scan.leaks(dict(scan.files_below(folder)), launch.searched) == {}


def test_no_object_but_secrets_has_a_value(launch: Launch, cluster: LocalCluster) -> None:
    """Nor its annotations, nor events, in any namespace or in none."""
    found = everything(cluster)
    kinds = {item["kind"] for item in found}
    assert kinds >= {"ConfigMap", "Deployment", "Event", "Ingress", "Job", "Namespace", "Node"}
    assert kinds >= {"Pod", "ReplicaSet", "Secret", "ServiceAccount"}
    assert scan.leaks(scan.object_texts(found), launch.searched) == {}
    shown = [
        json.dumps(item["metadata"].get("annotations") or {})
        for item in found
        if item["kind"] == "Secret"
    ]
    assert scan.found_in("\n".join(shown), launch.searched) == set()


def test_the_secrets_of_jobs_are_gone(launch: Launch, cluster: LocalCluster) -> None:
    names = cluster.kubectl(
        "get", "secrets", f"--namespace={NAMESPACE}", "--output=jsonpath={.items[*].metadata.name}"
    ).split()
    assert len(names) >= 7
    assert not [name for name in names if "-job-" in name]


def test_secrets_are_what_tutor_itself_would_have_rendered(
    launch: Launch, cluster: LocalCluster, new_root: NewRoot
) -> None:
    """Byte for byte, each file, with the same values in config.yml."""
    plain = {key: text for key, text in launch.values.items() if not key.startswith("SECRETS_")}
    vanilla = new_root(
        *(name for name in PLUGINS if name != "secrets"),
        environment=launch.root.environment,
        **{**launch.settings, **plain},
    )
    vanilla.run("config", "save")
    expected = {
        (re.sub(r"-[a-z0-9]{10}$", "", manifests.name(each)), key): text
        for each in manifests.of_kind(vanilla.rendered(), "ConfigMap")
        for key, text in each["data"].items()
        if scan.found_in(text, launch.searched)
    }
    answer = cluster.kubectl("get", "secrets", f"--namespace={NAMESPACE}", "--output=json")
    found = {
        (re.sub(r"-[a-z0-9]{10}-[0-9a-f]{10}$", "", manifests.name(each)), key): b64decode(
            data
        ).decode()
        for each in json.loads(answer)["items"]
        for key, data in (each.get("data") or {}).items()
    }
    assert len(expected) >= 10
    assert {place: found.get(place) for place in expected} == expected


# A search that finds nothing anywhere would be broken.


def test_a_planted_value_is_found_in_writes_and_arguments(launch: Launch, tmp_path: Path) -> None:
    value = launch.values["NOTES_SECRET_KEY"]
    script = f"echo {value} > {tmp_path}/file; /bin/true {value}; echo {value} | cat"
    trace = tracing.run(["sh", "-c", script], {"PATH": "/usr/bin:/bin"}, tmp_path / "trace")
    writes = [line for line in trace.writes if scan.found_in(line, launch.searched)]
    assert len(writes) == 1
    assert f"<{tmp_path}/file>" in writes[0]
    assert len([line for line in trace.starts if value in line]) == 2
    assert scan.found_in(trace.output, launch.searched) == {"NOTES_SECRET_KEY"}


@pytest.mark.parametrize("form", ["plain", "annotation", "base64"])
def test_a_planted_value_is_found_in_objects(
    form: str, launch: Launch, cluster: LocalCluster
) -> None:
    value = launch.values["NOTES_SECRET_KEY"]
    data = {"a": f"x{value}"} if form == "plain" else {}
    annotations = {"note": value} if form == "annotation" else {}
    code = b64encode(f"xy{value}z".encode()).decode()
    binary = {"b": code} if form == "base64" else {}
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "planted", "namespace": NAMESPACE, "annotations": annotations},
            "data": data,
            "binaryData": binary,
        }
    )
    try:
        leaks = scan.leaks(scan.object_texts(everything(cluster)), launch.searched)
    finally:
        cluster.kubectl("delete", "configmap", "planted", f"--namespace={NAMESPACE}")
    assert leaks == {"ConfigMap/planted": {"NOTES_SECRET_KEY"}}


def test_a_value_typed_in_vanilla_would_have_been_found(
    launch: Launch, cluster: LocalCluster, tmp_path: Path, new_root: NewRoot
) -> None:
    """Tutor without the plugin writes its values to files: the watch sees it."""
    vanilla = new_root(OPENEDX_SECRET_KEY=launch.values["OPENEDX_SECRET_KEY"])
    trace = tracing.run([TUTOR, "config", "save"], vanilla.variables, tmp_path / "trace")
    assert trace.returncode == 0
    found = {key for line in trace.writes for key in scan.found_in(line, launch.searched)}
    assert found == {"OPENEDX_SECRET_KEY"}


def test_strace_itself_is_not_what_finds_nothing(launch: Launch) -> None:
    """The trace of the launch has what Tutor did write."""
    assert any("config.yml" in line for line in launch.trace.writes)
    assert any("tutor-secret.OPENEDX_SECRET_KEY.end" in line for line in launch.trace.writes)
