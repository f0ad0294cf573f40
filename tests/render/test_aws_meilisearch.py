"""Meilisearch with the aws plugin: where its data is, who fills it, who has its master key."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tutoraws.meilisearch import SCRIPT
from tutorplatform import manifests
from tutorplatform.manifests import Manifest
from tutorsecrets.tokens import keys_in

from demo.tutor import TutorRoot
from tests.render.aws_services import external_services
from tests.render.edx_platform import platform_settings, plugin_settings

pytestmark = pytest.mark.render

NewRoot = Callable[..., TutorRoot]

MASTER_KEY = "the-master-key"
OFFICIAL_PLUGINS = ("credentials", "discovery", "forum", "mfe", "notes", "xqueue")


@pytest.fixture(scope="module")
def acme(new_root: NewRoot, ca_file: Path) -> TutorRoot:
    root = new_root(
        *("aws", *OFFICIAL_PLUGINS),
        **external_services(ca_file),
        MEILISEARCH_MASTER_KEY=MASTER_KEY,
    )
    root.run("config", "save")
    return root


@pytest.fixture(scope="module")
def acme_objects(acme: TutorRoot) -> list[Manifest]:
    return acme.rendered()


def pod(objects: list[Manifest], name: str) -> dict[str, Any]:
    (found,) = (
        each for each in manifests.of_kind(objects, "Deployment") if manifests.name(each) == name
    )
    return manifests.pod_spec(found) or {}


def container(objects: list[Manifest], name: str) -> dict[str, Any]:
    """One of what fills Meilisearch."""
    (found,) = (c for c in pod(objects, "search-indexer")["containers"] if c["name"] == name)
    return dict(found)


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container["env"]}


def commands(container: dict[str, Any]) -> dict[str, str]:
    _python, _program, _prefix, tasks = container["args"]
    return {task["name"]: task["command"] for task in json.loads(tasks)}


def test_its_data_is_on_no_volume_of_one_zone(acme_objects: list[Manifest]) -> None:
    """And it is started elsewhere soon after its node is lost."""
    spec = pod(acme_objects, "meilisearch")
    assert spec["volumes"] == [{"name": "data", "emptyDir": {"sizeLimit": "5Gi"}}]
    assert {each["tolerationSeconds"] for each in spec["tolerations"]} == {30}
    assert list(manifests.of_kind(acme_objects, "PersistentVolumeClaim")) == []


def test_the_claim_can_stay(new_root: NewRoot, ca_file: Path) -> None:
    """As Tutor has it, and nothing is filled anew."""
    services = {**external_services(ca_file), "AWS_MEILISEARCH": {"ephemeral": False}}
    root = new_root("aws", **services)
    root.run("config", "save")
    objects = root.rendered()
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "meilisearch"}}
    assert pod(objects, "meilisearch")["volumes"] == [claim]
    names = {(each["kind"], manifests.name(each)) for each in objects}
    assert ("PersistentVolumeClaim", "meilisearch") in names
    assert ("Deployment", "search-indexer") not in names
    # What is in it has that name already.
    assert platform_settings(root, "cms")["MEILISEARCH_INDEX_PREFIX"] == "tutor_"


def test_only_who_makes_its_key_has_the_master_key(acme: TutorRoot) -> None:
    """Meilisearch itself, what fills it, and Tutor's init task; no file, no ConfigMap."""
    objects = acme.rendered()
    holding = [(each["kind"], manifests.name(each)) for each in objects if MASTER_KEY in str(each)]
    assert holding == [("Deployment", "meilisearch"), ("Deployment", "search-indexer")]
    for service in ("lms", "cms"):
        settings = platform_settings(acme, service)
        assert settings["MEILISEARCH_MASTER_KEY"] == ""
        assert settings["MEILISEARCH_API_KEY"]
    assert "MEILISEARCH_MASTER_KEY" not in environment(container(objects, "notes"))


