"""The layers of the code, enforced by reading its imports."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from tests.conftest import NewRoot

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "tutorplatform": ROOT / "tutor-aws" / "tutorplatform",
    "tutoraws": ROOT / "tutor-aws" / "tutoraws",
    "tutorautoscale": ROOT / "tutor-autoscale" / "tutorautoscale",
    "tutorsecrets": ROOT / "tutor-secrets" / "tutorsecrets",
    "localcluster": ROOT / "local-cluster" / "localcluster",
    "localservices": ROOT / "local-cluster" / "localservices",
    "demo": ROOT / "demo",
    "bench": ROOT / "bench",
    "platformchart": ROOT / "platformchart",
}
# They are of this repository only, not of the distribution.
OURS_ALONE = {"bench", "demo", "platformchart"}

# Package → what of ours it may import.
ALLOWED = {
    "tutorplatform": set[str](),
    "tutoraws": {"tutorplatform"},
    "tutorautoscale": {"tutorplatform"},
    "tutorsecrets": {"tutorplatform", "tutoraws.policies", "tutoraws.services"},
    "localcluster": set[str](),
    "platformchart": {"localcluster"},
    "localservices": {"localcluster"},
    "demo": {"tutorplatform", "localcluster", "localservices", "platformchart"},
    "bench": {"tutorplatform", "localcluster", "localservices", "demo", "platformchart"},
}

# Part of the secrets plugin → the other parts that it may import. Modules beside them, but for
# those that wire, may be imported by all.
PARTS = {
    "tutorsecrets.stores": set[str](),
    "tutorsecrets.rewriting": {"tutorsecrets.stores"},
    "tutorsecrets.deploying": {"tutorsecrets.rewriting", "tutorsecrets.stores"},
    "tutorsecrets.managing": {
        *("tutorsecrets.deploying", "tutorsecrets.rewriting", "tutorsecrets.stores")
    },
}

# Modules that reach outside the program: only an `Edge:` may import them.
OUTSIDE = {
    "boto3",
    "botocore",
    "http",
    "httpx2",
    "kubernetes",
    "lightkube",
    "requests",
    "shutil",
    "socket",
    "subprocess",
    "tempfile",
    "urllib.request",
}
COMMAND_LINES = 15


@dataclass(frozen=True)
class Module:
    """One source file; `name` as it is imported."""

    name: str
    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @property
    def package(self) -> str:
        return self.name.split(".")[0]

    @property
    def is_edge(self) -> bool:
        return (ast.get_docstring(self.tree) or "").startswith("Edge:")

    @property
    def is_wiring(self) -> bool:
        return (ast.get_docstring(self.tree) or "").startswith("Wiring:")

    def imports(self, top_level: bool = False) -> set[str]:
        """Dotted names that are imported, those in functions too unless `top_level`."""
        nodes = self.tree.body if top_level else ast.walk(self.tree)
        found: set[str] = set()
        for node in nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                # `from a import b` may mean the module a.b.
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        return found


def modules_of(package: str, folder: Path) -> list[Module]:
    return [
        Module(".".join([package, *path.relative_to(folder).with_suffix("").parts]), path)
        for path in sorted(folder.rglob("*.py"))
    ]


MODULES = {
    module.name: module
    for package, folder in FOLDERS.items()
    for module in modules_of(package, folder)
}
SOURCES = [module for module in MODULES.values() if not module.name.endswith("__init__")]
each_module = pytest.mark.parametrize("module", SOURCES, ids=lambda module: module.name)


def within(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def test_the_map_is_complete() -> None:
    """A new package of the distribution must be placed in the layers."""
    setup = (ROOT / "setup.cfg").read_text()
    listed = setup.split("packages =")[1].split("package_dir")[0].split()
    assert {name.split(".")[0] for name in listed} | OURS_ALONE == set(FOLDERS)


def test_every_package_is_in_the_distribution() -> None:
    """One that is not listed is there in a checkout, and missing after `pip install`."""
    setup = (ROOT / "setup.cfg").read_text()
    listed = set(setup.split("packages =")[1].split("package_dir")[0].split())
    folders = {name: folder for name, folder in FOLDERS.items() if name not in OURS_ALONE}
    assert listed == {
        ".".join([package, *init.parent.relative_to(folder).parts])
        for package, folder in folders.items()
        for init in folder.rglob("__init__.py")
    }


@each_module
def test_imports_follow_the_layers(module: Module) -> None:
    ours = {name for name in module.imports() if name.split(".")[0] in FOLDERS}
    foreign = {name for name in ours if name.split(".")[0] != module.package}
    allowed = ALLOWED[module.package]
    # `from tutoraws import services` also counts as an import of `tutoraws`.
    parents = {name.rpartition(".")[0] for name in allowed}
    assert {name for name in foreign if not within(name, allowed) and name not in parents} == set()


@each_module
def test_parts_of_a_package_follow_their_layers(module: Module) -> None:
    part = module.name.rpartition(".")[0]
    others = {name for name in module.imports() if within(name, set(PARTS))}
    if part in PARTS:
        assert {name for name in others if not within(name, {part, *PARTS[part]})} == set()


@each_module
def test_nobody_imports_a_plugin(module: Module) -> None:
    """It would register that plugin's hooks under the importer's name."""
    assert [name for name in module.imports() if name.split(".")[1:2] == ["plugin"]] == []


@each_module
def test_only_an_edge_reaches_outside(module: Module) -> None:
    outside = {name for name in module.imports() if within(name, OUTSIDE)}
    assert module.is_edge or module.is_wiring or outside == set()


@each_module
def test_what_is_pure_imports_no_edge(module: Module) -> None:
    if module.is_edge or module.is_wiring:
        return
    edges = {name for name, other in MODULES.items() if other.is_edge}
    assert module.imports() & edges == set()


@each_module
def test_every_module_says_what_it_is(module: Module) -> None:
    assert ast.get_docstring(module.tree)


@pytest.mark.parametrize(
    "path", [path for folder in FOLDERS.values() for path in folder.rglob("__init__.py")], ids=str
)
def test_packages_hold_no_code(path: Path) -> None:
    assert path.read_text() == ""


@pytest.mark.parametrize(
    "module",
    [module for module in SOURCES if module.name.endswith(".commands")],
    ids=lambda module: module.name,
)
def test_commands_hold_no_decisions(module: Module) -> None:
    functions = [node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef)]
    long = {
        function.name
        for function in functions
        if (function.end_lineno or 0) - function.body[0].lineno + 1 > COMMAND_LINES
    }
    assert long == set()


@pytest.mark.render
def test_starting_tutor_does_not_import_boto3(new_root: NewRoot) -> None:
    """It would cost every command a quarter of a second."""
    root = new_root("aws", "autoscale", "secrets", environment={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = root.run("config", "printroot").stdout
    assert "tutorsecrets.tokens" in imported
    assert "boto3" not in imported
    assert "botocore" not in imported
