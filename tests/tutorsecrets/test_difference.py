"""Difference: what would change, and never a value."""

from __future__ import annotations

from typing import Any

from tutorsecrets.managing import difference
from tutorsecrets.rewriting.rewrite import OWN_LABEL
from tutorsecrets.tokens import token


def secret(name: str, **data: str) -> dict[str, Any]:
    return {"kind": "Secret", "metadata": {"name": name, "labels": OWN_LABEL}, "data": data}


def other_secret(**data: str) -> dict[str, Any]:
    return {"kind": "Secret", "metadata": {"name": "of-a-plugin"}, "data": data}


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


def test_what_is_encrypted_anew_each_time_does_not_change() -> None:
    """The name tells whether a value has changed."""
    assert (
        difference.changes([secret("s-2222222222", x="2")], [secret("s-2222222222", x="1")]) == []
    )


def test_another_plugins_secret_changes_under_its_name() -> None:
    old, new = other_secret(a="1", b="1"), other_secret(a="2", b="1")
    assert difference.changes([new], [old]) == [
        difference.Change("of-a-plugin", "of-a-plugin", ["a"])
    ]
    assert difference.changes([old], [old]) == []


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
    assert list(difference.lines([], [live], [deployment("a", generation=2)])) == []
    lines = list(difference.lines([], [live], [deployment("b")]))
    assert "-  image: a" in lines
    assert "+  image: b" in lines
    assert not any("uid" in line or "last-applied" in line for line in lines)


def test_a_new_object_is_all_new() -> None:
    lines = list(difference.lines([], [], [deployment("b")]))
    assert lines[1] == "+++ new: Deployment lms"
    assert "+  image: b" in lines


def with_env(**values: str) -> dict[str, Any]:
    env = [{"name": name, "value": value} for name, value in values.items()]
    container = {"name": "lms", "image": "i", "args": ["sh", *values.values()], "env": env}
    return {
        "kind": "Deployment",
        "metadata": {"name": "lms", "annotations": {"a": ",".join(values.values())}},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def test_what_was_in_the_cluster_before_is_hidden() -> None:
    """It may be in plain text, of no value that is known here; what is applied is shown."""
    applied = with_env(A="$(TUTOR_SECRET_A)", B="b")
    live = with_env(A="s3cret-value", B="b", OTHER="s3cret-too")
    # As Kubernetes leaves what somebody else has added.
    planned = with_env(A="$(TUTOR_SECRET_A)", B="b", OTHER="s3cret-too")
    lines = list(difference.lines([applied], [live], [planned]))
    assert not any("s3cret" in line for line in lines)
    assert "-          value: <hidden>" in lines
    assert "+          value: $(TUTOR_SECRET_A)" in lines
    assert "         - name: B" in lines
    assert [line for line in lines if "OTHER" in line and line[0] in "+-"] == []


def test_a_file_is_hidden_line_by_line() -> None:
    def configmap(text: str) -> dict[str, Any]:
        return {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a.py": text}}

    applied = configmap("A = 1\nB = 2\n")
    lines = list(difference.lines([applied], [configmap("A = 1\nB = 's3cret'\n")], [applied]))
    assert [line for line in lines[3:] if line[0] in "+-"] == ["-    <hidden>", "+    B = 2"]


def test_values_are_masked() -> None:
    """The longer first, or what is left of it would be a hint."""
    values = {token("A"): "s3cret-value", token("B"): "s3cret-value-longer", token("C"): "x"}
    text = "x s3cret-value-longer s3cret-value"
    assert difference.masked(text, values) == "x <B> <A>"
