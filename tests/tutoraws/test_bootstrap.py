"""What a bootstrap is to make, and the Job that does."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tutoraws import settings as aws
from tutoraws.bootstrap import needs, objects, progress, running
from tutoraws.bootstrap.policy import policy
from tutorplatform.errors import ConfigError

ADMIN = "rds!cluster-0a1b"
PROGRAM = {"MySQLdb", "boto3", "botocore", "pymongo", "redis"}


def config(name: str = "acme", **settings: Any) -> dict[str, Any]:
    """A full configuration, as far as it matters here."""
    names = {
        f"{application}_MYSQL_{part}": f"{name}{application.lower()}"
        for application in ("OPENEDX", "CREDENTIALS")
        for part in ("DATABASE", "USERNAME")
    }
    passwords = {
        f"{service}_PASSWORD": f"{service.lower()}-secret"
        for service in ("OPENEDX_MYSQL", "CREDENTIALS_MYSQL", "MONGODB", "OPENSEARCH", "REDIS")
    }
    return {
        "K8S_NAMESPACE": name,
        "AWS_REGION": "eu-west-1",
        **{f"RUN_{service}": False for service in ("MYSQL", "MONGODB", "REDIS")},
        **names,
        **passwords,
        "MYSQL_HOST": "db.test",
        "MYSQL_PORT": "3306",
        "REDIS_HOST": "cache.test",
        "REDIS_PORT": "6379",
        "REDIS_USERNAME": name,
        "MONGODB_HOST": "a.test,b.test",
        "MONGODB_PORT": "27017",
        "MONGODB_DATABASE": f"{name}openedx",
        "MONGODB_USERNAME": f"{name}openedx",
        "MONGODB_REPLICA_SET": "rs0",
        "MONGODB_AUTH_SOURCE": "admin",
        "AWS_OPENSEARCH": {"host": "search.test"},
        "OPENSEARCH_USERNAME": f"{name}openedx",
        "AWS_BOOTSTRAP": {
            "mysql_admin": ADMIN,
            "mongodb_admin": "mongo",
            "opensearch_admin": "search",
            "redis_user_group": "openedx",
        },
        **settings,
    }


def job(**bootstrap: Any) -> dict[str, Any]:
    found = aws.read({"AWS_REGION": "eu-west-1", "AWS_BOOTSTRAP": bootstrap})
    files = objects.files({}, {"mysql.pem": "PEM"}, running.program())
    image = objects.image(found, "22.0.3")
    return objects.job(found, "acme", "bootstrap-acme-1", image, files)


def test_each_application_gets_a_database_and_two_users() -> None:
    plan = needs.plan(config())["mysql"]
    assert plan["databases"] == [
        {
            "name": f"acme{application}",
            "users": [f"acme{application}", f"acme{application}_2"],
            "user": f"acme{application}",
            "password": f"{application.upper()}_MYSQL_PASSWORD",
        }
        for application in ("openedx", "credentials")
    ]
    assert plan["admin"] == ADMIN


def test_only_learners_may_be_copied_from_one_database_to_another() -> None:
    assert needs.plan(config())["mysql"]["table_rights"] == [
        {
            "database": "acmecredentials",
            "table": "core_user",
            "rights": ["CREATE", "INSERT", "SELECT"],
            "users": ["acmeopenedx", "acmeopenedx_2"],
        }
    ]


def test_without_the_plugin_nothing_is_made_for_it() -> None:
    found = {key: value for key, value in config().items() if not key.startswith("CREDENTIALS")}
    plan = needs.plan(found)["mysql"]
    assert [each["name"] for each in plan["databases"]] == ["acmeopenedx"]
    assert plan["table_rights"] == []


def test_a_rotated_user_is_its_own_still() -> None:
    found = config(OPENEDX_MYSQL_USERNAME="acmeopenedx_2", MONGODB_USERNAME="acmeopenedx_2")
    before, after = (needs.plan(each)["mysql"]["databases"][0] for each in (config(), found))
    assert after == {**before, "user": "acmeopenedx_2"}
    assert needs.plan(found)["mongodb"]["user"] == "acmeopenedx_2"


@pytest.mark.parametrize(
    ("settings", "services"),
    [
        ({}, {"mysql", "mongodb", "opensearch", "redis"}),
        ({"RUN_MYSQL": True}, {"mongodb", "opensearch", "redis"}),
        ({"RUN_MONGODB": True, "RUN_REDIS": True}, {"mysql", "opensearch"}),
        ({"AWS_OPENSEARCH": {}}, {"mysql", "mongodb", "redis"}),
        ({"AWS_BOOTSTRAP": {"redis_user_group": "g"}}, {"redis"}),
    ],
    ids=["all", "its own MySQL", "its own others", "no OpenSearch", "only Redis"],
)
def test_only_what_is_shared_and_has_an_administrator_is_bootstrapped(
    settings: dict[str, Any], services: set[str]
) -> None:
    assert set(needs.plan(config(**settings))) == services


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("OPENEDX_MYSQL_DATABASE", "betaopenedx"),
        ("OPENEDX_MYSQL_DATABASE", "acme%"),
        ("OPENEDX_MYSQL_DATABASE", "acme_openedx"),
        ("OPENEDX_MYSQL_USERNAME", "betaopenedx"),
        ("OPENEDX_MYSQL_USERNAME", "acmeopenedx_3"),
        ("CREDENTIALS_MYSQL_DATABASE", "acmeopenedx"),
        ("CREDENTIALS_MYSQL_USERNAME", "root"),
        ("MONGODB_DATABASE", "admin"),
        ("MONGODB_USERNAME", "betaopenedx"),
        ("OPENSEARCH_USERNAME", "betaopenedx"),
        ("REDIS_USERNAME", "beta"),
        ("REDIS_USERNAME", ""),
    ],
)
def test_names_of_others_are_refused(setting: str, value: str) -> None:
    """Whoever writes config.yml could get another instance's password changed."""
    with pytest.raises(ConfigError, match=f"{setting}: '{value}' is not a name of this instance"):
        needs.plan(config(**{setting: value}))


