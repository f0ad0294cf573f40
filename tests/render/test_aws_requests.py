"""How requests come in, as Tutor and kustomize render it with the aws plugin."""

from __future__ import annotations

import configparser
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tutorplatform import manifests

from demo.tutor import TutorRoot
from tests.render.aws_services import CERTIFICATE, external_services
from tests.render.edx_platform import platform_settings

pytestmark = pytest.mark.render

NewRoot = Callable[..., TutorRoot]

OFFICIAL_PLUGINS = ("credentials", "discovery", "forum", "mfe", "notes", "xqueue")
ARN = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d"
CLOUDFRONT = {
    "AWS_CDN": {
        "mode": "cloudfront",
        "assets_bucket": "acme-assets",
        "origin_host": "origin.acme.test",
    },
    "AWS_CDN_SECRET": "made-up-for-cloudfront-0123456789",
}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    path.write_text(CERTIFICATE)
    return external_services(path)


@pytest.fixture(scope="module")
def acme(new_root: NewRoot, services: dict[str, Any]) -> TutorRoot:
    root = new_root("aws", *OFFICIAL_PLUGINS, **services)
    root.run("config", "save")
    return root


@pytest.fixture(scope="module")
def cloudfront(new_root: NewRoot, services: dict[str, Any]) -> TutorRoot:
    root = new_root("aws", *OFFICIAL_PLUGINS, **services, **CLOUDFRONT)
    root.run("config", "save")
    return root


def ingresses(root: TutorRoot) -> dict[str, manifests.Manifest]:
    return {manifests.name(m): m for m in manifests.of_kind(root.rendered(), "Ingress")}


def uwsgi(root: TutorRoot) -> dict[str, str]:
    """uwsgi's settings, the last one of each name: as uwsgi takes those with a number."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read(root.path / "env/apps/openedx/uwsgi.ini")
    return dict(parser["uwsgi"])


def services_of(root: TutorRoot) -> Iterator[tuple[str, str]]:
    for manifest in manifests.of_kind(root.rendered(), "Service"):
        yield manifests.name(manifest), manifest["spec"].get("type", "ClusterIP")


def test_nothing_is_exposed_but_by_the_ingress(acme: TutorRoot) -> None:
    """Tutor's plugins open a port on every node for what only Caddy asks."""
    services = dict(services_of(acme))
    assert {"mfe", "credentials", "discovery", "xqueue", "notes", "caddy", "lms"} < set(services)
    assert set(services.values()) == {"ClusterIP"}


def caddy(root: TutorRoot) -> manifests.Manifest:
    (found,) = (
        m for m in manifests.of_kind(root.rendered(), "Deployment") if manifests.name(m) == "caddy"
    )
    return found


def test_caddy_keeps_nothing_on_a_disk(acme: TutorRoot) -> None:
    """So it can have any number of pods, in any zone."""
    volumes = (manifests.pod_spec(caddy(acme)) or {})["volumes"]
    assert [set(volume) for volume in volumes] == [{"name", "configMap"}]
    claims = manifests.of_kind(acme.rendered(), "PersistentVolumeClaim")
    assert "caddy" not in [manifests.name(claim) for claim in claims]


@pytest.mark.parametrize(
    ("plugins", "settings", "replicas"),
    [
        pytest.param(["aws"], {}, 2, id="aws alone"),
        pytest.param(["aws", "autoscale"], {}, None, id="the autoscale plugin's matter"),
        pytest.param(["aws"], {"ENABLE_WEB_PROXY": True}, None, id="Tutor's, with a volume"),
    ],
)
def test_one_caddy_may_be_lost(
    new_root: NewRoot, plugins: list[str], settings: dict[str, Any], replicas: int | None
) -> None:
    """All requests go through it; and whoever scales it is not contradicted by each apply."""
    root = new_root(*plugins, **settings)
    root.run("config", "save")
    assert caddy(root)["spec"].get("replicas") == replicas


def test_a_role_and_the_way_to_its_credentials_go_together(acme: TutorRoot) -> None:
    """Of all pods with the plugins; no other one can ask for the role, or for Kubernetes."""
    templates = {
        manifests.name(m): m["spec"]["template"]
        for m in manifests.of_kind(acme.rendered(), "Deployment", "Job")
    }
    with_role = {n for n, t in templates.items() if t["spec"].get("serviceAccountName")}
    labelled = {n for n, t in templates.items() if "tutoraws/identity" in t["metadata"]["labels"]}
    assert {"lms", "cms", "lms-worker", "cms-worker", "lms-job", "cms-job"} <= with_role == labelled
    assert with_role.isdisjoint({"caddy", "mfe", "meilisearch", "mysql-job", "xqueue", "notes"})
    accounts = list(manifests.of_kind(acme.rendered(), "ServiceAccount"))
    assert {manifests.name(account) for account in accounts} == {
        *("default", "openedx", "openedx-plugins")
    }
    assert not any(account["automountServiceAccountToken"] for account in accounts)


def test_requests_have_time(acme: TutorRoot) -> None:
    """The platform's web server waits as long as a request may take, and takes long cookies."""
    assert int(uwsgi(acme)["http-timeout"]) == int(uwsgi(acme)["harakiri"]) == 600
    assert int(uwsgi(acme)["buffer-size"]) == 32768


