"""What an expression of Prometheus asks for, and what of it does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import promql_parser as promql
import yaml

LISTED = Path(__file__).with_name("metrics.yml")

# Prometheus and its operator give these to whatever they read.
TARGET_LABELS = {"container", "endpoint", "instance", "job", "namespace", "pod"}

Node = TypeVar("Node", bound=promql.Expr)

# What Grafana fills in, and what it may look like.
VARIABLES = {"$__rate_interval": "5m", "$namespace": "acme", "$platform": "platform"}


def known_metrics() -> dict[str, set[str]]:
    """Metric → labels, of everything in metrics.yml; a histogram with its buckets' name, too."""
    programs = yaml.safe_load(LISTED.read_text()).values()
    listed = {name: set(own) for each in programs for name, own in each["metrics"].items()}
    buckets = {f"{name}_bucket": {*own, "le"} for name, own in listed.items()}
    return {**buckets, **listed}


def filled(expression: str) -> str:
    """The expression with Grafana's variables replaced."""
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


def of_query(query: str) -> tuple[str, str]:
    """Of Grafana's `label_values(EXPRESSION, LABEL)`: the two."""
    found = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
    assert found, f"{query}: is no label_values(EXPRESSION, LABEL)"
    return found[1], found[2]


def chosen(expression: str) -> list[dict[str, str]]:
    """What each choice of a metric in an expression asks of the labels, by their names."""
    found = selectors(promql.parse(filled(expression)))
    return [{m.name: m.value for m in each.matchers.matchers} for each in found]


def mistakes(expression: str, known: Mapping[str, set[str]]) -> Iterator[str]:
    """Metrics and labels that do not exist. ValueError if it is no expression."""
    tree = promql.parse(filled(expression))
    for selector in selectors(tree):
        if selector.name not in known:
            yield f"{selector.name}: no such metric"
            continue
        used = {matcher.name for matcher in selector.matchers.matchers}
        for label in used - known[str(selector.name)] - TARGET_LABELS:
            yield f"{selector.name}: no label {label}"
    for aggregate in nodes(tree, promql.AggregateExpr):
        modifier = aggregate.modifier
        if modifier and modifier.type == promql.AggModifierType.By:
            there = [
                known.get(str(s.name), set()) | TARGET_LABELS for s in selectors(aggregate.expr)
            ]
            for label in modifier.labels:
                if not all(label in each for each in there):
                    yield f"by ({label}): no such label"


def selectors(tree: promql.Expr) -> list[promql.VectorSelector]:
    """Each choice of a metric in an expression."""
    return nodes(tree, promql.VectorSelector)


def nodes(tree: promql.Expr, kind: type[Node]) -> list[Node]:
    """All parts of an expression that are of a kind."""
    found: list[Node] = []

    def visit(node: promql.Expr) -> None:
        if isinstance(node, kind):
            found.append(node)

    promql.walk(tree, visit)
    return found
