"""What the API server would say of objects: schemas of Kubernetes, and of CRDs from contract data.

ServiceMonitor and PrometheusRule are Prometheus Operator's; no schema of theirs is here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import jsonschema
import kubernetes_validate
import yaml
from kubernetes_validate import SchemaNotFoundError
from tutorplatform.manifests import Manifest

from platformchart.upstream import CONTRACTS

NEWEST = "1.36.0"
NO_SCHEMA = "no schema is known"
WITHOUT_SCHEMA = {"PodMonitor", "PrometheusRule", "ServiceMonitor"}


def problems(manifest: Manifest, kubernetes: str) -> list[str]:
    """What is wrong with an object: unknown fields, wrong types, what is missing."""
    name = f"{manifest['kind']} {manifest['metadata']['name']}"
    return [f"{name}: {problem}" for problem in _problems(json.dumps(manifest), kubernetes)]


# Variants have most objects in common, and each look costs 35 ms.
@cache
def _problems(text: str, kubernetes: str) -> list[str]:
    manifest = json.loads(text)
    custom = crds().get((manifest["apiVersion"], manifest["kind"]))
    if custom:
        found = jsonschema.Draft202012Validator(custom).iter_errors(manifest)
        return [f"{error.json_path}: {error.message}" for error in found]
    try:
        kubernetes_validate.validate(manifest, kubernetes, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{'.'.join(map(str, error.path))}: {error.message}"]
    except SchemaNotFoundError:
        return [NO_SCHEMA]
    return []


def unknown(objects: Iterable[Manifest]) -> set[str]:
    """The kinds that there is no schema for."""
    return {each["kind"] for each in objects if NO_SCHEMA in _problems(json.dumps(each), NEWEST)}


@cache
def crds() -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """(apiVersion, kind) → schema, of every version that is served."""
    return {
        (f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"]): _object(
            version["schema"]["openAPIV3Schema"]
        )
        for file in sorted(CONTRACTS.glob("*/crds/*.yaml"))
        for crd in yaml.safe_load_all(file.read_text())
        if crd and crd["kind"] == "CustomResourceDefinition"
        for version in crd["spec"]["versions"]
    }


def _object(schema: Mapping[str, Any]) -> dict[str, Any]:
    """An object's schema; what its metadata may be is no matter of the CRD."""
    closed: dict[str, Any] = _closed(schema)
    return {**closed, "properties": {**closed["properties"], "metadata": {"type": "object"}}}


def _closed(node: Any) -> Any:
    """The same with no other properties than those that are named: the API server prunes them."""
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    inner = {key: _closed(value) for key, value in node.items()}
    open_ = node.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in node
    if isinstance(node.get("properties"), dict) and node.get("type") == "object" and not open_:
        return {**inner, "additionalProperties": False}
    return inner
