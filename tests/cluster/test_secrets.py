"""`tutor secrets …` and what `tutor k8s …` does with secrets, on a real control plane."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from localcluster.cluster import LocalCluster
from localcluster.processes import wait_for
from localservices.aws import AwsEmulator
from localservices.faults import Faults, aws_with

from demo import scan
from demo.tutor import TUTOR, TutorRoot
from demo.view import View
from tests.conftest import NewRoot

# Beside `test_deploy.py`, which runs each time: all that an operator does, and what may go wrong.
pytestmark = [pytest.mark.cluster, pytest.mark.proof]

HOSTILE = 'it\'s "$HOME" `id` $(id) \\ {{x}} é🔑 '
OPENEDX = {"cms", "cms-worker", "lms", "lms-worker"}


@pytest.fixture(scope="module")
def environment(cluster: LocalCluster, aws: AwsEmulator) -> dict[str, str]:
    return {**cluster.environment, **aws.environment}


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


@pytest.fixture
def instance(running: TutorRoot, cluster: LocalCluster) -> TutorRoot:
    """The same, with all its pods ready and the newest values in use."""
    running.run("k8s", "start")
    wait_until_rolled_out(cluster, "keeper")
    return running


def wait_until_rolled_out(cluster: LocalCluster, namespace: str) -> None:
    def done() -> bool:
        return all(
            item["status"].get("observedGeneration") == item["metadata"]["generation"]
            and item["status"].get("updatedReplicas", 0) == item["spec"]["replicas"]
            and item["status"].get("availableReplicas", 0) == item["status"].get("replicas", 0)
            for item in objects(cluster, namespace, "deployments").values()
        )

    wait_for(done, 60, f"the pods of {namespace}", poll_s=0.5)


def stored(environment: dict[str, str], name: str) -> dict[str, str]:
    values: dict[str, str] = json.loads(
        api(environment).get_secret_value(SecretId=name)["SecretString"]
    )
    return values


def api(environment: dict[str, str]) -> Any:
    return boto3.client(
        "secretsmanager",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def objects(cluster: LocalCluster, namespace: str, kind: str) -> dict[str, Any]:
    answer = json.loads(cluster.kubectl("get", kind, f"--namespace={namespace}", "--output=json"))
    return {item["metadata"]["name"]: item for item in answer["items"]}


def generations(cluster: LocalCluster) -> dict[str, int]:
    found = objects(cluster, "keeper", "deployments")
    return {name: item["metadata"]["generation"] for name, item in found.items()}


def changed(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def file_in_use(cluster: LocalCluster, workload: str, volume: str, file: str) -> str:
    """A file as the pods of a Deployment have it."""
    pod = objects(cluster, "keeper", "deployments")[workload]["spec"]["template"]["spec"]
    [name] = [each["secret"]["secretName"] for each in pod["volumes"] if each["name"] == volume]
    return b64decode(objects(cluster, "keeper", "secrets")[name]["data"][file]).decode()


def refused(root: TutorRoot, *argv: str, given: str = "") -> str:
    """What a command says that must fail, without a traceback."""
    answer = root.run(*argv, check=False, given=given)
    assert answer.returncode == 1, answer.stdout
    assert "Traceback" not in answer.stdout
    return " ".join(answer.stdout.split())


# Filling the store, and looking at it


def test_init_is_complete_at_once(instance: TutorRoot) -> None:
    """And changes nothing when it is repeated."""
    assert "secret openedx/keeper: complete" in instance.run("secrets", "init").stdout


def test_init_names_what_somebody_else_has_to_choose(
    new_root: NewRoot, environment: dict[str, str]
) -> None:
    settings = {"K8S_NAMESPACE": "mailer", "SMTP_USERNAME": "mail"}
    root = new_root("secrets", environment=environment, **settings)
    root.run("config", "save")
    said = root.run("secrets", "init").stdout
    assert "SMTP_PASSWORD is chosen by somebody else: run `tutor secrets set SMTP_PASSWORD`" in said
    assert "SMTP_PASSWORD" not in stored(environment, "openedx/mailer")


def test_init_does_not_lock_an_instance_out(
    instance: TutorRoot, environment: dict[str, str]
) -> None:
    """With a wrong name, the store looks as if nothing was ever written to it."""
    wrong = {**instance.environment, "TUTOR_SECRETS_NAME": "openedx/keper"}
    said = refused(TutorRoot(instance.path, wrong), "secrets", "init")
    assert "there is no secret openedx/keper in eu-west-1, but namespace keeper runs with" in said
    with pytest.raises(api(environment).exceptions.ResourceNotFoundException):
        stored(environment, "openedx/keper")


def test_the_list_says_where_since_when_and_for_whom(
    instance: TutorRoot, environment: dict[str, str]
) -> None:
    """And no value."""
    said = instance.run("secrets", "list").stdout
    [row] = [line for line in said.splitlines() if "NOTES_MYSQL_PASSWORD" in line]
    cells = [part.strip() for part in row.strip("│").split("│")]
    assert cells == ["NOTES_MYSQL_PASSWORD", "secret openedx/keeper", "0 h", "notes", "notes"]
    assert not [value for value in stored(environment, "openedx/keeper").values() if value in said]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("SMTP_USERNAME", "x", "SMTP_USERNAME: is no secret setting of this instance"),
        ("a/b", "x", "a/b: is no secret setting"),
        ("SMTP_PASSWORD", "", "SMTP_PASSWORD: cannot be empty"),
        ("SMTP_PASSWORD", "x" * 70_000, "would have more than the 65536 bytes that fit"),
    ],
    ids=["no secret", "no name", "empty", "too long"],
)
def test_bad_values_are_refused(
    key: str, value: str, message: str, instance: TutorRoot, environment: dict[str, str]
) -> None:
    before = stored(environment, "openedx/keeper")
    assert message in refused(instance, "secrets", "set", key, given=value)
    assert stored(environment, "openedx/keeper") == before


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_what_is_no_text_is_refused(
    locale: str, instance: TutorRoot, environment: dict[str, str]
) -> None:
    """And not shown, wherever Python would stumble over it."""
    before = stored(environment, "openedx/keeper")
    answer = subprocess.run(
        [TUTOR, "secrets", "set", "SMTP_PASSWORD"],
        env={**instance.variables, "LC_ALL": locale},
        input=b"s3cret\xe9",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = answer.stdout.decode()
    assert answer.returncode == 1
    assert "SMTP_PASSWORD: is not text in UTF-8" in said
    assert "s3cret" not in said
    assert "Traceback" not in said
    assert stored(environment, "openedx/keeper") == before


def test_a_database_password_is_not_set_behind_the_servers_back(
    instance: TutorRoot, environment: dict[str, str]
) -> None:
    before = stored(environment, "openedx/keeper")
    argv = ("secrets", "set", "OPENEDX_MYSQL_PASSWORD")
    said = refused(instance, *argv, given="another-s3cret")
    assert "`tutor secrets rotate OPENEDX_MYSQL_PASSWORD`" in said
    instance.run(*argv, "--force", given=before["OPENEDX_MYSQL_PASSWORD"])
    changed_at = json.loads(stored(environment, "openedx/keeper")["SECRETS_CHANGED"])
    assert changed_at != json.loads(before["SECRETS_CHANGED"])


# Deploying


def test_values_arrive_as_they_are(instance: TutorRoot, cluster: LocalCluster) -> None:
    """Whatever is in them."""
    settings = yaml.safe_load(file_in_use(cluster, "lms", "config", "lms.env.yml"))
    assert settings["EMAIL_HOST_PASSWORD"] == HOSTILE


def test_a_typed_password_is_nowhere_once_the_job_is_done(
    instance: TutorRoot, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Neither in a file, nor in the job, nor in what the command says, nor in a Secret."""
    password = 'it\'s "a" $password {{x}}'
    root = TutorRoot(instance.path, {**instance.environment, "TMPDIR": str(tmp_path)})
    argv = ("k8s", "do", "createuser", "-p", password, "admin", "admin@acme.test")
    said = root.run(*argv).stdout
    found = View(cluster).objects("keeper")
    value = {"password": password}
    assert scan.leaks(scan.object_texts(found), value) == {}
    assert scan.leaks(scan.secret_texts(found), value) == {}
    assert scan.found_in(said, value) == set()
    [job] = [item for item in found if item["kind"] == "Job" and "set_password" in json.dumps(item)]
    assert job["status"]["succeeded"] == 1
    assert "u.set_password('${TUTOR_SECRET_typed_password_0__string}')" in json.dumps(job)


