"""Tables in the terminal."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from tutorsecrets.managing import tables

NOW = datetime(2026, 1, 31, tzinfo=timezone.utc)


def test_names_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever they would mean to the library that draws the table."""
    tables.show(("name",), [("[bold]a[/bold] :key: [/x]",)])
    assert "[bold]a[/bold] :key: [/x]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("ago", "shown"),
    [
        (timedelta(minutes=59), "0 h"),
        (timedelta(hours=47), "47 h"),
        (timedelta(hours=48), "2 d"),
        (timedelta(days=90, hours=23), "90 d"),
    ],
)
def test_an_age_is_short(ago: timedelta, shown: str) -> None:
    assert tables.age(NOW - ago, NOW) == shown


def test_an_age_that_nobody_knows_is_left_out() -> None:
    assert tables.age(None, NOW) == ""
