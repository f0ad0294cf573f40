"""SECRETS_MODE external-secrets, with the real operator: it reads the values, nobody else does."""

from __future__ import annotations

import ast
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import yaml
from localcluster.cluster import LocalCluster
from localcluster.processes import wait_for
from localservices.aws import AwsEmulator
from localservices.external_secrets import ExternalSecrets
from tutor import env as tutor_env  # noqa: F401  Registers Tutor's template filters.
from tutor import hooks
from tutorplatform import manifests
from tutorsecrets.rewriting.resolve import Values, resolved
from tutorsecrets.rewriting.rewrite import rewrite
from tutorsecrets.rewriting.sealing import Direct
from tutorsecrets.stores.choice import chosen

from demo import scan
from demo.tutor import TutorRoot
from demo.view import View
from tests.conftest import NewRoot

pytestmark = [pytest.mark.cluster, pytest.mark.proof]

HOSTILE = 'it\'s "$HOME" `id` \\ {{x}}\u0085\n\t é🔑 '
OFFICIAL = ("credentials", "discovery", "forum", "mfe", "notes", "xqueue")
# The account of the emulator.
ROLE = "arn:aws:iam::000000000000:role/acme-secrets"

# A plugin with a Secret of its own.
REGISTRY = """
name: registry
version: 1.0.0
patches:
  k8s-services: |
    ---
    apiVersion: v1
    kind: Secret
    metadata:
      name: registry
    type: kubernetes.io/basic-auth
    stringData:
      username: acme
      password: "{{ NOTES_SECRET_KEY }}"
"""


@pytest.fixture(scope="module")
def operator(cluster: LocalCluster, aws: AwsEmulator) -> Iterator[ExternalSecrets]:
    with ExternalSecrets(cluster, aws.environment) as running:
        yield running


@pytest.fixture(scope="module", params=["secrets-manager", "parameter-store"])
def instance(
    request: pytest.FixtureRequest,
    new_root: NewRoot,
    operator: ExternalSecrets,
    cluster: LocalCluster,
    aws: AwsEmulator,
) -> Iterator[TutorRoot]:
    """An instance with all official plugins, whose values the operator brings."""
    name = {"secrets-manager": "outer", "parameter-store": "outerssm"}[request.param]
    root = new_root(
        *("secrets", "registry", *OFFICIAL),
        environment={**cluster.environment, **aws.environment},
        K8S_NAMESPACE=name,
        AWS_REGION="eu-west-1",
        SMTP_USERNAME="mail",
        SECRETS_MODE="external-secrets",
        SECRETS_STORE=request.param,
        SECRETS_EXTERNAL={"role_arn": ROLE},
    )
    (root.path / "plugins").mkdir()
    (root.path / "plugins" / "registry.yml").write_text(REGISTRY)
    root.run("config", "save")
    root.run("secrets", "init")
    root.run("secrets", "set", "SMTP_PASSWORD", given=HOSTILE)
    root.run("k8s", "start")
    yield root
    root.run("k8s", "delete", "--yes")


def namespace(root: TutorRoot) -> str:
    name: str = root.config()["K8S_NAMESPACE"]
    return name