@pytest.mark.parametrize("host", ["a.test", "a.test,b.test", "mongodb+srv://cluster.test"])
def test_mongodb_is_where_its_hosts_say(host: str) -> None:
    assert (
        host.rpartition("/")[2].split(",")[0]
        in needs.plan(config(MONGODB_HOST=host))["mongodb"]["hosts"]
    )


@pytest.mark.parametrize(
    "host",
    [
        "mongodb://evil.test/?tlsInsecure=true&authMechanism=PLAIN",
        "mongodb+srv://evil.test/?tlsInsecure=true",
        "mongodb://root:s3cret@a.test",
        "root:s3cret@a.test",
        "a.test/?tls=false",
        "",
    ],
)
def test_an_address_with_options_gets_no_administrators_password(host: str) -> None:
    """They could turn TLS off; and what is before an `@` would land in a ConfigMap."""
    with pytest.raises(ConfigError, match="MONGODB_HOST: is neither a list of hosts") as raised:
        needs.plan(config(MONGODB_HOST=host))
    assert "s3cret" not in str(raised.value)


def test_no_two_instances_get_the_same() -> None:
    """Nor does one get what another's name begins with."""
    names: list[set[str]] = []
    for instance in ("acme", "acme2", "acmeopenedx"):
        plan = json.dumps(needs.plan(config(instance)))
        names.append(set(re.findall(r'"(acme[\w]*)"', plan)))
    assert names[0] & names[1] == names[1] & names[2] == set()
    # The platform's database of one, and the Redis user of the other, which is another service.
    assert names[0] & names[2] == {"acmeopenedx"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"AWS_BOOTSTRAP": {}}, "AWS_BOOTSTRAP: names no administrator"),
        ({"AWS_REGION": ""}, "AWS_REGION: is not set"),
        (
            {"AWS_BOOTSTRAP": {"namespace": "acme", "mysql_admin": ADMIN}},
            "AWS_BOOTSTRAP.namespace: is this instance's own",
        ),
    ],
)
def test_there_is_something_to_do_and_a_place_for_it(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        needs.plan(config(**settings))


def test_each_user_gets_a_password_that_the_plan_only_names() -> None:
    plan = needs.plan(config())
    assert "secret-" not in json.dumps(plan)
    assert needs.passwords(config(), plan) == {
        "CREDENTIALS_MYSQL_PASSWORD": "credentials_mysql-secret",
        "MONGODB_PASSWORD": "mongodb-secret",
        "OPENEDX_MYSQL_PASSWORD": "openedx_mysql-secret",
        "OPENSEARCH_PASSWORD": "opensearch-secret",
        "REDIS_PASSWORD": "redis-secret",
    }


def test_nobody_is_made_without_a_password() -> None:
    found = config(MONGODB_PASSWORD="")
    with pytest.raises(ConfigError, match="MONGODB_PASSWORD: has no value"):
        needs.passwords(found, needs.plan(found))


def test_the_plan_is_said_in_words() -> None:
    said = [" ".join(row) for row in needs.sentences(needs.plan(config()))]
    assert said[0].startswith(f"MySQL db.test {ADMIN} database acmeopenedx; users acmeopenedx, ")
    assert "MongoDB a.test:27017,b.test:27017 mongo user acmeopenedx" in said[3]
    assert "ElastiCache the Job's role user acme in group openedx: on resetkeys ~acme:*" in said[4]
    assert said[5] == (
        "OpenSearch search.test search role acmeopenedx for acmeopenedx, with indexes acme_* alone"
    )


def test_opensearch_may_know_the_instance_by_its_role() -> None:
    search = {"host": "search.test", "auth": "role"}
    with pytest.raises(ConfigError, match="AWS_ROLE_ARN: has no value, and OpenSearch"):
        needs.plan(config(AWS_OPENSEARCH=search))
    arn = "arn:aws:iam::123456789012:role/acme"
    plan = needs.plan(config(AWS_OPENSEARCH=search, AWS_ROLE_ARN=arn))["opensearch"]
    assert plan["mapping"] == {"users": [], "backend_roles": [arn]}
    assert "password" not in plan


def test_the_job_has_no_more_rights_than_it_needs() -> None:
    """As the Pod Security Standard `restricted` wants it, and a little more."""
    pod = job()["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {mount["readOnly"] for mount in container["volumeMounts"]} == {True}


def test_the_job_ends_and_goes_by_itself() -> None:
    spec = job()["spec"]
    assert spec["backoffLimit"] == 0
    assert 0 < spec["activeDeadlineSeconds"] <= 1800
    assert 0 < spec["ttlSecondsAfterFinished"] <= 3600


def test_the_image_is_not_the_instances_own() -> None:
    """Even where that one is another."""
    [container] = job()["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "docker.io/overhangio/openedx:22.0.3"
    [chosen] = job(image="registry.test/tools:1")["spec"]["template"]["spec"]["containers"]
    assert chosen["image"] == "registry.test/tools:1"


def test_the_image_comes_through_the_cache() -> None:
    registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    ecr = {"registry": registry, "pull_through": {"docker.io": "hub"}}
    found = objects.image(aws.read({"AWS_ECR": ecr}), "22.0.3")
    assert found == f"{registry}/hub/overhangio/openedx:22.0.3"


def test_what_the_job_reads_goes_with_it() -> None:
    made = job()
    made["metadata"]["uid"] = "1-2-3"
    secret = objects.owned(objects.secret(made, {"A": "value"}), made)
    assert secret["metadata"]["ownerReferences"] == [
        {"apiVersion": "batch/v1", "kind": "Job", "name": "bootstrap-acme-1", "uid": "1-2-3"}
    ]
    assert json.loads(secret["stringData"]["passwords.json"]) == {"A": "value"}


def test_every_file_of_the_job_is_in_its_configmap() -> None:
    files = objects.files({}, {"mysql.pem": "PEM"}, running.program())
    data = objects.config_map(job(), files)["data"]
    items = job()["spec"]["template"]["spec"]["volumes"][0]["configMap"]["items"]
    assert {item["path"]: data[item["key"]] for item in items} == files
    assert len(data) == len(files)
    assert all(re.fullmatch(r"[-._a-zA-Z0-9]+", key) for key in data)


def test_the_program_needs_nothing_but_what_is_in_its_image() -> None:
    """Python, the clients of the services, and itself."""
    used = {
        name
        for text in running.program().values()
        for node in ast.walk(ast.parse(text))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    ours = {name for name in used if name.startswith("tutor")}
    assert {name for name in ours if not name.startswith(objects.PROGRAM)} == set()
    assert {name.split(".")[0] for name in used - ours} <= sys.stdlib_module_names | PROGRAM


@pytest.mark.parametrize(
    ("status", "end"),
    [
        ({}, None),
        ({"active": 1}, None),
        ({"conditions": [{"type": "Suspended", "status": "True"}]}, None),
        ({"conditions": [{"type": "Complete", "status": "True"}]}, ("Complete", "")),
        (
            {"conditions": [{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]},
            ("Failed", "DeadlineExceeded"),
        ),
    ],
    ids=["new", "active", "other", "complete", "failed"],
)
def test_the_end_of_a_job(status: dict[str, Any], end: tuple[str, str] | None) -> None:
    assert progress.end({"status": status}) == end


@pytest.mark.parametrize(
    ("pods", "state"),
    [
        ([], "waits for its pod"),
        ([{"status": {"phase": "Running"}}], "running"),
        (
            [
                {
                    "status": {
                        "phase": "Pending",
                        "conditions": [
                            {"type": "PodScheduled", "status": "False", "message": "no nodes"}
                        ],
                    }
                }
            ],
            "waits for a node: no nodes",
        ),
        (
            [
                {
                    "status": {
                        "containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull"}}}]
                    }
                }
            ],
            "waits: ErrImagePull",
        ),
    ],
    ids=["no pod", "running", "no node", "no image"],
)
def test_what_a_job_waits_for_is_said(pods: list[dict[str, Any]], state: str) -> None:
    assert progress.state(pods) == state


def test_the_role_reads_the_administrators_secrets_and_makes_redis_users() -> None:
    bootstrap = config()["AWS_BOOTSTRAP"]
    found = policy(aws.read({"AWS_REGION": "eu-west-1", "AWS_BOOTSTRAP": bootstrap}), "1234")
    secrets, users = found["Statement"]
    arn = "arn:aws:secretsmanager:eu-west-1:1234:secret"
    names = (ADMIN, "mongo", "search")
    assert secrets["Resource"] == [f"{arn}:{name}-??????" for name in names]
    assert secrets["Action"] == ["secretsmanager:GetSecretValue"]
    assert users["Resource"] == [
        "arn:aws:elasticache:eu-west-1:1234:user:*",
        "arn:aws:elasticache:eu-west-1:1234:usergroup:openedx",
    ]
    assert not any("*" in action for each in found["Statement"] for action in each["Action"])


def test_a_role_without_anything_to_do_may_do_nothing() -> None:
    assert policy(aws.read({}), "*")["Statement"] == []


def test_manifests_are_plain_data() -> None:
    assert yaml.safe_load(yaml.safe_dump(job())) == job()
    assert Path(objects.FOLDER).is_absolute()
