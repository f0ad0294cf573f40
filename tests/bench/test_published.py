"""What the documentation says of the comparison is what the last run has measured."""

from __future__ import annotations

from pathlib import Path

from bench import outcomes, picture, rows
from bench.outcomes import Outcome
from bench.variants import OURS, VARIANTS

DOCS = Path(__file__).parents[2] / "docs"


def published() -> list[Outcome]:
    """The outcomes of docs/resilience.csv."""
    return [
        Outcome(
            row["fault"],
            row["variant"],
            int(row["zero_s"]),
            int(row["least_percent"]),
            *(int(text) if text else None for text in list(row.values())[4:]),
        )
        for row in rows.read(DOCS / "resilience.csv")
    ]


def test_the_published_picture_shows_the_published_numbers() -> None:
    drawn = picture.svg(outcomes.worst_zone(published()), VARIANTS)
    assert drawn == (DOCS / "resilience.svg").read_text()


def test_the_published_numbers_meet_our_targets() -> None:
    ours = [each for each in published() if each.variant == OURS.name]
    claims = outcomes.claims(ours, start_s=45)
    assert len(claims) >= 2 * len(VARIANTS)
    assert [claim for claim, holds, _ in claims if not holds] == []


def test_the_page_says_what_the_numbers_say() -> None:
    """Each row of its table is of the CSV: without a pod, least, full strength."""
    page = (DOCS / "explanation" / "resilience.md").read_text()
    table = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("| ") and line.count("|") == len(VARIANTS) + 2
    ]
    header, *lines = table
    assert header[1:] == [variant.title for variant in VARIANTS]
    found = {(each.fault, each.variant): each for each in published()}
    faults = list(dict.fromkeys(each.fault for each in published()))
    assert [row[0] for row in lines] == faults
    for fault, *cells in lines:
        for variant, cell in zip(VARIANTS, cells, strict=True):
            assert cell == said(found.get((fault, variant.name))), (fault, variant.name)


def said(each: Outcome | None) -> str:
    if each is None:
        return "not hit"
    return f"{each.zero_s} · {each.least_percent} % · {each.full_after_s}"
