"""A plugin on a Tutor that it is not made for refuses to work, rather than being left out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tutor import hooks
from tutorplatform import registration
from tutorplatform.errors import PlatformError

from tests.conftest import NewRoot

PLUGINS = ["aws", "autoscale", "secrets"]

# Tutor's own command line, which believes to be an older Tutor.
OLD_TUTOR = """
import sys, tutor.__about__
tutor.__about__.__version__ = "21.0.4"
from tutor.commands.cli import main
main()
"""


def old_tutor(root: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", OLD_TUTOR, "--root", str(root), *argv],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_supported_version_is_accepted() -> None:
    registration.require_supported_tutor("tutoraws", "22.0.3")


@pytest.mark.parametrize("version", ["21.0.4", "23.0.0"])
def test_another_major_version_is_refused_with_what_to_install(version: str) -> None:
    message = f"tutoraws: Tutor {version} is not supported; run `pip install 'tutor>=22,<23'`"
    context = hooks.Contexts.app("test")
    try:
        with context.enter(), pytest.raises(PlatformError) as raised:
            registration.require_supported_tutor("tutoraws", version)
    finally:
        # It refuses every configuration from now on, that of other tests as well.
        hooks.clear_all(context=context.name)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.render
def test_enabling_on_an_old_tutor_fails_and_changes_nothing(plugin: str, tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text("PLUGINS: []\n")
    answer = old_tutor(tmp_path, "plugins", "enable", plugin)
    assert answer.returncode == 1
    assert "Tutor 21.0.4 is not supported" in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    assert config.read_text() == "PLUGINS: []\n"


@pytest.mark.render
def test_an_old_tutor_does_not_go_on_without_an_enabled_plugin(tmp_path: Path) -> None:
    """Tutor would merely warn, render in-cluster databases, and could deploy them."""
    (tmp_path / "config.yml").write_text("PLUGINS: [aws]\n")
    answer = old_tutor(tmp_path, "config", "save")
    assert answer.returncode == 1
    assert not (tmp_path / "env").exists()


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.render
def test_a_name_that_no_instance_can_have_is_refused_with_any_plugin(
    plugin: str, new_root: NewRoot
) -> None:
    root = new_root(plugin, K8S_NAMESPACE="kube-system")
    answer = root.run("config", "save", check=False)
    assert answer.returncode == 1
    assert "K8S_NAMESPACE: 'kube-system' is not an instance name; use 2 to 16" in answer.stdout
    assert not (root.path / "env").exists()


def test_patches_are_named_by_their_files() -> None:
    assert dict(registration.patches("tutorautoscale"))
