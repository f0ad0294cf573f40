"""CloudFront, certificates and static files of an instance, on a real control plane."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from localcluster.certificates import Authority
from localcluster.cluster import LocalCluster
from localservices.aws import AwsEmulator

from demo import instances
from demo.tutor import TutorRoot
from tests.conftest import NewRoot

pytestmark = pytest.mark.cluster

ARN = "arn:aws:acm:eu-west-1:111122223333:certificate/0a1b2c3d"
SECRET = "made-up-for-cloudfront-0123456789"
LMS, ORIGIN = "learn.acme.example.org", "origin.acme.example.org"


@pytest.fixture(scope="module")
def acme(
    new_root: NewRoot,
    aws: AwsEmulator,
    cluster: LocalCluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[TutorRoot]:
    """A running instance behind CloudFront, with a certificate of its own."""
    authority = tmp_path_factory.mktemp("authority") / "databases.pem"
    authority.write_bytes(Authority.new("databases").pem)
    root = new_root(
        *instances.PLUGINS,
        environment={**cluster.environment, **aws.environment},
        **{**instances.settings(0, authority), "K8S_NAMESPACE": "edge"},
        AWS_CDN={"mode": "cloudfront", "assets_bucket": "edge-assets", "origin_host": ORIGIN},
        AWS_INGRESS={
            "certificates": {ARN: ["*.acme.example.org", f"*.{LMS}"]},
            "annotations": {"acme.example.org/owner": "learning team"},
        },
        SECRETS_KEYS=["AWS_CDN_SECRET"],
    )
    root.run("config", "save")
    root.run("secrets", "set", "AWS_CDN_SECRET", given=SECRET)
    root.run("secrets", "init")
    root.run("k8s", "start")
    yield root
    root.run("k8s", "delete", "--yes")


def objects(cluster: LocalCluster, kind: str) -> dict[str, Any]:
    answer = json.loads(cluster.kubectl("get", kind, "--namespace=edge", "--output=json"))
    return {item["metadata"]["name"]: item for item in answer["items"]}


def test_the_api_server_takes_hosts_and_certificates(
    acme: TutorRoot, cluster: LocalCluster
) -> None:
    """Rules without paths too, which only bring a certificate."""
    found = objects(cluster, "ingresses")
    anchor = found.pop("certificates")
    assert {ORIGIN, LMS} < set(found)
    assert anchor["spec"]["ingressClassName"] == "alb"
    assert {rule["host"] for rule in anchor["spec"]["rules"]} == set(found)
    assert anchor["metadata"]["annotations"]["alb.ingress.kubernetes.io/certificate-arn"] == ARN
    for ingress in found.values():
        assert ingress["metadata"]["annotations"]["acme.example.org/owner"] == "learning team"


def test_no_service_is_open_beside_them(acme: TutorRoot, cluster: LocalCluster) -> None:
    services = objects(cluster, "services").values()
    assert {service["spec"]["type"] for service in services} == {"ClusterIP"}


def test_caddy_knows_cloudfronts_secret(acme: TutorRoot, cluster: LocalCluster) -> None:
    """From a Secret; no ConfigMap has it."""
    caddy = objects(cluster, "deployments")["caddy"]
    (volume,) = caddy["spec"]["template"]["spec"]["volumes"]
    secret = objects(cluster, "secrets")[volume["secret"]["secretName"]]
    caddyfile = base64.b64decode(secret["data"]["Caddyfile"]).decode()
    assert caddyfile.count(f'not header X-Origin-Secret "{SECRET}"') == 3
    assert SECRET not in json.dumps(objects(cluster, "configmaps"))
    assert SECRET not in Path(acme.path / "env/apps/caddy/Caddyfile").read_text()


def test_a_job_with_the_role_uploads_static_files(acme: TutorRoot, cluster: LocalCluster) -> None:
    acme.run("k8s", "do", "init", "--limit=aws")
    (job,) = objects(cluster, "jobs").values()
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert job["status"]["succeeded"] == 1
    assert pod["serviceAccountName"] == "openedx"
    assert {"name": "AWS_DEFAULT_REGION", "value": "eu-west-1"} in container["env"]
    assert container["args"][-1].startswith("python - /openedx/staticfiles edge-assets <<")
