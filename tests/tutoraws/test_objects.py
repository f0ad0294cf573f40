"""The Kubernetes objects that follow from the settings."""

from tutoraws import objects
from tutoraws.settings import Settings

ROLE = "arn:aws:iam::123456789012:role/acme"


def test_a_role_is_an_annotation_of_the_service_account() -> None:
    """This is how IRSA finds the role."""
    metadata = objects.service_account("openedx", ROLE)["metadata"]
    assert metadata["annotations"] == {"eks.amazonaws.com/role-arn": ROLE}


def test_without_a_role_there_is_no_annotation() -> None:
    """EKS Pod Identity goes by the service account's name alone."""
    assert "annotations" not in objects.service_account("openedx")["metadata"]


def test_pods_get_no_token_for_the_kubernetes_api() -> None:
    """The platform never talks to Kubernetes."""
    assert objects.service_account("openedx")["automountServiceAccountToken"] is False


def test_every_workload_of_the_platform_gets_the_service_account() -> None:
    """Web servers, workers and jobs alike, and nothing else where there is nothing to add."""
    patches = objects.overrides(Settings(), ca_files=[], plugins=["notes"])
    specs = {p["metadata"]["name"]: p["spec"]["template"]["spec"] for p in patches}
    assert set(specs) == {"lms", "cms", "lms-worker", "cms-worker", "lms-job", "cms-job"}
    assert specs["lms-job"] == {"serviceAccountName": "openedx", "containers": [{"name": "lms"}]}


def test_region_and_ca_files_reach_the_containers() -> None:
    """boto3 wants a region; the databases' clients want the files."""
    patches = objects.overrides(Settings(region="eu-west-1"), ca_files=["mongodb.pem"], plugins=[])
    for patch in patches:
        spec = patch["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        (mount,) = container["volumeMounts"]
        (volume,) = spec["volumes"]
        assert container["env"] == [{"name": "AWS_DEFAULT_REGION", "value": "eu-west-1"}]
        assert mount == {"name": volume["name"], "mountPath": "/openedx/aws-ca"}


def test_whatever_connects_to_mysql_has_its_ca() -> None:
    """Plugins and their jobs too, each container of them; they are nobody for AWS."""
    patches = objects.overrides(Settings(), ["mysql.pem"], plugins=["notes", "xqueue"])
    specs = {p["metadata"]["name"]: p["spec"]["template"]["spec"] for p in patches}
    assert {"lms", "cms-job", "notes", "notes-job", "xqueue", "xqueue-job", "mysql-job"} < set(
        specs
    )
    for name, spec in specs.items():
        assert spec["volumes"] == [{"name": "aws-ca", "configMap": {"name": "aws-ca"}}]
        for container in spec["containers"]:
            assert {"name": "aws-ca", "mountPath": "/openedx/aws-ca"} in container["volumeMounts"]
        assert ("serviceAccountName" in spec) is (name.split("-")[0] in ("lms", "cms"))
    assert [each["name"] for each in specs["xqueue"]["containers"]] == ["xqueue", "xqueue-consumer"]


def test_mysqls_client_verifies_the_server() -> None:
    """Tutor's scripts give it no such option, so it is in a file where the client looks."""
    (generator,) = objects.config_map_generators({"mysql.pem": "…"})
    (job,) = [
        patch
        for patch in objects.overrides(Settings(), ["mysql.pem"], plugins=[])
        if patch["metadata"]["name"] == "mysql-job"
    ]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    mount = container["volumeMounts"][-1]
    assert mount["mountPath"] == "/etc/mysql/conf.d/aws.cnf"
    (options,) = [
        text
        for name, _, text in (each.partition("=") for each in generator["literals"])
        if name == mount["subPath"]
    ]
    assert options.splitlines() == [
        "[client]",
        "ssl-ca=/openedx/aws-ca/mysql.pem",
        "ssl-mode=VERIFY_IDENTITY",
    ]


def test_no_ca_file_no_config_map() -> None:
    """An empty ConfigMap would be noise."""
    assert objects.config_map_generators({}) == []
