"""The program that uploads static files, as a pod runs it: with a role, to a real S3 API."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import boto3
import pytest
from localcluster.model import LOOPBACK
from localservices.aws import AwsEmulator
from localservices.serving import QuietHandler, serving
from tutoraws.scripts import upload_static
from tutoraws.statics import script

pytestmark = pytest.mark.services

HASHED = "css/lms-main.0123456789ab.css"
FILES = {
    "css/lms-main.css": "a{}",
    HASHED: "a{color:red}",
    "studio/bundles/commons.0123456789abcdef0123.js": "1",
    "studio/bundles/commons.0123456789abcdef0123.js.map": "{}",
    "fonts/sans.woff2": "font",
    "images/logo.svg": "<svg/>",
    "codec.wasm": "\0asm",
    "staticfiles.json": "{}",
    "LICENSE": "text",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Static files as the image has them: where two were the same, one is a link."""
    for name, text in FILES.items():
        path = tmp_path / "staticfiles" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    link = tmp_path / "staticfiles" / "studio" / "logo.svg"
    link.symlink_to(tmp_path / "staticfiles" / "images" / "logo.svg")
    return tmp_path / "staticfiles"


@pytest.fixture
def s3(aws: AwsEmulator) -> Any:
    environment = aws.environment
    return boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=aws.region,
        aws_access_key_id="emulator",
        aws_secret_access_key="emulator",
    )


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"assets-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return name


def pod(endpoint: str, folder: Path) -> dict[str, str]:
    """What the program finds in a pod with a role, and no keys."""
    token = folder.parent / "token"
    token.write_text("of the service account")
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/acme",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
        "AWS_MAX_ATTEMPTS": "2",
    }


def upload(folder: Path, bucket: str, endpoint: str) -> subprocess.CompletedProcess[str]:
    """Runs it from its standard input, as the init task does."""
    return subprocess.run(
        [sys.executable, "-", folder, bucket],
        input=Path(upload_static.__file__).read_text(),
        env=pod(endpoint, folder),
        capture_output=True,
        text=True,
        check=False,
    )


def keys(s3: Any, bucket: str) -> set[str]:
    return {item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])}


def test_all_files_are_where_browsers_ask_for_them(
    s3: Any, bucket: str, folder: Path, aws_endpoint: str
) -> None:
    """LMS' and Studio's, and what a link leads to."""
    result = upload(folder, bucket, aws_endpoint)
    assert (result.returncode, result.stderr) == (0, "")
    assert keys(s3, bucket) == {f"static/{name}" for name in (*FILES, "studio/logo.svg")}
    linked = s3.get_object(Bucket=bucket, Key="static/studio/logo.svg")
    assert linked["Body"].read() == b"<svg/>"
    assert "done: 10 uploaded, 0 were there" in result.stdout


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("css/lms-main.css", "text/css; charset=utf-8"),
        ("studio/bundles/commons.0123456789abcdef0123.js", "text/javascript; charset=utf-8"),
        ("studio/bundles/commons.0123456789abcdef0123.js.map", "application/json; charset=utf-8"),
        ("fonts/sans.woff2", "font/woff2"),
        ("images/logo.svg", "image/svg+xml; charset=utf-8"),
        ("codec.wasm", "application/wasm"),
        ("staticfiles.json", "application/json; charset=utf-8"),
        ("LICENSE", "application/octet-stream"),
    ],
)
def test_browsers_are_told_what_a_file_is(
    s3: Any, bucket: str, folder: Path, aws_endpoint: str, name: str, content_type: str
) -> None:
    """A module or font of the wrong type would not be used."""
    upload(folder, bucket, aws_endpoint)
    assert s3.head_object(Bucket=bucket, Key=f"static/{name}")["ContentType"] == content_type


def test_only_names_that_change_with_the_content_are_kept_forever(
    s3: Any, bucket: str, folder: Path, aws_endpoint: str
) -> None:
    upload(folder, bucket, aws_endpoint)
    caching = {
        key: s3.head_object(Bucket=bucket, Key=key)["CacheControl"] for key in keys(s3, bucket)
    }
    forever = {key for key, value in caching.items() if "immutable" in value}
    assert forever == {f"static/{name}" for name in FILES if "0123456789ab" in name}
    assert {value for key, value in caching.items() if key not in forever} == {
        "public, max-age=300"
    }


