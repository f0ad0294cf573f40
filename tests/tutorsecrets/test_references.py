"""Objects other than workloads that refer to a ConfigMap with a secret in it."""

from __future__ import annotations

from typing import Any

import pytest
from tutorplatform.errors import DeployError
from tutorsecrets.rewriting.references import following

NAMES = {"c": "c-0123456789"}


def authentication(**spec: Any) -> dict[str, Any]:
    return {"kind": "TriggerAuthentication", "metadata": {"name": "redis"}, "spec": spec}


def test_keda_reads_the_secret_instead() -> None:
    """Beside those that it refers to already, and ConfigMaps that stay what they are."""
    reference = {"parameter": "password", "name": "c", "key": "k"}
    other = {"parameter": "host", "name": "other", "key": "k"}
    own = {"parameter": "user", "name": "own", "key": "k"}
    assert following(
        authentication(configMapTargetRef=[reference, other], secretTargetRef=[own]), NAMES
    ) == authentication(
        configMapTargetRef=[other], secretTargetRef=[own, {**reference, "name": "c-0123456789"}]
    )


def test_keda_without_references_stays_as_it_is() -> None:
    assert following(authentication(env=[]), NAMES) == authentication(env=[])


def test_an_unknown_kind_that_refers_to_it_is_refused() -> None:
    """It would look for a ConfigMap that is not there."""
    manifest = {
        "kind": "Certificate",
        "metadata": {"name": "x"},
        "spec": {"caConfigMapRef": {"name": "c"}},
    }
    with pytest.raises(DeployError, match=r"^Certificate x: refers to ConfigMap c, which becomes"):
        following(manifest, NAMES)


@pytest.mark.parametrize(
    "manifest",
    [
        {"kind": "Service", "metadata": {"name": "c"}, "spec": {"selector": {"app": "c"}}},
        {"kind": "Certificate", "metadata": {"name": "x"}, "spec": {"configMap": "other"}},
    ],
    ids=["same name by chance", "another ConfigMap"],
)
def test_what_does_not_refer_to_it_passes(manifest: dict[str, Any]) -> None:
    assert following(manifest, NAMES) == manifest
