"""What values.yaml says of each value, in the comments above it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

# A longer default is looked up in the file.
SHOWN = 60


@dataclass(frozen=True)
class Value:
    """A value: `edge.loadBalancers[].name`, its default, and what the comment above it says.

    `is_leaf` says that nothing below it is described on its own.
    """

    path: str
    default: object
    description: str
    is_leaf: bool


def described(text: str) -> list[Value]:
    """Every value of a values.yaml, from top to bottom; mappings come before what is in them."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    return list(_values(root, "", text.splitlines()))


def undescribed(values: Sequence[Value], others: Sequence[str] = ()) -> list[str]:
    """Paths of leaves without a comment; in the blocks `others` one further up counts, too."""
    said = {value.path for value in values if value.description}

    def has_words(value: Value) -> bool:
        parts = value.path.split(".")
        above = {".".join(parts[:count]) for count in range(1, len(parts))}
        return value.path in said or (parts[0] in others and bool(above & said))

    return [value.path for value in values if value.is_leaf and not has_words(value)]


def table(values: Sequence[Value]) -> str:
    """A Markdown table with a row for every value that is described or is a leaf."""
    rows = [
        (f"`{value.path}`", _shown(value), value.description)
        for value in values
        if value.description or value.is_leaf
    ]
    lines = [("value", "default", "what it is"), ("---", "---", "---"), *rows]
    return "".join(f"| {' | '.join(map(_escaped, cells))} |\n" for cells in lines)


def _values(node: yaml.MappingNode, prefix: str, lines: Sequence[str]) -> Iterator[Value]:
    for key, value in node.value:
        path = f"{prefix}{key.value}"
        comment = _comment(key, lines)
        below = f"{path}[]." if isinstance(value, yaml.SequenceNode) else f"{path}."
        inner = list(_values(_mapping(value), below, lines))
        # `{requests.cpu: "40", pods: "300"}` is one value, in whatever style.
        is_leaf = not inner or (bool(comment) and not any(each.description for each in inner))
        yield Value(path, _loaded(value), comment, is_leaf)
        if not is_leaf:
            yield from inner


def _mapping(node: yaml.Node) -> yaml.MappingNode:
    """The mapping itself, that of the only entry of a list, or an empty one."""
    if isinstance(node, yaml.SequenceNode) and len(node.value) == 1:
        node = node.value[0]
    return node if isinstance(node, yaml.MappingNode) else yaml.MappingNode("", [])


def _comment(key: yaml.Node, lines: Sequence[str]) -> str:
    """The lines of comment right above, as one; an empty line ends them."""
    found: list[str] = []
    # In `{cpu: 100m}` the comment above is that of what the mapping belongs to.
    if lines[key.start_mark.line][: key.start_mark.column].strip(" -"):
        return ""
    for line in reversed(lines[: key.start_mark.line]):
        if not line.strip().startswith("#"):
            break
        found.insert(0, line.strip().lstrip("#").strip())
    return " ".join(found)


def _loaded(node: yaml.Node) -> object:
    return yaml.safe_load(yaml.serialize(node))


def _shown(value: Value) -> str:
    if not value.is_leaf:
        return ""
    text = json.dumps(value.default, ensure_ascii=False)
    return f"`{text}`" if len(text) <= SHOWN else "in values.yaml"


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace("<", "&lt;")
