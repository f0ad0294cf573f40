"""`tutor aws ca-bundle`, over real HTTPS."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from localcluster.certificates import Authority

from demo.tutor import TutorRoot
from tests.conftest import NewRoot
from tests.render.truststore import TrustStore

pytestmark = pytest.mark.render

NAME = "eu-west-1-bundle.pem"
OLD, NEW = (Authority.new(f"Amazon RDS eu-west-1 Root CA {kind} G1") for kind in ("RSA", "ECC"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TrustStore]:
    with TrustStore(tmp_path) as running:
        running.answer = OLD.pem + NEW.pem
        yield running


def root_of(new_root: NewRoot, store: TrustStore, mysql: dict[str, object]) -> TutorRoot:
    return new_root("aws", environment=store.environment, AWS_REGION="eu-west-1", AWS_MYSQL=mysql)


@pytest.fixture
def root(new_root: NewRoot, store: TrustStore) -> TutorRoot:
    return root_of(new_root, store, {"host": "db.test"})


def fails(root: TutorRoot, *options: str) -> str:
    """What the command says, which leaves the folder as it was."""
    before = sorted(path.name for path in root.path.iterdir())
    done = root.run("aws", "ca-bundle", *options, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    assert sorted(path.name for path in root.path.iterdir()) == before
    return done.stdout


def test_the_bundle_is_fetched_and_used(root: TutorRoot, store: TrustStore) -> None:
    """The printed command keeps what is set, and its relative path works from anywhere."""
    shown = root.run("aws", "ca-bundle").stdout
    assert store.asked == [f"https://truststore.pki.rds.amazonaws.com/eu-west-1/{NAME}"]
    assert (root.path / NAME).read_bytes() == store.answer
    assert f"{root.path / NAME}: new" in shown
    assert f"SHA-256: {hashlib.sha256(store.answer).hexdigest()}" in shown
    expiry = min(each.certificate.not_valid_after_utc.date() for each in (OLD, NEW))
    assert f"certificate authorities: 2, the first expires on {expiry}" in shown

    command = shown.partition("To use it, run")[2].replace("\\\n", "")
    root.run(*shlex.split(command)[1:])
    assert root.config()["AWS_MYSQL"] == {"host": "db.test", "ca_file": NAME}
    (config_map,) = (
        manifest["data"] for manifest in root.rendered() if "mysql.pem" in manifest.get("data", {})
    )
    assert config_map["mysql.pem"].encode() == store.answer
    assert "names it; `tutor k8s start` brings" in root.run("aws", "ca-bundle").stdout


def test_what_has_changed_is_said(root: TutorRoot, store: TrustStore) -> None:
    """By the names of the authorities."""
    store.answer = OLD.pem
    root.run("aws", "ca-bundle")
    assert f"{NAME}: unchanged" in root.run("aws", "ca-bundle").stdout
    store.answer = NEW.pem
    shown = root.run("aws", "ca-bundle").stdout
    assert f"{NAME}: changed" in shown
    assert "added: Amazon RDS eu-west-1 Root CA ECC G1" in shown
    assert "gone: Amazon RDS eu-west-1 Root CA RSA G1" in shown
    assert (root.path / NAME).read_bytes() == NEW.pem


def test_it_runs_before_the_file_is_there(new_root: NewRoot, store: TrustStore) -> None:
    """A clone of a root from Git may name a file that was not committed."""
    root = root_of(new_root, store, {"host": "db.test", "ca_file": NAME})
    saved = root.run("config", "save", check=False)
    assert f"AWS_MYSQL.ca_file: cannot read {NAME}" in saved.stdout
    assert "`tutor aws ca-bundle` fetches" in saved.stdout
    root.run("aws", "ca-bundle")
    root.run("config", "save")


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-gov-east-1", "truststore.pki.us-gov-west-1.rds.amazonaws.com"),
        ("cn-northwest-1", "rds-truststore.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_other_partitions_have_stores_of_their_own(
    root: TutorRoot, store: TrustStore, region: str, host: str
) -> None:
    """The option wins over AWS_REGION."""
    root.run("aws", "ca-bundle", f"--region={region}")
    assert store.asked == [f"https://{host}/{region}/{region}-bundle.pem"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(b"<html>Please log in</html>", "is no PEM file", id="a login page"),
        pytest.param(b"", "is no PEM file", id="nothing"),
        pytest.param(OLD.pem + NEW.pem[:99], "is no PEM file", id="half a certificate"),
        pytest.param(
            OLD.issue("server", hosts=["db.test"]).certificate, "is no PEM file", id="no authority"
        ),
    ],
)
def test_what_is_no_bundle_is_not_kept(
    root: TutorRoot, store: TrustStore, answer: bytes, message: str
) -> None:
    """Where something on the way answers in AWS' place."""
    store.answer = answer
    said = fails(root)
    assert f"{NAME}: {message}" in said
    assert "a proxy, a login page" in said


def test_a_broken_transfer_leaves_the_old_file(root: TutorRoot, store: TrustStore) -> None:
    root.run("aws", "ca-bundle")
    store.cut = True
    assert "broke off in the middle; nothing was changed" in fails(root)
    assert (root.path / NAME).read_bytes() == OLD.pem + NEW.pem


def test_an_unknown_region_says_how_to_go_on(root: TutorRoot, store: TrustStore) -> None:
    store.status = "404 Not Found"
    said = fails(root, "--region=eu-nowhere-1")
    assert "eu-nowhere-1-bundle.pem: answers 404 (Not Found)" in said
    assert "curl --fail --proto =https --output eu-nowhere-1-bundle.pem https://" in said
    assert "sha256sum eu-nowhere-1-bundle.pem" in said


def test_a_server_that_cannot_be_verified_is_refused(
    new_root: NewRoot, tmp_path: Path, store: TrustStore
) -> None:
    """Neither of an unknown authority, nor under another name."""
    other = tmp_path / "other"
    other.mkdir()
    trusting_nobody = {**store.environment, "SSL_CERT_FILE": str(tmp_path / "absent.pem")}
    root = new_root("aws", environment=trusting_nobody, AWS_REGION="eu-west-1")
    assert "cannot be reached ([SSL: CERTIFICATE_VERIFY_FAILED]" in fails(root)
    with TrustStore(other, ("elsewhere.test",)) as elsewhere:
        root = new_root("aws", environment=elsewhere.environment, AWS_REGION="eu-west-1")
        assert "Hostname mismatch" in fails(root)
    assert store.asked == elsewhere.asked == []


def test_a_detour_without_tls_is_refused(root: TutorRoot, store: TrustStore) -> None:
    """Nobody else may send the client where nothing is verified."""
    store.status, store.location = "302 Found", "http://127.0.0.1:9/bundle.pem"
    assert "answers 302 (Found); nothing was changed" in fails(root)


def test_without_network_or_region(new_root: NewRoot) -> None:
    nobody = {"HTTPS_PROXY": "http://127.0.0.1:9"}
    root = new_root("aws", environment=nobody)
    assert "AWS_REGION: has no value; run `tutor aws ca-bundle --region=" in fails(root)
    assert "cannot be reached" in fails(root, "--region=eu-west-1")
    assert "AWS_REGION: 'Ireland' is not an AWS region" in fails(root, "--region=Ireland")
