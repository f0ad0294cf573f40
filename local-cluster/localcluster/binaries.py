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
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from localcluster.errors import LocalClusterError
from localcluster.golang import Progress, Source, build

TOOLS = Path(__file__).parents[2] / "tools"
CACHE_VARIABLE = "LOCAL_CLUSTER_CACHE"


@dataclass(frozen=True)
class Program:
    """A program that is built from one package of one pinned Go module.

    `folder` holds the go.mod under tools/; `module` is the one whose version names the
    program's version; `version_argv` makes the program print it; `files` of the module are kept
    beside it.
    """

    name: str
    folder: str
    module: str
    package: str
    version_argv: tuple[str, ...] = ("--version",)
    files: tuple[str, ...] = ()

    def pinned_version(self, tools: Path) -> str:
        """The module's version in go.mod, such as `1.36.3`."""
        file = tools / self.folder / "go.mod"
        if not file.is_file():
            raise LocalClusterError(
                str(file),
                "is not there, and nothing else says which version to use",
                "run the local cluster from a checkout of the repository",
            )
        go_mod = file.read_text()
        match = re.search(rf"^\s*(?:require )?{re.escape(self.module)} v(\S+)", go_mod, re.M)
        if match is None:
            raise LocalClusterError(
                f"tools/{self.folder}/go.mod",
                f"pins no version of {self.module}",
                f"run `go get {self.module}@VERSION` in that folder",
            )
        return match[1]

    def source(self, tools: Path) -> Source:
        """What to build it from."""
        return Source(tools / self.folder, self.package, self.pinned_version(tools), self.files)


def _kubernetes(name: str, *version_argv: str) -> Program:
    package = f"k8s.io/kubernetes/cmd/{name}"
    return Program(name, "kubernetes", "k8s.io/kubernetes", package, version_argv or ("--version",))


def _keda(part: str, *files: str) -> Program:
    module = "github.com/kedacore/keda/v2"
    return Program(f"keda-{part}", "keda", module, f"{module}/cmd/{part}", files=files)


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
        Program(
            "external-secrets",
            "external-secrets",
            "github.com/external-secrets/external-secrets",
            "github.com/external-secrets/external-secrets",
            files=("deploy/crds/bundle.yaml",),
        ),
        _keda(
            "operator",
            # It watches these kinds, and ends if one of them is not there.
            "config/crd/bases/eventing.keda.sh_cloudeventsources.yaml",
            "config/crd/bases/eventing.keda.sh_clustercloudeventsources.yaml",
            "config/crd/bases/keda.sh_clustertriggerauthentications.yaml",
            "config/crd/bases/keda.sh_scaledjobs.yaml",
            "config/crd/bases/keda.sh_scaledobjects.yaml",
            "config/crd/bases/keda.sh_triggerauthentications.yaml",
        ),
        _keda("adapter"),
        Program(
            "caddy",
            "caddy",
            "github.com/caddyserver/caddy/v2",
            "github.com/caddyserver/caddy/v2/cmd/caddy",
            ("version",),
        ),
    )
}

# What every local cluster has; the others are for who asks for them.
CLUSTER = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"),
    *("kubectl", "kwok", "metrics-server", "helm"),
)


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
    found: dict[str, Path] = {}
    missing: list[Program] = []
    for program in (PROGRAMS[name] for name in names):
        path = find(program, tools, cache, progress)
        if path:
            found[program.name] = path
        else:
            missing.append(program)
    for number, program in enumerate(missing, start=1):
        progress(f"building {program.name}, {number} of {len(missing)} (once; then cached)")
        started = time.monotonic()
        found[program.name] = cached_path(program, tools, cache)
        build(program.source(tools), found[program.name], cache, progress)
        progress(f"built {program.name} in {time.monotonic() - started:.0f} s")
    return found


def find(program: Program, tools: Path, cache: Path, progress: Progress) -> Path | None:
    """The fitting program on this machine, or None; says which one it passes over, and why."""
    pinned = program.pinned_version(tools)
    for path in _candidates(program.name):
        version = _version(path, program)
        if version and fits(version, pinned):
            return path
        progress(f"{path}: version {version or 'unknown'} does not fit {pinned}; not used")
    cached = cached_path(program, tools, cache)
    return cached if cached.is_file() else None


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


def cached_path(program: Program, tools: Path, cache: Path) -> Path:
    """Where a built program is kept; another go.mod or another machine gives another place."""
    digest = hashlib.sha256()
    for file in ("go.mod", "go.sum"):
        digest.update((tools / program.folder / file).read_bytes())
    digest.update(f"{platform.system()} {platform.machine()}".encode())
    version = program.pinned_version(tools)
    return cache / "bin" / f"{program.name}-{version}-{digest.hexdigest()[:12]}" / program.name
