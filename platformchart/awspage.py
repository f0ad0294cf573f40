"""The tables of docs/reference/platform-aws.md, made of the chart and of what it needs of AWS."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from platformchart import iam

TEMPLATE = "{{ .Values.global.clusterName }}"


def group_tags(values: Mapping[str, Any]) -> dict[str, str]:
    """The tags by which the chart's autoscaler finds groups, with the values that they need."""
    listed = values["cluster-autoscaler"]["autoDiscovery"]["tags"]
    named = [tag.replace(TEMPLATE, iam.CLUSTER) for tag in listed]
    return {tag: iam.GROUP_TAGS[tag] for tag in named}


def groups(values: Mapping[str, Any]) -> str:
    """The same, as a table."""
    rows = [(f"`{tag}`", f"`{value}`") for tag, value in group_tags(values).items()]
    return _table(("tag", "value"), rows)


def accounts() -> str:
    """Who has a role, and what the role is called."""
    rows = [
        (
            f"`{iam.NAMESPACE}/{each.name}`",
            f"`{each.role(iam.CLUSTER)}`" if each.statements else "none",
            f"`components.{each.component}`",
        )
        for each in iam.ACCOUNTS
    ]
    return _table(("service account", "role", "if"), rows)


def policies() -> str:
    """The policy of each role, as a document."""
    parts = [
        f"\n### {each.name}\n\n[Source]({each.source})\n\n"
        f"```json\n{json.dumps(each.policy(iam.CLUSTER), indent=1)}\n```\n"
        for each in iam.ACCOUNTS
        if each.statements
    ]
    return "".join(parts)


def subnets() -> str:
    """The tags of each kind of subnet."""
    rows = [
        (kind, f"`{tag}`", f"`{value}`")
        for kind, tags in iam.SUBNET_TAGS.items()
        for tag, value in tags.items()
    ]
    return _table(("subnets", "tag", "value"), rows)


def ports() -> str:
    """What security groups have to let in at nodes, or at pods with groups of their own."""
    called = [
        ("the API server", f"`{name}`", str(port), what)
        for name, (port, what) in iam.FROM_API_SERVER.items()
    ]
    served = [
        ("the load balancers", f"`{name}`", str(port), what)
        for name, listed in iam.FROM_LOAD_BALANCERS.items()
        for port, what in zip(listed, ("requests", "health"), strict=True)
    ]
    return _table(("from", "pods", "port", "for"), [*called, *served])


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(header), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
