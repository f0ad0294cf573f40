"""New values while an instance runs: `tutor secrets set`, `rotate`, `diff` and `check`."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import yaml
from localcluster.cluster import LocalCluster

from demo.tutor import TUTOR, TutorRoot
from tests.cluster.keeper import (
    HOSTILE,
    OPENEDX,
    api,
    changed,
    file_in_use,
    generations,
    interrupt,
    nightly,
    objects,
    refused,
    secret_names,
    stored,
)

pytestmark = [pytest.mark.cluster, pytest.mark.proof]


def test_a_new_value_rolls_those_who_use_it(
    instance: TutorRoot, cluster: LocalCluster, environment: dict[str, str]
) -> None:
    """And nobody else."""
    before = generations(cluster)
    old = stored(environment, "openedx/keeper")
    instance.run("secrets", "rotate", "--yes", "NOTES_SECRET_KEY")
    assert changed(before, generations(cluster)) == {"notes"}
    new = stored(environment, "openedx/keeper")
    assert {key for key in old if not key.startswith("SECRETS_") and old[key] != new[key]} == {
        "NOTES_SECRET_KEY"
    }


def test_a_database_password_gets_another_user_first(
    instance: TutorRoot, cluster: LocalCluster, environment: dict[str, str]
) -> None:
    """Who exists before anything uses it; the one before goes when nothing does any more."""
    before = generations(cluster)
    old_user = instance.config().get("OPENEDX_MYSQL_USERNAME", "openedx")
    jobs = set(objects(cluster, "keeper", "jobs"))
    said = instance.run("secrets", "rotate", "--yes", "OPENEDX_MYSQL_PASSWORD").stdout
    assert changed(before, generations(cluster)) == OPENEDX
    user = instance.config()["OPENEDX_MYSQL_USERNAME"]
    assert {user, old_user} == {"openedx", "openedx_2"}
    new_jobs = {n: j for n, j in objects(cluster, "keeper", "jobs").items() if n not in jobs}
    creation, removal = (json.dumps(new_jobs[name]) for name in sorted(new_jobs))
    assert f"CREATE USER IF NOT EXISTS '{user}'@'%'" in creation
    assert f"DROP USER IF EXISTS '{old_user}'@'%'" in removal
    password = stored(environment, "openedx/keeper")["OPENEDX_MYSQL_PASSWORD"]
    settings = yaml.safe_load(file_in_use(cluster, "lms", "config", "lms.env.yml"))
    database = settings["DATABASES"]["default"]
    assert (database["USER"], database["PASSWORD"]) == (user, password)
    assert password not in said + creation + removal
    assert "Every secret is where it has to be" in instance.run("secrets", "check").stdout


@pytest.mark.parametrize(
    "line",
    ["keeps the old one", "new values of OPENEDX_MYSQL_PASSWORD"],
    ids=["before the new user", "before the new configuration"],
)
def test_an_interrupted_rotation_goes_on(
    line: str, instance: TutorRoot, cluster: LocalCluster, environment: dict[str, str]
) -> None:
    """With the values made up then; `check` says so, and a wrong deployment is refused."""
    before = generations(cluster)
    interrupt(instance, line)
    values = stored(environment, "openedx/keeper")
    new = json.loads(values["SECRETS_ROTATION"])["values"]["OPENEDX_MYSQL_PASSWORD"]
    if values["OPENEDX_MYSQL_PASSWORD"] == new:
        message = refused(instance, "k8s", "start")
        assert "but the password in the store is that of" in message
        assert "run `tutor secrets rotate`" in message
    else:
        instance.run("k8s", "start")
    assert generations(cluster) == before
    said = refused(instance, "secrets", "check")
    assert "the rotation of OPENEDX_MYSQL_PASSWORD is not finished" in said
    assert new not in said + instance.run("secrets", "list").stdout
    said = refused(instance, "secrets", "rotate", "NOTES_SECRET_KEY", given="n\n")
    assert "The rotation of OPENEDX_MYSQL_PASSWORD was interrupted" in said
    assert "after it comes NOTES_SECRET_KEY" in said
    instance.run("secrets", "rotate", "--yes")
    values = stored(environment, "openedx/keeper")
    assert (values["OPENEDX_MYSQL_PASSWORD"], values["SECRETS_ROTATION"]) == (new, "{}")
    assert "Every secret is where it has to be" in instance.run("secrets", "check").stdout
    assert "no setting is named" in refused(instance, "secrets", "rotate")


def test_workloads_of_other_kinds_are_rotated_too(
    instance: TutorRoot, cluster: LocalCluster
) -> None:
    """The StatefulSet of a plugin is rolled; the next run of its CronJob has the new password."""
    folder = instance.path / "plugins"
    folder.mkdir(exist_ok=True)
    (folder / "nightly.yml").write_text(yaml.safe_dump(nightly()))
    instance.run("plugins", "enable", "nightly")
    instance.run("config", "save")
    instance.run("k8s", "start")
    try:
        before = secret_names(objects(cluster, "keeper", "cronjobs")["nightly"])
        [row] = [
            line
            for line in instance.run("secrets", "list").stdout.splitlines()
            if "OPENEDX_MYSQL_PASSWORD" in line
        ]
        assert "cronjob/nightly" in row
        assert "statefulset/keep" in row
        said = instance.run("secrets", "rotate", "--yes", "OPENEDX_MYSQL_PASSWORD").stdout
        assert "rollout status statefulset/keep" in said
        [pod] = [
            each
            for name, each in objects(cluster, "keeper", "pods").items()
            if name.startswith("keep-")
        ]
        assert secret_names(pod) == secret_names(objects(cluster, "keeper", "statefulsets")["keep"])
        assert secret_names(objects(cluster, "keeper", "cronjobs")["nightly"]) != before
    finally:
        instance.run("plugins", "disable", "nightly")
        instance.run("config", "save")
        cluster.kubectl("delete", "cronjob/nightly", "statefulset/keep", "--namespace=keeper")


def test_the_old_user_stays_until_the_last_pod_is_gone(
    instance: TutorRoot, cluster: LocalCluster
) -> None:
    """Of whatever it is, if it has a Secret from before."""
    lms = objects(cluster, "keeper", "deployments")["lms"]["spec"]["template"]["spec"]
    [secret] = [each["secret"]["secretName"] for each in lms["volumes"] if each["name"] == "config"]
    container = {"name": "main", "image": "example.org/main:1"}
    volume = {"name": "config", "secret": {"secretName": secret}}
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "straggler", "namespace": "keeper"},
            "spec": {"containers": [container], "volumes": [volume]},
        }
    )
    argv = [TUTOR, "secrets", "rotate", "--yes", "OPENEDX_MYSQL_PASSWORD"]
    with subprocess.Popen(
        argv, env=instance.variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("Waiting for Pod straggler"):
                assert "is removed" not in said.rpartition("└")[2]
                cluster.kubectl("delete", "pod", "straggler", "--namespace=keeper", "--now")
    assert process.returncode == 0, said
    assert "Waiting for Pod straggler" in said
    assert "is removed" in said.rpartition("Waiting for Pod straggler")[2]


def test_the_difference_is_shown_and_no_value(
    instance: TutorRoot, cluster: LocalCluster, environment: dict[str, str]
) -> None:
    assert "No Secret would change" in instance.run("secrets", "diff").stdout
    instance.run("secrets", "set", "SMTP_PASSWORD", given="another-s3cret")
    before = generations(cluster)
    said = instance.run("secrets", "diff").stdout
    assert "cms.env.yml, lms.env.yml" in said
    assert re.search(r"^\+ +secretName: openedx-config-", said, re.M)
    assert not [value for value in stored(environment, "openedx/keeper").values() if value in said]
    assert generations(cluster) == before
    instance.run("secrets", "set", "SMTP_PASSWORD", given=HOSTILE)


def test_check_finds_what_is_wrong(
    instance: TutorRoot, cluster: LocalCluster, environment: dict[str, str]
) -> None:
    """In the store, in files, in the cluster; each with what to do."""
    assert "Every secret is where it has to be" in instance.run("secrets", "check").stdout
    values = stored(environment, "openedx/keeper")
    key = values["NOTES_SECRET_KEY"]
    leak = instance.path / "notes.txt"
    leak.write_text(f"remember: {key}")
    cluster.kubectl("create", "configmap", "leak", f"--from-literal=a={key}", "--namespace=keeper")
    instance.run("secrets", "set", "SMTP_PASSWORD", given="another-s3cret")
    said = refused(instance, "secrets", "check")
    leak.unlink()
    cluster.kubectl("delete", "configmap", "leak", "--namespace=keeper")
    instance.run("secrets", "set", "SMTP_PASSWORD", given=HOSTILE)
    assert f"{leak}" in said
    assert "holds the value of NOTES_SECRET_KEY" in said
    assert "ConfigMap leak" in said
    assert "Deployment lms-worker" in said
    assert "runs with older settings or values" in said
    assert key not in said


def test_check_finds_what_the_store_lacks(
    instance: TutorRoot, environment: dict[str, str], cluster: LocalCluster
) -> None:
    """And a deployment is refused with the same."""
    values = stored(environment, "openedx/keeper")
    lacking = {**values, "NOTES_SECRET_KEY": ""}
    del lacking["CMS_OAUTH2_SECRET"]
    before = generations(cluster)
    api(environment).put_secret_value(SecretId="openedx/keeper", SecretString=json.dumps(lacking))
    try:
        said = refused(instance, "secrets", "check")
        assert "has no CMS_OAUTH2_SECRET" in said
        assert "NOTES_SECRET_KEY is empty" in said
        assert "the key NOTES_SECRET_KEY is empty" in refused(instance, "k8s", "start")
        lacking["NOTES_SECRET_KEY"] = values["NOTES_SECRET_KEY"]
        api(environment).put_secret_value(
            SecretId="openedx/keeper", SecretString=json.dumps(lacking)
        )
        assert "the key CMS_OAUTH2_SECRET is missing" in refused(instance, "k8s", "start")
    finally:
        api(environment).put_secret_value(
            SecretId="openedx/keeper", SecretString=json.dumps(values)
        )
    assert generations(cluster) == before
