"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demo.tutor import TutorRoot

NewRoot = Callable[..., TutorRoot]


@pytest.fixture(scope="session")
def new_root(tmp_path_factory: pytest.TempPathFactory) -> NewRoot:
    """Makes a fresh Tutor root: `new_root(*plugins, **settings)`, not yet rendered."""

    def make(*plugins: str, **settings: Any) -> TutorRoot:
        path: Path = tmp_path_factory.mktemp("tutor-root")
        root = TutorRoot(path)
        root.write_config(
            {"LMS_HOST": "learn.acme.test", "K8S_NAMESPACE": "acme", **settings}, plugins
        )
        return root

    return make
