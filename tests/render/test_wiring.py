"""The page of what is wired tells the truth, and every setting on it is tested."""

from __future__ import annotations

import pytest

from tests.render import wiring
from tests.render.aws_services import CERTIFICATE

pytestmark = pytest.mark.render


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[wiring.Row]:
    return wiring.rows(*wiring.roots(tmp_path_factory.mktemp("wiring"), CERTIFICATE))


def test_every_setting_is_run_by_a_test(rows: list[wiring.Row]) -> None:
    """One that carries the marker `wires` with its name."""
    tested = wiring.tests()
    assert [row.key for row in rows if row.key not in tested] == []


def test_where_a_setting_is_read_is_said_once(rows: list[wiring.Row]) -> None:
    assert {row.key for row in rows} == set(wiring.SOURCES)


def test_the_page_is_what_the_code_does(rows: list[wiring.Row]) -> None:
    """`make docs` writes it anew."""
    assert wiring.PAGE.read_text(encoding="utf-8") == wiring.page(rows)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1, 1, ""),
        (..., None, "`None`"),
        ("a|b", "a|c", "`a\\|c`"),
        ({"x": {"y": 1, "z": 2}}, {"x": {"y": 1, "z": 3}}, "`x.z: 3`"),
        ({}, {"a": {"k": 1}, "b": {"k": 1}}, "`a: {'k': 1}`<br>`b: {'k': 1}`"),
        ({"a": {"k": 1}, "b": {"k": 1}}, {"a": {"k": 2}, "b": {"k": 2}}, "`a.k: 2 (and 1 more)`"),
        ({"a": [{"k": 1}]}, {"a": [{"k": 2}]}, "`a[].k: 2`"),
    ],
)
def test_a_value_is_shown_as_far_as_it_differs(
    before: object, after: object, expected: str
) -> None:
    assert wiring.shown(before, after) == expected


def test_no_secret_is_shown() -> None:
    assert wiring.masked("rediss://acme:s%2Fe@host, s/e", ["s/e"]) == "rediss://acme:…@host, …"
