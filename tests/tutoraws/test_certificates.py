"""CA files are checked where they are read."""

from pathlib import Path
from typing import Any

import pytest
from tutoraws.certificates import certificates
from tutoraws.settings import Mongodb, Mysql, Settings
from tutorplatform.errors import ConfigError

from tests.render.aws_services import CERTIFICATE

PEM = CERTIFICATE
RUBBISH = "-----BEGIN CERTIFICATE-----\nMIIB/w==\n-----END CERTIFICATE-----\n"
EXTERNAL: dict[str, Any] = {"RUN_MYSQL": False, "RUN_MONGODB": False}


def mysql_with(ca_file: Path) -> Settings:
    return Settings(mysql=Mysql(ca_file=str(ca_file)))


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_text(PEM)
    return path


def test_no_files() -> None:
    """Nothing is read where nothing is named."""
    assert certificates(Settings(), EXTERNAL) == {}


def test_each_database_has_its_own(ca_file: Path) -> None:
    """MySQL's authority says nothing about MongoDB."""
    settings = Settings(mysql=Mysql(ca_file=str(ca_file)), mongodb=Mongodb(ca_file=str(ca_file)))
    assert certificates(settings, EXTERNAL) == {"mysql.pem": PEM, "mongodb.pem": PEM}


def test_tutors_own_database_needs_none(ca_file: Path) -> None:
    """The file is not even looked at."""
    assert certificates(mysql_with(ca_file), {**EXTERNAL, "RUN_MYSQL": True}) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "holds no PEM certificate", id="empty"),
        pytest.param(b"\x30\x82\xff", "cannot read", id="DER"),
        pytest.param(RUBBISH.encode(), "holds no PEM certificate", id="rubbish"),
        pytest.param(PEM.encode() + RUBBISH.encode(), "holds no PEM certificate", id="rubbish too"),
        pytest.param(PEM.encode()[:-80], "holds no PEM certificate", id="cut off"),
        pytest.param(
            PEM.encode() + b"-----BEGIN PRIVATE KEY-----", "holds a private key", id="private key"
        ),
        pytest.param(PEM.encode() * 250, "more than the 250000 bytes", id="too big"),
    ],
)
def test_unfit_files(tmp_path: Path, content: bytes, message: str) -> None:
    """A key must not end up in a ConfigMap, and kubectl must be able to apply it."""
    path = tmp_path / "ca.pem"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"^AWS_MYSQL.ca_file: .*{message}"):
        certificates(mysql_with(path), EXTERNAL)


def test_the_bigger_file_is_the_one_that_is_too_big(ca_file: Path, tmp_path: Path) -> None:
    """One ConfigMap has both."""
    big = tmp_path / "big.pem"
    big.write_text(PEM * 250)
    settings = Settings(mysql=Mysql(ca_file=str(ca_file)), mongodb=Mongodb(ca_file=str(big)))
    with pytest.raises(ConfigError, match=r"^AWS_MONGODB.ca_file: .*big.pem"):
        certificates(settings, EXTERNAL)


def test_an_absent_file(tmp_path: Path) -> None:
    """The setting and the path are named."""
    with pytest.raises(ConfigError, match=r"^AWS_MYSQL.ca_file: cannot read .*absent.pem"):
        certificates(mysql_with(tmp_path / "absent.pem"), EXTERNAL)
