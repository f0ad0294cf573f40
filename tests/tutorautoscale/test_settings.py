"""Readers of single values, and differences on top of a tuple with names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from tutorautoscale import settings
from tutorautoscale.settings import Each, Reader, flat, overlaid
from tutorplatform.errors import ConfigError


class Leaf(NamedTuple):
    """Everything in it has a default."""

    size: int = 1
    names: tuple[str, ...] = ()


class Part(NamedTuple):
    """Something in it has none."""

    size: int


class Tree(NamedTuple):
    """A NamedTuple with others in it."""

    size: int
    leaf: Leaf = Leaf()
    part: Part = Part(1)
    each: Mapping[str, Leaf] = {}


SIZE = settings.whole_number(0, 9)
LEAF: Mapping[str, Any] = {"size": SIZE, "names": settings.listed(settings.text)}
READERS: Mapping[str, Any] = {
    "size": SIZE,
    "leaf": LEAF,
    "part": {"size": SIZE},
    "each": Each(LEAF),
}
TREE = Tree(5, each={"a": Leaf(2), "b": Leaf(3)})


def changed(differences: Any) -> Tree:
    """TREE with differences."""
    return overlaid(TREE, differences, "X", READERS)


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ({}, TREE),
        ({"leaf": {}}, TREE),
        ({"size": 6}, TREE._replace(size=6)),
        ({"leaf": {"names": ["n"]}}, TREE._replace(leaf=Leaf(1, ("n",)))),
        ({"part": {"size": 7}}, TREE._replace(part=Part(7))),
        ({"each": {"a": {"size": 8}}}, TREE._replace(each={"a": Leaf(8), "b": Leaf(3)})),
        ({"each": {"a": None}}, TREE._replace(each={"a": Leaf(), "b": Leaf(3)})),
        ({"size": 0, "leaf": {"size": 9}}, TREE._replace(size=0, leaf=Leaf(9))),
    ],
    ids=str,
)
def test_differences_are_merged_at_any_depth(differences: Any, expected: Tree) -> None:
    """What is not named stays as it is, and so does what the differences were laid over."""
    before = TREE._replace()
    assert changed(differences) == expected
    assert before == TREE


def test_null_for_a_part_that_has_defaults_is_those_defaults() -> None:
    """So a whole probe or signal is switched off."""
    full = TREE._replace(leaf=Leaf(4, ("n",)))
    assert overlaid(full, {"leaf": None}, "X", READERS).leaf == Leaf()


@pytest.mark.parametrize(
    ("differences", "message"),
    [
        (None, "X: None is not a mapping; write any of each, leaf, part, size in it"),
        ([], "X: [] is not a mapping; write any of each, leaf, part, size in it"),
        ({"sise": 1}, "X.sise: there is no such setting; use one of each, leaf, part, size"),
        ({1: 1}, "X.1: there is no such setting; use one of each, leaf, part, size"),
        ({"leaf": 3}, "X.leaf: 3 is not a mapping; write any of names, size in it"),
        ({"leaf": {"n": 1}}, "X.leaf.n: there is no such setting; use one of names, size"),
        ({"leaf": {"names": "n"}}, "X.leaf.names: 'n' is not a list; write [n]"),
        ({"part": None}, "X.part: None is not a mapping; write any of size in it"),
        ({"each": {"c": {}}}, "X.each.c: there is no such setting; use one of a, b"),
        ({"each": None}, "X.each: None is not a mapping; write any of a, b in it"),
        ({"each": {"a": {"x": 1}}}, "X.each.a.x: there is no such setting; use one of names, size"),
    ],
    ids=str,
)
def test_what_is_unknown_is_refused_with_its_path(differences: Any, message: str) -> None:
    """The message has the path, what is wrong and what there is."""
    with pytest.raises(ConfigError) as caught:
        changed(differences)
    assert str(caught.value) == message


GOOD: list[tuple[Reader, Any, Any]] = [
    (settings.cpu, "500m", "500m"),
    (settings.cpu, 2, "2"),
    (settings.cpu, 0.5, "0.5"),
    (settings.memory, "1.5Gi", "1.5Gi"),
    (settings.traffic, "5M", "5M"),
    (settings.traffic, 5000, "5000"),
    (settings.flag, False, False),
    (settings.text, "a", "a"),
    (settings.listed(settings.text), [], ()),
    (settings.listed(settings.text), ["a", "b"], ("a", "b")),
    (settings.whole_number(1, 2), 1, 1),
    (settings.whole_number(1, 2), 2, 2),
    (settings.choice("a", "b"), "b", "b"),
    (settings.optional(settings.text), None, None),
    (settings.optional(settings.text), "a", "a"),
]


@pytest.mark.parametrize(("read", "value", "expected"), GOOD)
def test_a_reader_takes_its_whole_range(read: Reader, value: Any, expected: Any) -> None:
    """Numbers are text where Kubernetes wants a quantity, and lists are tuples."""
    found = read(value, "X")
    assert (found, type(found)) == (expected, type(expected))


BAD: list[tuple[Reader, Any, str]] = [
    (
        settings.cpu,
        "half",
        "X: 'half' is not a Kubernetes quantity of CPU; write '500m' for half a CPU",
    ),
    (settings.cpu, 0, "X: 0 is not a Kubernetes quantity of CPU; write '500m' for half a CPU"),
    (settings.memory, "2GB", "X: '2GB' is not a Kubernetes quantity; write '2Gi'"),
    (settings.memory, 512, "X: 512 is less than a mebibyte; write '512Mi'"),
    (
        settings.traffic,
        "5MB/s",
        "X: '5MB/s' is not a Kubernetes quantity of bytes per second; write '5M'",
    ),
    (settings.flag, "no", "X: 'no' is neither true nor false; write one of them"),
    (settings.flag, 1, "X: 1 is neither true nor false; write one of them"),
    (settings.flag, None, "X: None is neither true nor false; write one of them"),
    (settings.text, "", "X: '' is not a text; write one, in quotes if need be"),
    (settings.text, 8, "X: 8 is not a text; write one, in quotes if need be"),
    (settings.listed(settings.text), "a", "X: 'a' is not a list; write [a]"),
    (settings.listed(settings.text), None, "X: None is not a list; write [None]"),
    (settings.listed(settings.text), {"a": 1}, "X: {'a': 1} is not a list; write [{'a': 1}]"),
    (
        settings.listed(settings.text),
        ["a", 1],
        "X[1]: 1 is not a text; write one, in quotes if need be",
    ),
    (settings.whole_number(1, 2), 0, "X: 0 is out of range; write 1 to 2"),
    (settings.whole_number(1, 2), 3, "X: 3 is out of range; write 1 to 2"),
    (settings.whole_number(1, 2), True, "X: True is not a whole number; write 1 to 2"),
    (settings.whole_number(1, 2), 1.0, "X: 1.0 is not a whole number; write 1 to 2"),
    (settings.whole_number(1, 2), "1", "X: '1' is not a whole number; write 1 to 2"),
    (settings.whole_number(1, 2), None, "X: None is not a whole number; write 1 to 2"),
    (settings.choice("a", "b"), "c", "X: 'c' is unknown; write a or b"),
    (settings.choice("a", "b"), [], "X: [] is unknown; write a or b"),
    (settings.optional(settings.text), "", "X: '' is not a text; write one, in quotes if need be"),
]


@pytest.mark.parametrize(("read", "value", "message"), BAD, ids=[each[2] for each in BAD])
def test_a_reader_refuses_the_rest(read: Reader, value: Any, message: str) -> None:
    """The message says where, what is wrong and what to write."""
    with pytest.raises(ConfigError) as caught:
        read(value, "X")
    assert str(caught.value) == message


def test_flat_has_every_setting_in_the_order_of_the_readers() -> None:
    """Paths as an operator writes them, those of Each with the names in it."""
    assert list(flat(TREE, READERS)) == [
        ("size", 5),
        ("leaf.size", 1),
        ("leaf.names", ()),
        ("part.size", 1),
        ("each.a.size", 2),
        ("each.a.names", ()),
        ("each.b.size", 3),
        ("each.b.names", ()),
    ]
