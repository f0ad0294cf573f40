"""What Tutor asks of kubectl: which manifests it applies, which objects it deletes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest, labels, name

from tutorsecrets.rewriting.pods import names_in
from tutorsecrets.rewriting.rewrite import MADE_FROM, OWN_SELECTOR, Rewritten

DIRECTORY = ("--kustomize", "-k")
FILE = ("--filename", "-f")
SELECTOR = ("--selector", "-l")

# What decides where something is applied. Never --output: it would print values.
PLACE = (
    *("--namespace", "-n", "--context", "--cluster", "--user", "--kubeconfig", "--server", "-s"),
    *("--as", "--as-group", "--request-timeout", "--dry-run"),
)


@dataclass(frozen=True)
class Application:
    """A `kubectl apply`: a folder for kustomize or a file, and how to apply it.

    `arguments` is the same command reading from its standard input; `place` are those of its
    arguments that another apply to the same place needs.
    """

    directory: str
    file: str
    arguments: tuple[str, ...]
    selector: str
    place: tuple[str, ...]

    @property
    def dry_run(self) -> bool:
        """Whether the cluster stays as it is."""
        return any(
            argument.partition("=")[0] == "--dry-run" and not argument.endswith("=none")
            for argument in self.arguments
        )

    @property
    def client_dry_run(self) -> bool:
        """Whether nothing reaches the cluster. Server-side apply refuses this kind of dry run."""
        return not {"--dry-run", "--dry-run=client"}.isdisjoint(self.arguments)


@dataclass(frozen=True)
class _Use:
    position: int
    length: int
    value: str


def application(argv: tuple[str, ...]) -> Application | None:
    """The apply that `argv`, the arguments after `kubectl`, asks for.

    None if it is no apply of exactly one folder or local file: kubectl will say what is wrong.
    """
    sources = [*_uses(argv, DIRECTORY), *_uses(argv, FILE)]
    if argv[:1] != ("apply",) or len(sources) != 1 or sources[0].value in {"", "-"}:
        return None
    source = sources[0]
    is_file = bool(list(_uses(argv, FILE)))
    return Application(
        directory="" if is_file else source.value,
        file=source.value if is_file else "",
        arguments=(
            *argv[: source.position],
            "--filename=-",
            *argv[source.position + source.length :],
        ),
        selector=",".join(use.value for use in _uses(argv, SELECTOR)),
        place=tuple(
            argument
            for use in _uses(argv, PLACE)
            for argument in argv[use.position : use.position + use.length]
        ),
    )


def _uses(argv: tuple[str, ...], flags: Collection[str]) -> Iterator[_Use]:
    for position, argument in enumerate(argv):
        flag, equals, value = argument.partition("=")
        if flag in flags and equals:
            yield _Use(position, 1, value)
        elif flag in flags:
            yield _Use(position, 2, "".join(argv[position + 1 : position + 2]))


def secrets_deletion(argv: tuple[str, ...]) -> tuple[str, ...] | None:
    """The arguments that delete our Secrets, where `argv` deletes the ConfigMaps they stand for.

    The kinds that bring them are to follow. Tutor does so in `stop` (by kind) and in `delete
    --exclude-namespace` (one by one, Secrets of other plugins too). None for anything else;
    `delete` of the namespace takes the Secrets along.
    """
    if argv[:1] != ("delete",):
        return None
    if "configmaps" in argv[-1].split(","):
        return tuple(
            f"{part},{OWN_SELECTOR}" if part.startswith("--selector=") else part
            for part in argv[:-1]
        )
    if any(part.startswith("configmap/") for part in argv):
        options = [part for part in argv[1:] if "/" not in part]
        return ("delete", *options, f"--selector={MADE_FROM}")
    return None


def needed_secrets(rewritten: Rewritten, selector: str) -> list[Manifest]:
    """The Secrets that an apply with `selector` takes along.

    Those it selects, as it would have selected their ConfigMaps, and those that the workloads
    it selects use: a pod whose Secret is missing never starts.
    """
    chosen = [manifest for manifest in rewritten.manifests if matches(selector, labels(manifest))]
    used = {used for manifest in chosen for used in names_in(manifest)}
    return [
        secret
        for secret in rewritten.secrets
        if name(secret) in used or matches(selector, labels(secret))
    ]


def matches(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy a label selector; an empty selector selects everything.

    https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
    """
    # Commas separate requirements, except within the parentheses of a set.
    return all(
        _satisfies(requirement.strip(), labels)
        for requirement in re.split(r",(?![^(]*\))", selector)
        if requirement.strip()
    )


REQUIREMENT = re.compile(
    r"(?P<absent>!)?\s*(?P<key>[\w./-]+)\s*"
    r"(?:(?P<operator>==?|!=)\s*(?P<value>[\w.-]*)"
    r"|\s(?P<set>in|notin)\s*\((?P<values>[^)]*)\))?",
    re.ASCII,
)


def _satisfies(requirement: str, labels: Mapping[str, str]) -> bool:
    match = REQUIREMENT.fullmatch(requirement)
    if not match:
        raise DeployError(
            "--selector",
            f"{requirement!r} is not understood here",
            "use `key=value`, `key!=value`, `key in (…)`, `key notin (…)`, `key` or `!key`",
        )
    found = labels.get(match["key"])
    if match["operator"]:
        return (found == match["value"]) is (match["operator"] != "!=")
    if match["set"]:
        values = {value.strip() for value in match["values"].split(",")}
        return (found in values) is (match["set"] == "in")
    return (found is None) is bool(match["absent"])
