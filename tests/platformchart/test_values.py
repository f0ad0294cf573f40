"""The table of values, made of the comments in values.yaml."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from platformchart import pages, upstream, values
from platformchart.upstream import CHART

OTHERS = tuple(each["name"] for each in upstream.dependencies(CHART))

TEXT = """
# Of the edge.
edge:
  # Whether it is
  # there.
  enabled: true

  silent: 1
  # All of them.
  list:
    # Its name.
    - name: main
# A mapping of one's own.
quota: {cpu: "4"}
# Free.
labels:
  a: b
traefik:
  # About ports.
  ports:
    web: 80
"""


def found() -> list[values.Value]:
    return values.described(TEXT)


def test_a_value_is_described_by_the_comment_above_it() -> None:
    """All its lines; those above an empty line are about something else."""
    texts = {value.path: value.description for value in found()}
    assert texts["edge.enabled"] == "Whether it is there."
    assert texts["edge.silent"] == ""
    assert texts["edge.list[].name"] == "Its name."


def test_a_mapping_is_one_value_unless_its_parts_are_described() -> None:
    leaves = {value.path for value in found() if value.is_leaf}
    assert {"quota", "labels", "edge.enabled"} <= leaves
    assert not {"edge", "quota.cpu", "labels.a"} & leaves


def test_what_is_not_described_is_found() -> None:
    assert values.undescribed(found()) == ["edge.silent"]
    assert values.undescribed(values.described("a:\n  b: 1\n# A comment.\nc: 2\n")) == ["a.b"]


def test_parts_of_other_charts_may_be_described_further_up() -> None:
    text = "# Theirs.\ntraefik:\n  a:\n    b: 1\n  # Own.\n  c: 2\n"
    values_ = values.described(text)
    assert values.undescribed(values_) == ["traefik.a.b"]
    assert values.undescribed(values_, ["traefik"]) == []


def test_a_cell_of_the_table_is_text() -> None:
    """Whatever Markdown would make of a bar or an angle bracket."""
    [row] = values.table(values.described("# This | that <here>.\na: 1\n")).splitlines()[2:]
    assert row == "| `a` | `1` | This \\| that &lt;here>. |"


def test_every_value_of_ours_is_described() -> None:
    found = values.described((CHART / "values.yaml").read_text())
    assert values.undescribed(found, OTHERS) == []


def test_every_value_that_may_be_set_has_a_default_and_a_description() -> None:
    """The schema and values.yaml know the same; what an entry of a list may say is the schema's."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    known = {value.path for value in values.described((CHART / "values.yaml").read_text())}
    assert {path for path in settable(schema, schema) if path not in OTHERS} <= known


def settable(node: Mapping[str, Any], schema: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    node = schema["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    for name, below in node.get("properties", {}).items():
        yield f"{prefix}{name}"
        yield from settable(below, schema, f"{prefix}{name}.")


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.name)
def test_generated_parts_are_up_to_date(page: Path) -> None:
    """Otherwise `make docs` writes them."""
    assert page.read_text() == pages.written(page)
