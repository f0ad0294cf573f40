"""Difference: what would change, and never a value."""

from __future__ import annotations

from typing import Any

from tutorsecrets.managing import difference
from tutorsecrets.tokens import token


def secret(name: str, **data: str) -> dict[str, Any]:
    return {"kind": "Secret", "metadata": {"name": name}, "data": data}


def test_a_secret_takes_over_from_the_one_with_its_name() -> None:
    """Both hashes at the end, of kustomize and ours, do not count."""
    old = secret("openedx-config-aaaaaaaaaa-0000000000", a="1", b="2")
    new = secret("openedx-config-bbbbbbbbbb-1111111111", a="1", b="3", c="4")
    pod = secret("mysql-secrets-2222222222", x="1")
    assert difference.changes([new, pod], [old]) == [
        difference.Change(
            "openedx-config-bbbbbbbbbb-1111111111",
            "openedx-config-aaaaaaaaaa-0000000000",
            ["b", "c"],
        ),
        difference.Change("mysql-secrets-2222222222", "", ["x"]),
    ]


def test_what_is_there_already_does_not_change() -> None:
    same = secret("mysql-secrets-2222222222", x="1")
    assert difference.changes([same], [same]) == []
    assert difference.changes([], [same]) == []


def deployment(image: str, **metadata: Any) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": "lms", **metadata},
        "spec": {"image": image},
        "status": {"ready": image},
    }


def test_objects_are_compared_without_what_the_server_keeps() -> None:
    last = {"kubectl.kubernetes.io/last-applied-configuration": "{...}"}
    live = deployment("a", uid="1", resourceVersion="7", annotations=last)
    assert list(difference.lines([live], [deployment("a", generation=2)])) == []
    lines = list(difference.lines([live], [deployment("b")]))
    assert "-  image: a" in lines
    assert "+  image: b" in lines
    assert not any("uid" in line or "last-applied" in line for line in lines)


def test_a_new_object_is_all_new() -> None:
    lines = list(difference.lines([], [deployment("b")]))
    assert lines[1] == "+++ new: Deployment lms"
    assert "+  image: b" in lines


def test_values_are_masked() -> None:
    """The longer first, or what is left of it would be a hint."""
    values = {token("A"): "s3cret-value", token("B"): "s3cret-value-longer", token("C"): "x"}
    text = "x s3cret-value-longer s3cret-value"
    assert difference.masked(text, values) == "x <B> <A>"
