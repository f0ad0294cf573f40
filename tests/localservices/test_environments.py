"""Environments of their own for programs that would clash with ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from localcluster.errors import LocalClusterError
from localservices.environments import python_with


def test_what_cannot_be_installed_is_said_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A half-made environment must not pass for a complete one the next time."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    said: list[str] = []
    for _ in range(2):
        with pytest.raises(LocalClusterError, match=r"^two things: a==1, b==2 cannot be installed"):
            python_with(["a==1", "b==2"], tmp_path, "two things", said.append)
    assert said == ["installing a==1, b==2, two things (once; then cached)"] * 2
