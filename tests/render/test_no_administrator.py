"""An instance on a shared MySQL server knows no administrator of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from demo import scan
from demo.tutor import TutorRoot
from tests.conftest import NewRoot
from tests.render.aws_services import CERTIFICATE, external_services
from tests.render.jobs import scripts

pytestmark = pytest.mark.render

OFFICIAL = ("credentials", "discovery", "forum", "mfe", "notes", "xqueue")
APPLICATIONS = ("mysql", "credentials", "discovery", "notes", "xqueue")
ROOT = {"MYSQL_ROOT_USERNAME": "root-of-the-server", "MYSQL_ROOT_PASSWORD": "password-of-root"}


def rendered(new_root: NewRoot, folder: Path, *plugins: str, **settings: Any) -> TutorRoot:
    ca_file = folder / "ca.pem"
    ca_file.write_text(CERTIFICATE)
    root = new_root(*OFFICIAL, *plugins, **{**external_services(ca_file), **settings})
    root.run("config", "save")
    return root


@pytest.fixture(scope="module")
def acme(new_root: NewRoot, tmp_path_factory: pytest.TempPathFactory) -> TutorRoot:
    """An instance whose config.yml has an administrator, for whatever reason."""
    return rendered(new_root, tmp_path_factory.mktemp("ca"), "autoscale", "aws", **ROOT)


def test_neither_its_files_nor_its_jobs_have_the_administrator(acme: TutorRoot) -> None:
    files = dict(scan.files_below(acme.path / "env"))
    assert files
    assert scan.leaks(files, ROOT) == {}
    found = scripts(acme)
    assert [service for service, _ in found].count("mysql") == 6
    assert [script for _, script in found if any(value in script for value in ROOT.values())] == []


def test_with_the_secrets_plugin_no_token_of_it_is_left_either(
    new_root: NewRoot, tmp_path: Path
) -> None:
    """All nine plugins. Nothing would ask the store for that password."""
    secrets = dict.fromkeys(("REDIS_PASSWORD", "MONGODB_PASSWORD", "OPENSEARCH_PASSWORD"), "")
    root = rendered(new_root, tmp_path, "autoscale", "aws", "secrets", **secrets)
    texts = [text for _, text in scan.files_below(root.path / "env")]
    texts += [script for _, script in scripts(root)]
    assert any("OPENEDX_MYSQL_PASSWORD" in text for text in texts)
    assert [text for text in texts if "MYSQL_ROOT_PASSWORD" in text] == []


@pytest.mark.parametrize("application", APPLICATIONS)
def test_each_init_task_checks_the_applications_own_database(
    application: str, acme: TutorRoot
) -> None:
    """Also when only that one is initialised."""
    name = "acmeopenedx" if application == "mysql" else f"acme{application}"
    [first, *others] = [
        script for service, script in scripts(acme, application) if service == "mysql"
    ]
    assert f'--user="{name}"' in first
    assert f'database="{name}"' in first
    assert "tutor aws instance bootstrap" in first
    assert len(others) == (1 if application == "credentials" else 0)


def test_a_server_of_tutors_own_keeps_its_administrator(new_root: NewRoot, tmp_path: Path) -> None:
    root = rendered(new_root, tmp_path, "aws", RUN_MYSQL=True, **ROOT)
    mysql = [script for service, script in scripts(root) if service == "mysql"]
    assert len(mysql) == 6
    assert all(ROOT["MYSQL_ROOT_PASSWORD"] in script for script in mysql)


def test_the_policy_of_the_job_is_printed(acme: TutorRoot) -> None:
    """For what `AWS_BOOTSTRAP` names."""
    setting = "AWS_BOOTSTRAP={mysql_admin: rds!cluster-1, redis_user_group: openedx}"
    acme.run("config", "save", "--set", setting)
    text = acme.run("aws", "instance", "policy", "--account=123456789012").stdout
    found = json.loads(text[text.index("{") :])
    assert [each["Sid"] for each in found["Statement"]] == ["Secrets", "Users"]
