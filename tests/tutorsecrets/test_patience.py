"""Patience: waiting is shown, and comes to an end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tutorplatform.errors import PlatformError
from tutorsecrets.managing.patience import Clock, wait_until_none


class Time:
    """A clock whose time passes by sleeping."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.seconds, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds


def test_nobody_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    time = Time()
    wait_until_none(iter([[]]), time.clock)
    assert time.seconds == 0
    assert capsys.readouterr().out == ""


def test_whoever_is_waited_for_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """When it changes, and every half a minute."""
    time = Time()
    wait_until_none(iter([["Pod a", "Pod b"], *[["Pod b"]] * 8, []]), time.clock)
    said = capsys.readouterr().out.splitlines()
    assert [line[:26] for line in said] == [
        "Waiting for Pod a, Pod b t",
        "Waiting for Pod b to finis",
        "Waiting for Pod b to finis",
    ]
    assert "(35 s of 1200 s)" in said[-1]


def test_it_ends_with_advice() -> None:
    def forever() -> Iterator[list[str]]:
        while True:
            yield ["Pod a"]

    time = Time()
    with pytest.raises(PlatformError) as raised:
        wait_until_none(forever(), time.clock)
    assert time.seconds == 20 * 60
    assert str(raised.value).startswith("Pod a: may still use the old password after 20 minutes")
    assert "both still valid" in str(raised.value)
    assert "`tutor secrets rotate`, which goes on from here" in str(raised.value)
