"""Edge: `kubectl`, with manifests on its standard input: values go through pipes only."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterable
from typing import Protocol

import click
from tutor import fmt
from tutor.exceptions import TutorError
from tutorplatform.manifests import Manifest


class Cluster(Protocol):
    """The ways in which manifests move, and questions."""

    def kustomize(self, directory: str) -> str:
        """The YAML stream that kustomize makes of a folder."""

    def feed(self, argv: tuple[str, ...], text: str) -> int:
        """Run `kubectl ARGV` with `text` on its standard input; its exit status, which is 0."""

    def ask(self, *argv: str, given: str = "") -> str:
        """What `kubectl ARGV` prints, which nobody else sees; `given` is its standard input."""


def stream(manifests: Iterable[Manifest]) -> str:
    """JSON documents. In YAML, kubectl and Python disagree on whether `1e3` is a number."""
    return "".join(json.dumps(manifest) + "\n" for manifest in manifests)


class LocalKubectl:
    """The `kubectl` on this machine. What it says goes to the terminal."""

    def kustomize(self, directory: str) -> str:
        """The YAML stream that kustomize makes of a folder; TutorError if it cannot."""
        _say("kustomize", directory)
        return _output(("kustomize", directory))

    def feed(self, argv: tuple[str, ...], text: str) -> int:
        """Run `kubectl ARGV` with `text` on its standard input; TutorError unless it succeeds."""
        _say(*argv)
        return _kubectl(argv, text, None).returncode

    def ask(self, *argv: str, given: str = "") -> str:
        """What `kubectl ARGV` prints, which nobody else sees; TutorError unless it succeeds."""
        return _output(argv, given)


class QuietKubectl(LocalKubectl):
    """The same, for a question that may go unanswered: it says nothing, and waits a little."""

    def __init__(self, limit_s: float = 8) -> None:
        self._limit_s = limit_s

    def ask(self, *argv: str, given: str = "") -> str:
        """What `kubectl ARGV` prints; TutorError unless it succeeds, and soon."""
        return _output(argv, given, self._limit_s)


def _say(*argv: str) -> None:
    click.echo(fmt.command(shlex.join(("kubectl", *argv))))


def _output(argv: tuple[str, ...], text: str = "", limit_s: float | None = None) -> str:
    return _kubectl(argv, text, subprocess.PIPE, limit_s).stdout


def _kubectl(
    argv: tuple[str, ...], text: str, stdout: int | None, limit_s: float | None = None
) -> subprocess.CompletedProcess[str]:
    try:
        done = subprocess.run(
            ("kubectl", *argv),
            input=text,
            stdout=stdout,
            stderr=subprocess.DEVNULL if limit_s else None,
            timeout=limit_s,
            encoding="utf-8",
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TutorError(f"No answer in {limit_s} s: {shlex.join(('kubectl', *argv))}") from None
    except FileNotFoundError:
        raise TutorError(
            "kubectl is not installed. Please follow instructions from "
            "https://kubernetes.io/docs/tasks/tools/install-kubectl/"
        ) from None
    if done.returncode:
        command = shlex.join(("kubectl", *argv))
        raise TutorError(f"Command failed with status {done.returncode}: {command}")
    return done
