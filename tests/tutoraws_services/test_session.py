"""Sessions: what is missing between us and AWS is said, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from tutoraws.services import secretsmanager
from tutoraws.services.session import AwsError, client, default_region


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_without_region() -> None:
    """There is no default region that would be right."""
    with pytest.raises(AwsError, match=r"^secretsmanager: no AWS region is set; run `tutor config"):
        client("secretsmanager", None)


def test_the_region_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for every AWS tool."""
    assert default_region() == ""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    assert default_region() == "eu-north-1"
    assert client("secretsmanager", None).meta.region_name == "eu-north-1"
    assert client("secretsmanager", "eu-west-1").meta.region_name == "eu-west-1"


def test_without_credentials() -> None:
    """The remedy names the variables."""
    with pytest.raises(AwsError, match=r"there are no AWS credentials; set AWS_PROFILE, or"):
        secretsmanager.read(client("secretsmanager", "eu-west-1"), ["acme"])


def test_half_a_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key without its secret is no credential."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    with pytest.raises(AwsError, match="there are no AWS credentials"):
        secretsmanager.read(client("secretsmanager", "eu-west-1"), ["acme"])


def test_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Port 9 of this machine answers nobody."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(AwsError, match=r"AWS does not answer \(EndpointConnectionError\); check"):
        secretsmanager.read(client("secretsmanager", "eu-west-1"), ["acme"])


def test_a_profile_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy is the command that shows whether a profile works."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(AwsError, match=r"\(ProfileNotFound\); check AWS_PROFILE"):
        client("secretsmanager", "eu-west-1")


def test_an_endpoint_that_is_no_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 raises a bare ValueError for it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:4566")
    with pytest.raises(AwsError, match=r"write AWS_ENDPOINT_URL .* like https://host:port"):
        client("secretsmanager", "eu-west-1")


def test_a_region_that_is_no_host_name() -> None:
    """It is an error of botocore's that is a ValueError as well."""
    with pytest.raises(AwsError, match=r"boto3 cannot make this call \(InvalidRegionError\)"):
        client("secretsmanager", "eu west 1")


def test_a_call_that_is_tried_again_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """boto3 waits longer each time; who watches knows why."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(AwsError, match=r"AWS does not answer \(EndpointConnectionError\)"):
        secretsmanager.read(client("secretsmanager", "eu-west-1"), ["acme"])
    said = capsys.readouterr().err
    assert "BatchGetSecretValue, attempt 2 of 5" in said
    assert "attempt 5 of 5" in said