def stored(root: TutorRoot, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name, value in root.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    config = {**root.config(), "SECRETS_NAME": f"openedx/{namespace(root)}"}
    content = chosen(config).read({})
    assert content is not None
    return dict(content.values)


def files(secrets: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """(name without hashes, key) → content."""
    return {
        (re.sub(r"(-[a-z0-9]{10})?-[0-9a-f]{10}$", "", manifests.name(secret)), key): b64decode(
            data
        ).decode()
        for secret in secrets
        for key, data in (secret.get("data") or {}).items()
    }


def meaning(file: str, text: str) -> Any:
    """The file as its reader understands it."""
    if file.endswith(".py"):
        return ast.dump(ast.parse(text))
    return yaml.safe_load(text) if file.endswith(".yml") else text


def objects(cluster: LocalCluster, name: str, kind: str) -> list[dict[str, Any]]:
    answer = json.loads(cluster.kubectl("get", kind, f"--namespace={name}", "--output=json"))
    items: list[dict[str, Any]] = answer["items"]
    return items


def test_every_secret_is_what_the_direct_mode_makes(
    instance: TutorRoot, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte, but for a value with special characters, which may be escaped otherwise."""
    values = Values("store", stored(instance, monkeypatch))
    filters = dict(hooks.Filters.ENV_TEMPLATE_FILTERS.iterate())
    direct = Direct(lambda token: resolved(token, values, filters))
    expected = files(rewrite(instance.rendered(), direct, direct).secrets)
    found = files(objects(cluster, namespace(instance), "secrets"))
    assert set(expected) <= set(found)
    assert len(expected) > 15
    for place, text in expected.items():
        if "lms.env.yml" in place or "cms.env.yml" in place or "\\u" in text:
            assert meaning(place[1], found[place]) == meaning(place[1], text)
        else:
            assert found[place] == text


def test_a_hostile_value_arrives(instance: TutorRoot, cluster: LocalCluster) -> None:
    found = files(objects(cluster, namespace(instance), "secrets"))
    settings = yaml.safe_load(found["openedx-config", "lms.env.yml"])
    assert settings["EMAIL_HOST_PASSWORD"] == HOSTILE


def test_the_operator_reads_with_the_instances_own_role(
    instance: TutorRoot, cluster: LocalCluster
) -> None:
    """No store is shared by the cluster, and the account is for nothing else."""
    name = namespace(instance)
    [store] = objects(cluster, name, "secretstores")
    account = store["spec"]["provider"]["aws"]["auth"]["jwt"]["serviceAccountRef"]["name"]
    accounts = {manifests.name(each): each for each in objects(cluster, name, "serviceaccounts")}
    assert accounts[account]["metadata"]["annotations"]["eks.amazonaws.com/role-arn"] == ROLE
    assert {
        each["spec"]["secretStoreRef"]["kind"] for each in objects(cluster, name, "externalsecrets")
    } == {"SecretStore"}
    users = {
        each["spec"]["template"]["spec"].get("serviceAccountName")
        for each in objects(cluster, name, "deployments")
    }
    assert account not in users


def test_no_value_is_outside_of_secrets(
    instance: TutorRoot, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {k: v for k, v in stored(instance, monkeypatch).items() if len(v) > 7}
    found = View(cluster).objects(namespace(instance))
    assert scan.leaks(scan.object_texts(found), values) == {}
    assert scan.leaks(dict(scan.files_below(instance.path)), values) == {}


def test_jobs_run(instance: TutorRoot, cluster: LocalCluster) -> None:
    """With values from the store, and with one that was typed, which is in no store."""
    instance.run("k8s", "init", "--limit=notes")
    instance.run("k8s", "do", "createuser", "-p", "s3cret-typed", "admin", "admin@acme.test")
    jobs = objects(cluster, namespace(instance), "jobs")
    assert len(jobs) >= 3
    assert {job["status"].get("succeeded") for job in jobs} == {1}
    left = {manifests.name(each) for each in objects(cluster, namespace(instance), "secrets")}
    assert not [name for name in left if "-job-" in name]


def test_a_rotation_reaches_the_pods(
    instance: TutorRoot, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Secret keeps its name, so the pods that use it are started anew; no others are."""

    def generations() -> dict[str, int]:
        found = objects(cluster, namespace(instance), "deployments")
        return {manifests.name(each): each["metadata"]["generation"] for each in found}

    before = generations()
    instance.run("secrets", "rotate", "--yes", "NOTES_SECRET_KEY")
    assert {name for name, number in generations().items() if before[name] != number} == {"notes"}
    found = files(objects(cluster, namespace(instance), "secrets"))
    value = stored(instance, monkeypatch)["NOTES_SECRET_KEY"]
    assert value in found["notes-settings", "tutor.py"]
    assert "Every secret is where it has to be" in instance.run("secrets", "check").stdout


def test_a_database_password_gets_another_user(
    instance: TutorRoot, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both arrive together; and no Secret has anything of the journal."""
    old = stored(instance, monkeypatch)["NOTES_MYSQL_PASSWORD"]
    said = instance.run("secrets", "rotate", "--yes", "NOTES_MYSQL_PASSWORD").stdout
    assert "MySQL: user notes is removed" in said
    values = stored(instance, monkeypatch)
    assert values["NOTES_MYSQL_PASSWORD"] != old
    assert values["NOTES_MYSQL_PASSWORD"] not in said
    assert values["SECRETS_ROTATION"] == "{}"
    # The one from before stays for an hour.
    used = str(objects(cluster, namespace(instance), "deployments"))
    secrets = objects(cluster, namespace(instance), "secrets")
    found = files([each for each in secrets if f"'{manifests.name(each)}'" in used])
    settings = found["notes-settings", "tutor.py"]
    assert values["NOTES_MYSQL_PASSWORD"] in settings
    assert "notes_2" in settings
    kept = json.dumps(objects(cluster, namespace(instance), "externalsecrets"))
    assert "SECRETS_ROTATION" not in kept
    assert "Every secret is where it has to be" in instance.run("secrets", "check").stdout


def test_what_cannot_be_read_stops_a_deployment(
    instance: TutorRoot, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the operator's reason; nothing else is applied."""
    value = stored(instance, monkeypatch)["NOTES_SECRET_KEY"]
    before = {
        manifests.name(each): each["metadata"]["generation"]
        for each in objects(cluster, namespace(instance), "deployments")
    }
    forget(instance, "NOTES_SECRET_KEY")
    try:
        answer = instance.run("k8s", "start", check=False)
    finally:
        instance.run("secrets", "set", "NOTES_SECRET_KEY", given=value)
    assert answer.returncode == 1
    said = " ".join(answer.stdout.split())
    assert "external-secrets: did not make all Secrets within 60 s: notes-settings-" in said
    assert {
        manifests.name(each): each["metadata"]["generation"]
        for each in objects(cluster, namespace(instance), "deployments")
    } == before
    instance.run("k8s", "start")


def forget(root: TutorRoot, key: str) -> None:
    """Take a value out of the store, as nothing of ours does."""
    name = f"openedx/{namespace(root)}"
    if root.config()["SECRETS_STORE"] == "parameter-store":
        boto3.client("ssm").delete_parameter(Name=f"/{name}/{key}")
        return
    client = boto3.client("secretsmanager")
    values = json.loads(client.get_secret_value(SecretId=name)["SecretString"])
    del values[key]
    client.put_secret_value(SecretId=name, SecretString=json.dumps(values))


def test_manifests_can_be_kept_in_git(
    instance: TutorRoot, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a value in them, and Argo CD or Flux can apply them: the API server takes them."""
    answer = instance.run("secrets", "manifests").stdout
    found = manifests.load(answer[answer.index("---") :])
    kinds = {each["kind"] for each in found}
    assert {"SecretStore", "ExternalSecret", "Deployment", "Namespace"} <= kinds
    # Tutor runs jobs, with a task.
    assert not kinds & {"Secret", "Job"}
    assert [each["kind"] for each in found][:3] == ["Namespace", "ServiceAccount", "SecretStore"]
    waves = {each["kind"]: (each["metadata"].get("annotations") or {}) for each in found}
    assert waves["Namespace"]["argocd.argoproj.io/sync-wave"] == "-2"
    assert waves["ExternalSecret"]["argocd.argoproj.io/sync-wave"] == "-1"
    values = {k: v for k, v in stored(instance, monkeypatch).items() if len(v) > 7}
    assert scan.found_in(answer, values) == set()
    pods = [spec for each in found if (spec := manifests.pod_spec(each))]
    assert not any(pod.get("schedulingGates") for pod in pods)
    file = instance.path / "manifests.yml"
    file.write_text(manifests.dump(found))
    try:
        dry_run = ("--server-side", "--dry-run=server", "--force-conflicts")
        cluster.kubectl("apply", *dry_run, f"--filename={file}")
    finally:
        file.unlink()


def made_here(cluster: LocalCluster, name: str, kind: str) -> set[str]:
    return {
        manifests.name(each)
        for each in objects(cluster, name, kind)
        if manifests.labels(each).get("tutorsecrets/made-from") == "tokens"
    }


def test_another_plugins_secret_keeps_its_type(instance: TutorRoot, cluster: LocalCluster) -> None:
    secrets = objects(cluster, namespace(instance), "secrets")
    types = {manifests.name(each): each["type"] for each in secrets}
    assert types["registry"] == "kubernetes.io/basic-auth"


def test_after_stop_nothing_makes_secrets_again(instance: TutorRoot, cluster: LocalCluster) -> None:
    name = namespace(instance)
    instance.run("k8s", "stop")
    for kind in ("externalsecrets", "secretstores", "serviceaccounts"):
        assert made_here(cluster, name, kind) == set()
    wait_for(lambda: not made_here(cluster, name, "secrets"), 20, "Secrets are gone")
    instance.run("k8s", "start")
    assert len(made_here(cluster, name, "secrets")) > 5


def test_the_mode_can_be_changed(instance: TutorRoot, cluster: LocalCluster) -> None:
    """What is left of the other mode goes once nothing can go back to it; never before."""
    name = namespace(instance)
    change_mode(instance, cluster, "direct")
    assert made_here(cluster, name, "externalsecrets")
    grow_old(cluster, name, "externalsecrets")
    instance.run("k8s", "start")
    for kind in ("externalsecrets", "secretstores", "serviceaccounts"):
        assert made_here(cluster, name, kind) == set()
    assert not objects(cluster, name, "externalsecrets")
    assert "Every secret is where it has to be" in instance.run("secrets", "check").stdout
    found = {manifests.name(each): each for each in objects(cluster, name, "secrets")}
    assert found["registry"]["type"] == "kubernetes.io/basic-auth"
    wait_for(lambda: not made_by_operator(cluster, name), 20, "the operator's Secrets are gone")
    direct = made_here(cluster, name, "secrets")
    change_mode(instance, cluster, "external-secrets")
    assert direct <= made_here(cluster, name, "secrets")
    grow_old(cluster, name, "secrets")
    instance.run("k8s", "start")
    left = made_here(cluster, name, "secrets")
    assert left == made_by_operator(cluster, name) - {"registry"}
    assert not left & direct
    assert "Every secret is where it has to be" in instance.run("secrets", "check").stdout


def change_mode(root: TutorRoot, cluster: LocalCluster, mode: str) -> None:
    root.run("config", "save", "--set", f"SECRETS_MODE={mode}")
    root.run("k8s", "start")
    for each in objects(cluster, namespace(root), "deployments"):
        cluster.kubectl(
            *("rollout", "status", f"deployment/{manifests.name(each)}", "--timeout=120s"),
            f"--namespace={namespace(root)}",
        )


def grow_old(cluster: LocalCluster, name: str, kind: str) -> None:
    """As if the last deployment were of long ago, and of the last ones nothing were left."""
    for each in objects(cluster, name, "replicasets"):
        if not each["spec"]["replicas"]:
            cluster.kubectl(
                "delete", "replicaset", manifests.name(each), f"--namespace={name}", "--wait"
            )
    cluster.kubectl(
        *("annotate", kind, "--all", "--overwrite", f"--namespace={name}"),
        "tutorsecrets/applied=2020-01-01T00:00:00+00:00",
    )


def made_by_operator(cluster: LocalCluster, name: str) -> set[str]:
    return {
        manifests.name(each)
        for each in objects(cluster, name, "secrets")
        if any(
            owner["kind"] == "ExternalSecret"
            for owner in each["metadata"].get("ownerReferences") or []
        )
    }


def test_an_instance_moves_in(
    new_root: NewRoot, operator: ExternalSecrets, cluster: LocalCluster, aws: AwsEmulator
) -> None:
    """What derives from its secrets is in the store by the time that it is deployed."""
    root = new_root(
        environment={**cluster.environment, **aws.environment},
        K8S_NAMESPACE="outermover",
        AWS_REGION="eu-west-1",
        SECRETS_MODE="external-secrets",
        SECRETS_EXTERNAL={"role_arn": ROLE},
    )
    root.run("config", "save")
    root.run("plugins", "enable", "secrets")
    root.run("secrets", "migrate", "--yes")
    root.run("k8s", "start")
    assert "Every secret is where it has to be" in root.run("secrets", "check").stdout
    root.run("k8s", "delete", "--yes")


def test_without_a_region_nothing_can_be_read(new_root: NewRoot, aws: AwsEmulator) -> None:
    root = new_root(
        "secrets",
        environment=aws.environment,
        K8S_NAMESPACE="nowhere",
        SECRETS_MODE="external-secrets",
        SECRETS_EXTERNAL={"role_arn": ROLE},
    )
    root.run("config", "save")
    answer = root.run("secrets", "manifests", check=False)
    assert answer.returncode == 1
    assert "AWS_REGION: is not set, and external-secrets reads in one region" in answer.stdout