def test_a_typed_password_goes_with_the_job(instance: TutorRoot, cluster: LocalCluster) -> None:
    """While it runs, its Secret belongs to it: whatever happens here, it goes within the hour."""
    argv = [TUTOR, "k8s", "do", "createuser", "-p", "s3cret-typed", "admin", "a@acme.test"]
    with subprocess.Popen(
        argv, env=instance.variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if "Waiting for job completion" in line:
                break
        # As if the machine went away.
        process.kill()
    typed = {n: s for n, s in objects(cluster, "keeper", "secrets").items() if n.endswith("-typed")}
    [(name, secret)] = typed.items()
    [owner] = secret["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("Job", name.removesuffix("-typed"))
    cluster.kubectl("delete", "job", owner["name"], "--namespace=keeper")
    wait_for(
        lambda: name not in objects(cluster, "keeper", "secrets"), 30, "the Secret goes as well"
    )


def test_a_password_made_up_by_a_job_is_refused(instance: TutorRoot) -> None:
    assert "would leave an administrator's password in a job" in refused(
        instance, "k8s", "do", "tests", "--setup"
    )


def test_secrets_of_the_past_are_deleted(instance: TutorRoot, cluster: LocalCluster) -> None:
    """Those that no pod, and nothing that one can go back to, uses; not those of an hour ago."""
    for name, year in (("old", 2020), ("new", 2999)):
        cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {
                    "name": name,
                    "namespace": "keeper",
                    "labels": {"tutorsecrets/made-from": "tokens"},
                    "annotations": {"tutorsecrets/applied": f"{year}-01-01T00:00:00+00:00"},
                },
            }
        )
    used = set(objects(cluster, "keeper", "secrets")) - {"old", "new"}
    instance.run("k8s", "start")
    assert set(objects(cluster, "keeper", "secrets")) == {*used, "new"}
    cluster.kubectl("delete", "secret", "new", "--namespace=keeper")