def test_a_second_run_uploads_nothing(
    s3: Any, bucket: str, folder: Path, aws_endpoint: str
) -> None:
    upload(folder, bucket, aws_endpoint)
    before = {i["Key"]: i["LastModified"] for i in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    again = upload(folder, bucket, aws_endpoint)
    assert "done: 0 uploaded, 10 were there" in again.stdout
    after = {i["Key"]: i["LastModified"] for i in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert after == before


def test_an_interrupted_run_is_gone_on_with(
    s3: Any, bucket: str, folder: Path, aws_endpoint: str
) -> None:
    """And one that was killed in the middle of a file has left none of it."""
    upload(folder, bucket, aws_endpoint)
    for name in list(FILES)[:3]:
        s3.delete_object(Bucket=bucket, Key=f"static/{name}")
    assert "done: 3 uploaded, 7 were there" in upload(folder, bucket, aws_endpoint).stdout


def test_another_release_replaces_what_changed_and_keeps_the_rest(
    s3: Any, bucket: str, folder: Path, aws_endpoint: str
) -> None:
    """Pages that are open name the files of the release before."""
    upload(folder, bucket, aws_endpoint)
    (folder / HASHED).unlink()
    (folder / "css/lms-main.fedcba987654.css").write_text("a{color:blue}")
    # As long as before: the size alone would not show it.
    (folder / "css/lms-main.css").write_text("b{}")
    assert "done: 2 uploaded, 8 were there" in upload(folder, bucket, aws_endpoint).stdout
    assert {f"static/{HASHED}", "static/css/lms-main.fedcba987654.css"} < keys(s3, bucket)
    changed = s3.get_object(Bucket=bucket, Key="static/css/lms-main.css")
    assert changed["Body"].read() == b"b{}"


def test_more_files_than_one_listing_has(
    s3: Any, bucket: str, folder: Path, aws_endpoint: str
) -> None:
    """S3 lists a thousand at a time."""
    for number in range(1100):
        (folder / f"{number}.0123456789ab.txt").write_text(str(number))
    assert "done: 1110 uploaded, 0 were there" in upload(folder, bucket, aws_endpoint).stdout
    assert "done: 0 uploaded, 1110 were there" in upload(folder, bucket, aws_endpoint).stdout


def test_a_bucket_that_is_not_there(folder: Path, aws_endpoint: str) -> None:
    """Said in one line, with what to do."""
    result = upload(folder, "absent", aws_endpoint)
    assert result.returncode == 1
    assert result.stderr == (
        "Error: s3://absent/static/: ListObjectsV2: NoSuchBucket; create the bucket, or correct "
        "AWS_CDN.assets_bucket\n"
    )


def test_a_folder_without_files(s3: Any, bucket: str, tmp_path: Path, aws_endpoint: str) -> None:
    """An image without static files would leave the site without any, later."""
    result = upload(tmp_path / "absent", bucket, aws_endpoint)
    assert result.returncode == 1
    assert "run it in the image of the LMS" in result.stderr
    assert "Traceback" not in result.stderr


DENIED = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
EMPTY = b"<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>"
STS = b"""<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
<AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey><SessionToken>c</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>"""


@contextmanager
def s3_that_is_read_only(puts: list[str]) -> Iterator[str]:
    """An S3 that lists nothing and takes nothing; `puts` are the tries."""

    class Handler(QuietHandler, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200, EMPTY)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(200, STS)

        def do_PUT(self) -> None:
            puts.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(403, DENIED)

    with serving(Handler) as port:
        yield f"http://{LOOPBACK}:{port}"


def test_a_role_that_may_not_upload(folder: Path) -> None:
    """It stops soon, and says which actions to allow."""
    for number in range(500):
        (folder / f"{number}.txt").write_text(str(number))
    puts: list[str] = []
    with s3_that_is_read_only(puts) as endpoint:
        result = upload(folder, "acme-assets", endpoint)
    assert result.returncode == 1
    assert result.stderr == (
        "Error: s3://acme-assets/static/: PutObject: AccessDenied; allow the role of service "
        "account openedx s3:ListBucket and s3:PutObject there\n"
    )
    assert 0 < len(puts) < 200


def test_the_init_task_is_that_program(
    bucket: str, folder: Path, s3: Any, aws_endpoint: str
) -> None:
    """There is nothing in it that Tutor's templates would change, and a shell hands it on."""
    task = script().replace("{{ aws_settings().cdn.assets_bucket }}", bucket)
    assert Path(upload_static.__file__).read_text() in task
    assert not any(mark in task for mark in ("{{", "{%", "{#"))
    result = subprocess.run(
        ["sh", "-e", "-c", task.replace("/openedx/staticfiles", str(folder))],
        # Where its `python` is that of the tests.
        env={**pod(aws_endpoint, folder), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert len(keys(s3, bucket)) == 10
