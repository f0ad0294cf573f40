"""Reading and writing manifests changes no value."""

from __future__ import annotations

import pytest
from tutorplatform import manifests


@pytest.mark.parametrize(
    "text",
    ["2001-01-01", "=", "<<", "2001-01-01 10:00:00"],
)
def test_texts_that_yaml_1_1_would_turn_into_something_else_stay_texts(text: str) -> None:
    assert manifests.load(f"data: {{key: {text}}}") == [{"data": {"key": text}}]


def test_empty_documents_are_left_out() -> None:
    assert manifests.load("---\n---\nkind: A\n---\n") == [{"kind": "A"}]
    assert manifests.load("") == []


def test_every_dumped_document_starts_with_dashes() -> None:
    """Without them the text would merge into what another plugin wrote before it."""
    dumped = manifests.dump([{"kind": "A"}, {"kind": "B"}])
    assert dumped.startswith("---\n")
    assert manifests.load(dumped) == [{"kind": "A"}, {"kind": "B"}]


def test_nothing_is_dumped_as_exactly_nothing() -> None:
    """Mere whitespace in a patch breaks kustomize."""
    assert manifests.dump([]) == ""


POD = {"containers": [{"name": "c"}]}


@pytest.mark.parametrize(
    ("manifest", "pod"),
    [
        ({"kind": "Pod", "spec": POD}, POD),
        ({"kind": "Deployment", "spec": {"template": {"spec": POD}}}, POD),
        ({"kind": "Job", "spec": {"template": {"spec": POD}}}, POD),
        ({"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": POD}}}}}, POD),
        ({"kind": "Service", "spec": {"ports": []}}, None),
        ({"kind": "ConfigMap"}, None),
        ({"kind": "Other", "spec": {"template": "text"}}, None),
    ],
    ids=lambda value: value.get("kind") if isinstance(value, dict) else None,
)
def test_a_pod_spec_is_found_wherever_a_kind_keeps_it(
    manifest: manifests.Manifest, pod: dict[str, object] | None
) -> None:
    assert manifests.pod_spec(manifest) == pod


def test_objects_are_picked_by_kind_in_their_order() -> None:
    objects: list[manifests.Manifest] = [
        {"kind": "A", "n": 1},
        {"kind": "B"},
        {"kind": "A", "n": 2},
    ]
    assert list(manifests.of_kind(objects, "A")) == [objects[0], objects[2]]
    assert list(manifests.of_kind(objects)) == []


def test_name_and_labels() -> None:
    assert manifests.name({"metadata": {"name": "n"}}) == "n"
    assert manifests.labels({"metadata": {"name": "n"}}) == {}