def test_stop_deletes_secrets_and_start_brings_them_back(
    instance: TutorRoot, cluster: LocalCluster
) -> None:
    instance.run("k8s", "reboot")
    instance.run("k8s", "stop")
    assert objects(cluster, "keeper", "secrets") == {}
    instance.run("k8s", "start")
    assert len(objects(cluster, "keeper", "secrets")) >= 5


@pytest.mark.parametrize(
    "argv",
    [
        ("do", "importdemocourse"),
        ("do", "settheme", "indigo"),
        ("do", "sqlshell", "-e", "SELECT 1"),
        ("do", "print-edx-platform-setting", "SITE_NAME"),
        ("init", "--limit=notes"),
        ("apply",),
        ("upgrade", "--from=ulmo"),
        ("scale", "lms", "1"),
        ("status",),
    ],
    ids=lambda argv: argv[1] if argv[0] == "do" else argv[0],
)
def test_other_commands_work_as_before(argv: tuple[str, ...], instance: TutorRoot) -> None:
    instance.run("k8s", *argv)


# Changing values


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
    ["both are valid", "new values of OPENEDX_MYSQL_PASSWORD"],
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


def interrupt(root: TutorRoot, line: str) -> None:
    """Begin to rotate a database password, and kill the command at a line that it says."""
    argv = [TUTOR, "secrets", "rotate", "--yes", "OPENEDX_MYSQL_PASSWORD"]
    old = root.config()
    with subprocess.Popen(
        argv, env=root.variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        for each in process.stdout:
            # Not in the table before it.
            if line in each and "│" not in each:
                process.send_signal(signal.SIGKILL)
                break
    # It may have got a little further than what it said.
    root.write_config(old, old["PLUGINS"])


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


def nightly() -> dict[str, Any]:
    """A plugin with a CronJob and a StatefulSet that use the database."""
    environment = [{"name": "LOGIN", "value": "{{ OPENEDX_MYSQL_PASSWORD }}"}]
    container = {"name": "main", "image": "example.org/main:1", "env": environment}
    labels = {"app.kubernetes.io/name": "keep"}
    job = {"spec": {"containers": [container], "restartPolicy": "Never"}}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    workloads = [
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "nightly"},
            "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": job}}},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": "keep"},
            "spec": {"selector": {"matchLabels": labels}, "template": pod, "serviceName": "keep"},
        },
    ]
    text = "".join(f"---\n{yaml.safe_dump(workload)}" for workload in workloads)
    return {"name": "nightly", "version": "1", "patches": {"k8s-deployments": text}}


