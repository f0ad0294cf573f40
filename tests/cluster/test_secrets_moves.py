"""Moving an instance in and out: `tutor secrets migrate`, `restore`, `policy`, `manifests`."""

from __future__ import annotations

import json

import pytest
from localcluster.cluster import LocalCluster

from demo import scan
from demo.tutor import TutorRoot
from demo.view import View
from tests.cluster.keeper import HOSTILE, api, objects, refused, stored, wait_until_rolled_out
from tests.conftest import NewRoot

pytestmark = [pytest.mark.cluster, pytest.mark.proof]


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
