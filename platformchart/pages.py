"""Edge: the generated parts of pages; `python -m platformchart docs` writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from platformchart import awspage, values
from platformchart.errors import ChartError
from platformchart.upstream import CHART, ROOT, dependencies

# The page → its parts, by the names in its comments.
PAGES: Mapping[Path, Mapping[str, Callable[[], str]]] = {
    CHART / "README.md": {
        "charts": lambda: charts(),
        "values": lambda: values.table(values.described((CHART / "values.yaml").read_text())),
    },
    ROOT / "docs" / "reference" / "platform-aws.md": {
        "accounts": awspage.accounts,
        "policies": awspage.policies,
        "groups": lambda: awspage.groups(yaml.safe_load((CHART / "values.yaml").read_text())),
        "subnets": awspage.subnets,
        "ports": awspage.ports,
    },
}


def write() -> None:
    """Write every page anew."""
    for page in PAGES:
        page.write_text(written(page))


def written(page: Path) -> str:
    """The page with its generated parts made anew."""
    text = page.read_text()
    for name, make in PAGES[page].items():
        begin, end = f"<!-- {name}: generated -->\n", "<!-- end -->"
        before, found, rest = text.partition(begin)
        if not found:
            raise ChartError(str(page), f"no place for {name}", f"write {begin}{end} into it")
        text = f"{before}{begin}{make()}{end}{rest.partition(end)[2]}"
    return text


def charts() -> str:
    """A table of the charts that this one depends on."""
    rows = [
        f"| [{each['name']}]({each['repository']}) | {each['version']} | `{each['condition']}` |\n"
        for each in dependencies(CHART)
    ]
    return "".join(["| chart | version | installed if |\n", "| --- | --- | --- |\n", *rows])