def secret_names(workload: dict[str, Any]) -> set[str]:
    """The Secrets that a workload has its variables from."""
    return set(re.findall(r"'secretKeyRef': {[^}]*'name': '([^']+)'", str(workload)))


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


# Faults


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


# Moving in and out


def test_an_existing_instance_moves_in_and_out(
    new_root: NewRoot, environment: dict[str, str], cluster: LocalCluster
) -> None:
    """Nothing of its values is left anywhere in between, and they are what they were after it."""
    # Without braces: Tutor would take them for a template of its own.
    password = HOSTILE.replace("{{x}}", "x").strip()
    settings = {"K8S_NAMESPACE": "mover", "SMTP_USERNAME": "mail", "SMTP_PASSWORD": password}
    root = new_root(environment=environment, **settings, MY_API_KEY="a-key-of-mine")
    root.run("config", "save")
    root.run("k8s", "start")
    try:
        wait_until_rolled_out(cluster, "mover")
        root.run("k8s", "do", "sqlshell", "-e", "SELECT 1")
        plain = root.config()
        values = {
            key: str(plain[key]) for key in (*stored_keys(root), "SMTP_PASSWORD", "MY_API_KEY")
        }
        root.run("plugins", "enable", "secrets")
        literal = f"--from-literal=a={values['OPENEDX_SECRET_KEY']}"
        cluster.kubectl("create", "configmap", "foreign", literal, "--namespace=mover")
        before = set(objects(cluster, "mover", "configmaps"))
        # To move, to deploy, to delete.
        said = root.run("secrets", "migrate", given="y\nn\ny\n").stdout
        assert "Not of this instance, and so yours to delete: ConfigMap foreign" in said
        assert set(objects(cluster, "mover", "configmaps")) == before
        cluster.kubectl("delete", "configmap", "foreign", "--namespace=mover")
        # As if it had been interrupted before env/ was written.
        lms = root.path / "env" / "apps" / "openedx" / "config" / "lms.env.yml"
        lms.write_text(f"A: {values['OPENEDX_SECRET_KEY']}")
        said = root.run("secrets", "migrate", "--yes").stdout
        assert "No value is left in plain text" in said
        assert not [value for value in values.values() if value in said]
        found = View(cluster).objects("mover")
        assert scan.leaks(scan.object_texts(found), scan.with_derived(values)) == {}
        assert scan.leaks(dict(scan.files_below(root.path)), values) == {}
        assert values.items() <= stored(environment, "openedx/mover").items()
        assert "config.yml has no secret in plain text" in (
            root.run("secrets", "migrate", "--yes").stdout
        )
        root.run("config", "save", "--set", "MY_URL=https://x:{{ MY_API_KEY }}@acme.test")
        root.run("secrets", "restore", "--yes")
        root.run("plugins", "disable", "secrets")
        assert {key: root.config()[key] for key in values} == values
        assert root.config()["MY_URL"] == f"https://x:{values['MY_API_KEY']}@acme.test"
        assert oct((root.path / "config.yml").stat().st_mode & 0o777) == "0o600"
    finally:
        cluster.kubectl("delete", "namespace", "mover", "--wait=false")


