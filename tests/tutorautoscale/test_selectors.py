"""Which pods a label selector is for."""

from __future__ import annotations

from typing import Any

import pytest
from tutorautoscale.selectors import selects

LMS = {"app": "lms", "tier": "web"}


def expression(operator: str, *values: str, key: str = "app") -> Any:
    """A selector by one expression."""
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "lms"}}, True),
        ({"matchLabels": {"app": "lms", "x": "y"}}, False),
        ({"matchLabels": None, "matchExpressions": None}, True),
        (expression("In", "cms", "lms"), True),
        (expression("In", "cms"), False),
        (expression("NotIn", "cms"), True),
        (expression("NotIn", "lms"), False),
        (expression("NotIn", "lms", key="x"), True),
        (expression("Exists"), True),
        (expression("Exists", key="x"), False),
        (expression("DoesNotExist"), False),
        (expression("DoesNotExist", key="x"), True),
        ({"matchLabels": {"app": "cms"}, **expression("Exists")}, False),
    ],
    ids=str,
)
def test_a_selector_is_read_as_kubernetes_does(selector: Any, expected: bool) -> None:
    """All that it says has to hold."""
    assert selects(selector, LMS) is expected
