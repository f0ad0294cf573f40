"""What the documentation points to exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
import pytest
from tutorautoscale.commands import autoscale
from tutorautoscale.configuration import DEFAULTS as AUTOSCALE
from tutoraws.commands import aws
from tutoraws.defaults import DEFAULTS as AWS
from tutorsecrets.commands import COMMANDS
from tutorsecrets.settings import DEFAULTS as SECRETS
from tutorsecrets.stores.entries import CHANGED, HASH_KEY

ROOT = Path(__file__).parents[1]
SETTINGS = {*AWS, *AUTOSCALE, *SECRETS, CHANGED, HASH_KEY}

# AWS' own variables share our prefix.
FOREIGN = re.compile(r"AWS_(PROFILE|ENDPOINT_URL|DEFAULT_REGION|(SECRET_)?ACCESS_KEY(_ID)?)")

LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)")
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchor(heading: str) -> str:
    """What GitHub makes of a heading: `What is not wired yet` → `what-is-not-wired-yet`."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


# What somebody follows, line by line.
GUIDES = sorted([*ROOT.glob("docs/tutorial*.md"), *ROOT.glob("docs/how-to/*.md")])
# Not those of the virtual environment.
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("[!.]*/**/*.md")])
each_page = pytest.mark.parametrize("page", PAGES, ids=named)
each_guide = pytest.mark.parametrize("page", GUIDES, ids=named)


def code(page: Path) -> str:
    """What a page prints as code, in the text or in blocks, lines that go on joined."""
    text = page.read_text(encoding="utf-8")
    blocks = [block for _, block in FENCED.findall(text)]
    spans = re.findall(r"`([^`]+)`", FENCED.sub("", text))
    # A span may be broken like any other text.
    return "\n".join([*(" ".join(span.split()) for span in spans), *blocks]).replace("\\\n", " ")


def commands_of(plugin: str, page: Path) -> Iterator[list[str]]:
    """What follows `tutor <plugin>` wherever a page prints that: `rotate`, `NOTES_SECRET_KEY`."""
    for words in re.findall(rf"\btutor {plugin} ([a-z][^\n`|;&>]*)", code(page)):
        yield shlex.split(words, comments=True)


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file, and its `#part` a heading there."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    links = [(page.parent / path if path else page, part) for path, part in LINK.findall(text)]
    assert [str(path) for path, _ in links if not path.exists()] == []
    assert [part for path, part in links if part and part not in anchors(path)] == []


@each_page
def test_make_targets_exist(page: Path) -> None:
    """Every `make …` that is printed is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = re.findall(r"^(?:[A-Z]+=\S+ )*make ([^#\n]*)", code(page), re.MULTILINE)
    used = {word for words in commands for word in re.findall(r"(?<!\S)[a-z-]+(?!\S)", words)}
    assert used - targets == set()


@each_page
def test_secrets_commands_exist(page: Path) -> None:
    """Every `tutor secrets …` that is printed is a command, with such options and arguments."""
    known = {str(command.name): command for command in COMMANDS}
    for name, *words in commands_of("secrets", page):
        assert name in known
        # `…` stands for whatever may follow, and in a sentence nothing has to.
        if "…" not in words:
            with suppress(click.MissingParameter):
                known[name].make_context(name, words)


@pytest.mark.parametrize("group", [aws, autoscale], ids=lambda group: group.name)
@pytest.mark.parametrize("page", [*GUIDES, *ROOT.glob("docs/reference/*.md")], ids=named)
def test_commands_of_a_group_exist(page: Path, group: click.Group) -> None:
    """The same for `tutor aws …` and `tutor autoscale …`, where a page is about what there is."""
    for words in commands_of(str(group.name), page):
        command: click.Command = group
        while isinstance(command, click.Group):
            name, *words = words
            command = command.commands[name]
        command.make_context(name, words)


@each_guide
def test_settings_exist(page: Path) -> None:
    """Every setting in a guide is one of the plugins'."""
    text = page.read_text(encoding="utf-8")
    used = set(re.findall(r"\b(?:AWS|AUTOSCALE|SECRETS)_[A-Z][A-Z_]*[A-Z]\b", text))
    assert {name for name in used if not FOREIGN.fullmatch(name)} <= SETTINGS


@each_guide
def test_python_is_python(page: Path) -> None:
    """Every block of Python at least compiles."""
    for language, block in FENCED.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            compile(block, named(page), "exec")