def stored_keys(root: TutorRoot) -> list[str]:
    made_up = ("CMS_OAUTH2_SECRET", "JWT_RSA_PRIVATE_KEY", "MEILISEARCH_MASTER_KEY")
    passwords = ("MYSQL_ROOT_PASSWORD", "OPENEDX_MYSQL_PASSWORD", "OPENEDX_SECRET_KEY")
    return [*made_up, *passwords]


def test_migrate_overwrites_nothing(new_root: NewRoot, environment: dict[str, str]) -> None:
    """Two values for one setting are for somebody to decide on; until then both stay."""
    root = new_root(environment=environment, K8S_NAMESPACE="clash")
    root.run("config", "save")
    before = root.config()
    root.run("plugins", "enable", "secrets")
    api(environment).create_secret(
        Name="openedx/clash", SecretString='{"OPENEDX_SECRET_KEY": "another"}'
    )
    message = refused(root, "secrets", "migrate", "--yes")
    assert "has another value than config.yml for OPENEDX_SECRET_KEY" in message
    assert root.config()["OPENEDX_SECRET_KEY"] == before["OPENEDX_SECRET_KEY"]
    assert stored(environment, "openedx/clash") == {"OPENEDX_SECRET_KEY": "another"}


@pytest.mark.parametrize("answers", ["n\n", "y\nn\n"], ids=["no", "yes, no"])
def test_restore_asks_twice(answers: str, instance: TutorRoot) -> None:
    before = instance.config()
    instance.run("secrets", "set", "SMTP_PASSWORD", given="no template")
    assert "Aborted" in refused(instance, "secrets", "restore", given=answers)
    assert instance.config() == before
    instance.run("secrets", "set", "SMTP_PASSWORD", given=HOSTILE)


def test_what_tutor_would_take_for_a_template_is_not_restored(instance: TutorRoot) -> None:
    """Nothing is: config.yml would be of no use."""
    before = instance.config()
    said = refused(instance, "secrets", "restore", "--yes")
    assert "SMTP_PASSWORD: has a value that Tutor would not read unchanged from config.yml" in said
    assert instance.config() == before


def test_migrate_and_rotate_ask(
    instance: TutorRoot, new_root: NewRoot, environment: dict[str, str]
) -> None:
    """After they have shown the plan."""
    before = stored(environment, "openedx/keeper")
    said = refused(instance, "secrets", "rotate", "NOTES_SECRET_KEY", given="n\n")
    assert "tutor k8s start: new pods of notes" in said
    assert stored(environment, "openedx/keeper") == before
    root = new_root(environment=environment, K8S_NAMESPACE="asked")
    root.run("config", "save")
    root.run("plugins", "enable", "secrets")
    plain = root.config()
    assert "OPENEDX_SECRET_KEY" in refused(root, "secrets", "migrate", given="n\n")
    assert root.config() == plain


def test_policies_are_of_this_instance_only(instance: TutorRoot) -> None:
    answer = instance.run("secrets", "policy", "deployer", "--account", "123456789012").stdout
    policy = json.loads(answer[answer.index("{") :])
    assert "123456789012:secret:openedx/keeper-??????" in policy["Statement"][0]["Resource"][0]


def test_manifests_for_git_hold_no_values(instance: TutorRoot) -> None:
    """In the direct mode there are none to give."""
    assert "whose manifests have the values in them" in refused(instance, "secrets", "manifests")
