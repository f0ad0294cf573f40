"""Files of two instances on S3: the libraries inside the images, with what Tutor rendered.

The S3 is an emulator, which checks the signatures of links and knows credentials of a role.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from localservices.aws import AwsEmulator
from tutoraws.buckets import PUBLIC_KEYS, cors, role_policy
from tutoraws.clients import WITH_FILES
from tutoraws.settings import S3, Settings
from tutorplatform.manifests import Manifest

from demo.tutor import TutorRoot
from tests.localservices.recorder import Recorder, Request, recording

pytestmark = pytest.mark.services

NewRoot = Callable[..., TutorRoot]

REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/acme"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Pod:
    """What a pod of Tutor's runs with."""

    root: TutorRoot
    environment: dict[str, str]

    def run(self, service: str, command: str, **environment: str) -> Any:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.localservices.storages",
                self.root.path,
                service,
                command,
            ],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def buckets(instance: str) -> dict[str, str]:
    kinds = ("private", "public", "identity")
    return {f"{kind}_bucket": f"{instance}-{kind}" for kind in kinds}


def new_pod(new_root: NewRoot, folder: Path, name: str, region: str = REGION) -> Pod:
    """With the variables and the file that the rendered manifests give to the LMS."""
    root = new_root(
        *("aws", "mfe", "credentials", "discovery"),
        K8S_NAMESPACE=name,
        LMS_HOST=f"learn.{name}.test",
        AWS_REGION=region,
        AWS_ROLE_ARN=ROLE,
        AWS_S3={**buckets(name), "public_host": f"cdn.{name}.test"},
    )
    root.run("config", "save")
    manifests = root.rendered()
    container = named(manifests, "Deployment", "lms")["spec"]["template"]["spec"]["containers"][0]
    variables = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    file = folder / name / region
    file.parent.mkdir(exist_ok=True)
    file.write_text(named(manifests, "ConfigMap", "aws-client")["data"]["config"])
    environment = {key: value for key, value in variables.items() if key.startswith("AWS_")}
    return Pod(root, {**environment, "AWS_CONFIG_FILE": str(file)})


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    """The one of this name, to which kustomize may have added a hash."""
    [found] = [
        each
        for each in manifests
        if each["kind"] == kind
        and each["metadata"]["name"].startswith(name)
        and "worker" not in each["metadata"]["name"]
    ]
    return found


@pytest.fixture(scope="module")
def recorder(aws: AwsEmulator) -> Iterator[Recorder]:
    with recording(aws.environment["AWS_ENDPOINT_URL"]) as running:
        yield running


@pytest.fixture(scope="module")
def administrator(aws: AwsEmulator) -> Any:
    # The emulator takes such a key for that account's, which is the role's.
    keys = {"aws_access_key_id": "123456789012", "aws_secret_access_key": "admin"}
    endpoint = aws.environment["AWS_ENDPOINT_URL"]
    return boto3.client("s3", endpoint_url=endpoint, region_name=REGION, **keys)