@pytest.mark.parametrize("service", ["lms", "cms"])
@pytest.mark.wires("CLOSEST_CLIENT_IP_FROM_HEADERS")
def test_the_client_is_found_by_counting_proxies(
    acme: TutorRoot, cloudfront: TutorRoot, service: str
) -> None:
    """One more with CloudFront. What Django makes of it: tests/localservices/test_requests.py."""
    for root, position in ((acme, -3), (cloudfront, -4)):
        settings = platform_settings(root, service)
        assert settings["CLOSEST_CLIENT_IP_FROM_HEADERS"] == [
            {"name": "X-Forwarded-For", "index": position}
        ]


def test_cloudfront_asks_a_host_of_its_own(acme: TutorRoot, cloudfront: TutorRoot) -> None:
    """Beside the public ones."""
    assert set(ingresses(cloudfront)) - set(ingresses(acme)) == {"origin.acme.test"}


def test_certificates_of_the_instance_reach_the_load_balancer(
    new_root: NewRoot, services: dict[str, Any]
) -> None:
    """By an Ingress of its class, beside those that route."""
    names = ["learn.acme.test", "*.learn.acme.test"]
    ingress = {"certificates": {ARN: names}, "annotations": {"acme.test/owner": "x"}}
    root = new_root("aws", "mfe", **services, AWS_INGRESS=ingress)
    root.run("config", "save")
    found = ingresses(root)
    anchor = found.pop("certificates")
    assert {rule["host"] for rule in anchor["spec"]["rules"]} == set(found)
    assert not any("http" in rule for rule in anchor["spec"]["rules"])
    # kustomize adds Tutor's version.
    assert anchor["metadata"]["annotations"]["alb.ingress.kubernetes.io/certificate-arn"] == ARN
    assert all(m["metadata"]["annotations"]["acme.test/owner"] == "x" for m in found.values())


def test_the_secret_of_cloudfront_stays_out_of_the_environment(
    new_root: NewRoot, services: dict[str, Any]
) -> None:
    """With the secrets plugin, which replaces it on the way to the cluster."""
    root = new_root("aws", "mfe", "autoscale", "secrets")
    settings = {key: value for key, value in services.items() if not key.endswith("PASSWORD")}
    token = {"AWS_CDN": CLOUDFRONT["AWS_CDN"], "SECRETS_KEYS": ["AWS_CDN_SECRET"]}
    root.write_config(
        {"LMS_HOST": "learn.acme.test", "K8S_NAMESPACE": "acme", **settings, **token},
        ["aws", "mfe", "autoscale", "secrets"],
    )
    root.run("config", "save")
    caddyfile = (root.path / "env/apps/caddy/Caddyfile").read_text()
    assert caddyfile.count('not header X-Origin-Secret "tutor-secret.AWS_CDN_SECRET.end"') == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param(
            {"AWS_INGRESS": {"domains": ["*.acme.test"]}, "LMS_HOST": "learn.acme.test"},
            "public host 'studio.learn.acme.test': is under no certificate",
            id="host",
        ),
        pytest.param(
            {**CLOUDFRONT, "ENABLE_WEB_PROXY": True}, "AWS_CDN.mode: is 'cloudfront'", id="proxy"
        ),
        pytest.param({"AWS_CDN_SECRET": 'a"b'}, "AWS_CDN_SECRET: is shorter than", id="secret"),
    ],
)
def test_what_cannot_work_is_refused(
    new_root: NewRoot, settings: dict[str, Any], message: str
) -> None:
    """When it is saved, without a traceback, and without the secret."""
    saved = new_root("aws", **settings).run("config", "save", check=False)
    assert saved.returncode == 1
    assert f"Error: {message}" in saved.stdout
    assert "Traceback" not in saved.stdout
    assert 'a"b' not in saved.stdout


def init_jobs(root: TutorRoot, folder: Path) -> list[str]:
    """The scripts that Tutor gives to containers to initialise an instance's part of the plugin."""
    # What it prints is an empty list of running containers.
    docker = folder / "docker"
    docker.write_text(f"#!/bin/sh\nprintf '%s\\0' \"$@\" >> '{folder}/calls'\necho '[]'\n")
    docker.chmod(0o755)
    (folder / "calls").touch()
    with_docker = TutorRoot(root.path, {"PATH": f"{folder}:{os.environ['PATH']}"})
    with_docker.run("local", "do", "init", "--limit=aws")
    return [call for call in (folder / "calls").read_text().split("\0") if "upload" in call]


def test_initialising_uploads_static_files(cloudfront: TutorRoot, tmp_path: Path) -> None:
    """One job, with the bucket of the instance."""
    (job,) = init_jobs(cloudfront, tmp_path)
    assert job.startswith("python - /openedx/staticfiles acme-assets <<'END_OF_PROGRAM'\n")


def test_without_cloudfront_no_job_uploads(acme: TutorRoot, tmp_path: Path) -> None:
    """It would be a pod for nothing."""
    assert init_jobs(acme, tmp_path) == []
