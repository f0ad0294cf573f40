"""What can go wrong with the chart, in a form that says what to do."""

from __future__ import annotations


class ChartError(Exception):
    """An expected failure: `where: what is wrong; what to do`."""

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(f"{where}: {problem}; {remedy}")
