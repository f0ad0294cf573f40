"""Edge: docs/reference/platform-aws.md, made of the chart and of what it needs of AWS.

python -m platformchart.awspage
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from platformchart import iam
from platformchart.upstream import CHART, ROOT

PAGE = ROOT / "docs" / "reference" / "platform-aws.md"
TEMPLATE = "{{ .Values.global.clusterName }}"


def written(text: str) -> str:
    """The page with its generated parts made anew."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    parts = {
        "accounts": accounts(),
        "policies": policies(),
        "groups": _tags(group_tags(values)),
        "subnets": subnets(),
        "ports": ports(),
    }
    for name, part in parts.items():
        begin, end = f"<!-- {name}: generated -->\n", "<!-- end -->"
        before, found, rest = text.partition(begin)
        assert found, f"{PAGE.name} has no place for {name}"
        text = f"{before}{begin}{part}{end}{rest.partition(end)[2]}"
    return text


def group_tags(values: Mapping[str, Any]) -> dict[str, str]:
    """The tags by which the chart's autoscaler finds groups, with the values that they need."""
    listed = values["cluster-autoscaler"]["autoDiscovery"]["tags"]
    named = [tag.replace(TEMPLATE, iam.CLUSTER) for tag in listed]
    return {tag: iam.GROUP_TAGS[tag] for tag in named}


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


def _tags(tags: Mapping[str, str]) -> str:
    return _table(("tag", "value"), [(f"`{tag}`", f"`{value}`") for tag, value in tags.items()])


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(header), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
