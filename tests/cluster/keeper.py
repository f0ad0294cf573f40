"""An instance called `keeper`, as tests of the secrets plugin look at it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from base64 import b64decode
from typing import Any

import boto3
import yaml
from localcluster.cluster import LocalCluster
from localcluster.processes import wait_for

from demo.tutor import TUTOR, TutorRoot

HOSTILE = 'it\'s "$HOME" `id` $(id) \\ {{x}} é🔑 '
OPENEDX = {"cms", "cms-worker", "lms", "lms-worker"}


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
