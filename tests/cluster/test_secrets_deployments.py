"""`tutor k8s …` with the secrets plugin: jobs, clean-up, and whatever else Tutor's users do."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from localcluster.cluster import LocalCluster
from localcluster.processes import wait_for

from demo import scan
from demo.tutor import TUTOR, TutorRoot
from demo.view import View
from tests.cluster.keeper import HOSTILE, file_in_use, objects, refused

pytestmark = [pytest.mark.cluster, pytest.mark.proof]


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
