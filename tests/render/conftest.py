"""What tests that render share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.render.aws_services import CERTIFICATE


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authorities of the databases, as an operator has them in a file."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    path.write_text(CERTIFICATE)
    return path