def test_what_fills_it_has_the_platforms_files_and_role(acme_objects: list[Manifest]) -> None:
    """It runs the platform's commands: databases, courses and transcripts are all to be read."""
    spec = pod(acme_objects, "search-indexer")
    assert spec["serviceAccountName"] == "openedx"
    mounts = {"/openedx/config", "/openedx/edx-platform/cms/envs/tutor/"}
    platform = container(acme_objects, "platform")
    assert {mount["mountPath"] for mount in platform["volumeMounts"]} >= mounts
    assert environment(platform)["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert [each for each in spec["containers"] if "Probe" in str(each)] == []
    config_maps = {
        manifests.name(each): each for each in manifests.of_kind(acme_objects, "ConfigMap")
    }
    volumes = [config_maps[volume["configMap"]["name"]] for volume in spec["volumes"]]
    (program,) = (each["data"][SCRIPT] for each in volumes if SCRIPT in each["data"])
    ast.parse(program)
    for each in spec["containers"]:
        assert "/openedx/aws-ca" in {mount["mountPath"] for mount in each["volumeMounts"]}
        assert each["args"][1] in {f"{m['mountPath']}/{SCRIPT}" for m in each["volumeMounts"]}


def test_what_is_filled_is_what_searches_there(
    acme_objects: list[Manifest], new_root: NewRoot, ca_file: Path
) -> None:
    """Courses only as long as they are not in OpenSearch; forum and notes if they are enabled."""
    assert set(commands(container(acme_objects, "platform"))) == {"studio", "forum"}
    assert set(commands(container(acme_objects, "notes"))) == {"notes"}
    root = new_root("aws", **{**external_services(ca_file), "AWS_OPENSEARCH": {}})
    root.run("config", "save")
    (platform,) = pod(root.rendered(), "search-indexer")["containers"]
    assert set(commands(platform)) == {"studio", "courses"}


def test_with_the_secrets_plugin_there_are_tokens_only(new_root: NewRoot, ca_file: Path) -> None:
    """In what fills it as well; the settings have none of the master key itself."""
    services = {k: v for k, v in external_services(ca_file).items() if "PASSWORD" not in k}
    root = new_root("aws", "autoscale", "secrets", *OFFICIAL_PLUGINS, **services)
    root.run("config", "save")
    variables = environment(container(root.rendered(), "platform"))
    for name in ("MEILISEARCH_API_KEY", "MEILISEARCH_MASTER_KEY"):
        assert keys_in(variables[name]) == {"MEILISEARCH_MASTER_KEY"}
    for service in ("lms", "cms"):
        assert platform_settings(root, service)["MEILISEARCH_MASTER_KEY"] == ""


@pytest.mark.wires("MEILISEARCH_INDEX_PREFIX", "MEILISEARCH_MASTER_KEY", "notes:MEILISEARCH_INDEX")
def test_a_shared_one_outside_the_cluster(new_root: NewRoot, ca_file: Path) -> None:
    """No pod of ours, the instance's prefix, and the master key with the init task alone."""
    url = "https://search.example.test"
    root = new_root(
        *("aws", *OFFICIAL_PLUGINS),
        **external_services(ca_file),
        RUN_MEILISEARCH=False,
        MEILISEARCH_URL=url,
        MEILISEARCH_PUBLIC_URL=url,
        MEILISEARCH_MASTER_KEY=MASTER_KEY,
    )
    assert "nothing can be deployed" not in root.run("config", "save").stdout
    objects = root.rendered()
    assert [manifests.name(each) for each in objects if MASTER_KEY in str(each)] == []
    names = {manifests.name(each) for each in objects}
    assert names.isdisjoint({"meilisearch", "search-indexer"})
    settings = platform_settings(root, "cms")
    assert settings["MEILISEARCH_INDEX_PREFIX"] == "acme_"
    assert plugin_settings(root, "notes")["MEILISEARCH_INDEX"] == "acme_student_notes"
    assert settings["MEILISEARCH_MASTER_KEY"] == ""
    assert settings["MEILISEARCH_URL"] == url


@pytest.mark.parametrize("prefix", ["", "tutor_", "a", "beta_"])
def test_a_prefix_that_others_may_have_is_refused(new_root: NewRoot, prefix: str) -> None:
    """The instance's key would open their indexes."""
    url = "https://search.example.test"
    settings = {"RUN_MEILISEARCH": False, "MEILISEARCH_URL": url}
    root = new_root("aws", **settings, MEILISEARCH_INDEX_PREFIX=prefix)
    saved = root.run("config", "save", check=False)
    assert saved.returncode == 1
    assert f"Error: MEILISEARCH_INDEX_PREFIX: {prefix!r} may be what indexes" in saved.stdout
    root.run("config", "save", "--unset", "MEILISEARCH_INDEX_PREFIX")