@pytest.fixture(scope="module")
def pods(
    recorder: Recorder,
    administrator: Any,
    new_root: NewRoot,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Pod]:
    """Instance → its LMS pod, with a token of its service account where EKS would put it."""
    folder = tmp_path_factory.mktemp("pods")
    token = folder / "token"
    token.write_text("a token of the cluster's")
    made = {}
    for name in ("acme", "beta"):
        for bucket in buckets(name).values():
            place = {"LocationConstraint": REGION}
            administrator.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        pod = new_pod(new_root, folder, name)
        identity = {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": str(token)}
        endpoint = {"AWS_ENDPOINT_URL": recorder.url}
        made[name] = Pod(pod.root, {**pod.environment, **identity, **endpoint})
    return made


@pytest.fixture(scope="module")
def lms(pods: dict[str, Pod]) -> Any:
    return pods["acme"].run("lms", "use")


@pytest.fixture(scope="module")
def cms(pods: dict[str, Pod]) -> Any:
    return pods["acme"].run("cms", "use")


def keys_in(administrator: Any, bucket: str) -> set[str]:
    listed = administrator.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {each["Key"] for each in listed}


@pytest.mark.wires(
    *("STORAGES", "AWS_STORAGE_BUCKET_NAME", "AWS_QUERYSTRING_AUTH", "AWS_QUERYSTRING_EXPIRE"),
    *("USER_TASKS_ARTIFACT_STORAGE", "GRADES_DOWNLOAD", "FINANCIAL_REPORTS", "OPENEDX_LEARNING"),
    "EDX_SUBMISSIONS",
)
@pytest.mark.parametrize("service", ["lms", "cms"])
def test_every_storage_gives_back_what_was_written(
    service: str, request: pytest.FixtureRequest
) -> None:
    """By the role, and by a link where a file is not for everybody."""
    storages = request.getfixturevalue(service)["storages"]
    assert len(storages) == 13
    for name, used in storages.items():
        is_public = name in ("profile_image", "video_image")
        assert used["content"] == "first", name
        assert (used["listed"], used["absent"]) == (True, False), name
        assert used["linked"] == (None if is_public else "first"), name


def test_each_file_is_in_its_bucket(lms: Any, cms: Any, administrator: Any) -> None:
    """Nothing private is where everybody may read, and nothing else where photos of people are."""
    for service in (lms, cms):
        where = {name: used["bucket"] for name, used in service["storages"].items()}
        assert {name for name, bucket in where.items() if bucket != "acme-private"} == {
            *("profile_image", "video_image", "verify_student")
        }
    folders = {key.partition("/")[0] for key in keys_in(administrator, "acme-public")}
    assert folders == {"profile-images", "video-images"}
    assert folders <= {key.partition("/")[0] for key in PUBLIC_KEYS}
    [photo] = keys_in(administrator, "acme-identity")
    assert photo.startswith("identity/")


@pytest.mark.wires("AWS_S3_CUSTOM_DOMAIN")
def test_public_pictures_have_addresses_that_last(lms: Any) -> None:
    """On the host that serves them, without a signature."""
    for name, folder in (
        ("profile_image", "profile-images/media"),
        ("video_image", "video-images"),
    ):
        link = lms["storages"][name]["link"]
        assert link == f"https://cdn.acme.test/{folder}/{name}.txt"


def test_studio_and_lms_and_their_workers_share_what_they_write(lms: Any, cms: Any) -> None:
    """A file of the web server's is found by the worker that works on it."""
    for used, other in zip(cms["storages"].values(), lms["storages"].values(), strict=True):
        assert used["bucket"] == other["bucket"]
        assert Path(used["key"]).parent == Path(other["key"]).parent


@pytest.mark.wires("AWS_S3_FILE_OVERWRITE")
def test_what_has_a_name_of_its_own_is_written_over(lms: Any) -> None:
    """Anything else gets another name, so that nobody's upload replaces somebody else's."""
    again = {name for name, used in lms["storages"].items() if used["again"]}
    assert again == {"course_metadata_export", "profile_image", "verify_student"}


@pytest.mark.wires(
    *("ORA2_FILEUPLOAD_BACKEND", "FILE_UPLOAD_STORAGE_BUCKET_NAME", "FILE_UPLOAD_STORAGE_PREFIX")
)
def test_a_browser_sends_an_ora2_file_to_s3_itself(lms: Any, administrator: Any) -> None:
    """Of the type that it was promised for, and of no other."""
    assert lms["ora2"] == {
        "answers": [200, 403],
        "content": "from a browser",
        "absent": "",
        "removed": True,
    }


def test_the_rules_for_pages_are_accepted(pods: dict[str, Pod], administrator: Any) -> None:
    config = {"ENABLE_HTTPS": True, "LMS_HOST": "learn.acme.test", "CMS_HOST": "studio.acme.test"}
    administrator.put_bucket_cors(Bucket="acme-private", CORSConfiguration=cors(config))
    [rule] = administrator.get_bucket_cors(Bucket="acme-private")["CORSRules"]
    assert rule["AllowedOrigins"] == ["https://learn.acme.test", "https://studio.acme.test"]


@pytest.mark.wires("DJFS")
def test_blocks_file_systems(lms: Any) -> None:
    assert lms["djfs"] == {"content": "a note", "linked": "a note"}


@pytest.mark.wires("XBLOCK_SETTINGS")
def test_scorm_is_on_the_lms_own_origin(lms: Any) -> None:
    """Its player's script asks the page around it, which another origin could not."""
    scorm = lms["scorm"]
    assert urlsplit(scorm["address"]).hostname == "learn.acme.test"
    assert scorm["address"].endswith("/assets_proxy/index.html")
    assert scorm["files"] == {
        "index.html": "<script src='js/driver.js'></script>",
        "js/driver.js": "lesson_status",
    }
    assert (scorm["outside"], scorm["one client"]) == (400, True)


@pytest.mark.wires("VIDEO_UPLOAD_PIPELINE")
def test_video_uploads_need_what_studios_page_does_not_send(cms: Any) -> None:
    """The link is right, but Studio signs headers that its page leaves out; see the reference."""
    assert cms["video upload"] == {"with metadata": 200, "as Studio's page sends it": 403}


@pytest.mark.wires(
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_S3_REGION_NAME", "AWS_DEFAULT_ACL"),
    *("AWS_S3_SIGNATURE_VERSION", "AWS_BUCKET_ACL"),
)
def test_requests_are_the_roles_own(lms: Any, cms: Any, recorder: Recorder) -> None:
    """Signed with Version 4 for the region, with the role's credentials, without any ACL."""
    asked = [each for each in recorder.requests if each.bucket.startswith("acme-")]
    assert len(asked) > 100
    for request in asked:
        assert request.signature.startswith("AWS4-HMAC-SHA256 "), request
        assert f"/{REGION}/s3/aws4_request" in request.signature
        token = request.headers.get("x-amz-security-token") or request.query["X-Amz-Security-Token"]
        assert token
        assert "x-amz-acl" not in {*request.headers, *request.query}
    assert not any("acl" in each.query for each in asked)


def test_two_instances_do_not_meet(pods: dict[str, Pod], recorder: Recorder) -> None:
    """Whatever one of them writes or asks for is its own."""
    before = len(recorder.requests)
    pods["beta"].run("lms", "use")
    asked = {each.bucket for each in recorder.requests[before:] if each.bucket}
    assert asked == set(buckets("beta").values())


PICTURES = (
    *("STORAGES", "AWS_LOCATION", "AWS_STORAGE_BUCKET_NAME", "AWS_S3_CUSTOM_DOMAIN"),
    *("AWS_QUERYSTRING_AUTH", "AWS_S3_FILE_OVERWRITE", "AWS_ACCESS_KEY_ID"),
    *("AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_ACL", "AWS_BUCKET_ACL", "AWS_S3_REGION_NAME"),
    *("AWS_S3_ADDRESSING_STYLE", "AWS_S3_SIGNATURE_VERSION"),
)


@pytest.mark.wires(*(f"{plugin}:{name}" for plugin in WITH_FILES for name in PICTURES))
@pytest.mark.parametrize("plugin", WITH_FILES)
def test_pictures_of_plugins_are_public(
    plugin: str, pods: dict[str, Pod], recorder: Recorder
) -> None:
    before = len(recorder.requests)
    used = pods["acme"].run(plugin, "use")["storages"]["default"]
    assert (used["bucket"], used["key"]) == ("acme-public", f"{plugin}/media/default.txt")
    assert used["content"] == "first"
    assert used["link"] == f"https://cdn.acme.test/{plugin}/media/default.txt"
    asked = [each for each in recorder.requests[before:] if each.bucket]
    assert all("AWS4-HMAC-SHA256" in each.signature for each in asked)
    assert not any("x-amz-acl" in each.headers for each in asked)


def some_credentials(folder: Path) -> str:
    """Of a role, as a file: from the environment Django's storage would take the token alone."""
    file = folder / "credentials"
    lines = ["aws_access_key_id = a", "aws_secret_access_key = b", "aws_session_token = c"]
    file.write_text("\n".join(["[default]", *lines]))
    return str(file)


@pytest.mark.wires("AWS_S3_ADDRESSING_STYLE")
@pytest.mark.parametrize(
    ("region", "host"),
    [
        # boto3 alone would sign these with Version 2,
        (REGION, "s3.eu-west-1.amazonaws.com"),
        ("us-east-1", "s3.amazonaws.com"),
        # and send these to a host that does not know the region.
        ("eu-south-1", "s3.eu-south-1.amazonaws.com"),
        ("cn-north-1", "s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_links_are_of_the_region(region: str, host: str, new_root: NewRoot, tmp_path: Path) -> None:
    """All of them: of Django's storage, of ORA2, of blocks and of Studio's video uploads."""
    pod = new_pod(new_root, tmp_path, "acme", region)
    made = pod.run("cms", "links", AWS_SHARED_CREDENTIALS_FILE=some_credentials(tmp_path))
    assert len(made) == 4
    for link in made:
        assert urlsplit(link).hostname == f"acme-private.{host}"
        assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link
        assert f"%2F{region}%2Fs3%2Faws4_request" in link


def test_without_the_clients_file_links_are_not_of_the_region(
    pods: dict[str, Pod], tmp_path: Path
) -> None:
    """Once they are, the file is not needed any more."""
    environment = {"AWS_DEFAULT_REGION": REGION, "AWS_CONFIG_FILE": str(tmp_path / "none")}
    pod = Pod(pods["acme"].root, environment)
    made = pod.run("cms", "links", AWS_SHARED_CREDENTIALS_FILE=some_credentials(tmp_path))
    hosts = [urlsplit(link).hostname for link in made]
    assert hosts.count("acme-private.s3.amazonaws.com") == 3
    assert len([link for link in made if "AWSAccessKeyId=" in link]) == 2


def test_the_roles_policy_is_enough_and_not_more(lms: Any, cms: Any, recorder: Recorder) -> None:
    """What was asked for is what the policy allows; parts of large files were not among it."""
    asked = {action(each) for each in recorder.requests if each.bucket.startswith("acme-")}
    statements = role_policy(Settings(s3=S3(private_bucket="acme-private")))["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    assert asked == allowed - {"s3:AbortMultipartUpload"}


def action(request: Request) -> str:
    """The action that S3 asks IAM for."""
    if request.path.strip("/") == request.bucket:
        assert (request.method, request.query.get("list-type", "")) in LISTS, request
        return "s3:ListBucket"
    names = {"HEAD": "GetObject", "POST": "PutObject"}
    return f"s3:{names.get(request.method, f'{request.method.capitalize()}Object')}"


# With either version of the call.
LISTS = (("GET", "2"), ("GET", ""))
