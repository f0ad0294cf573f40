"""Which values stand in a text, whatever wrote them there. Pure."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from tutorsecrets.rewriting.plain import LEAST_LENGTH
from tutorsecrets.tokens import parse

# Between the lines of a value: in a file it may be indented, in JSON or Python escaped.
BETWEEN_LINES = re.compile(r"\s+|\\n|\\r")


def keys_found(searched: Iterable[str], values: Mapping[str, str]) -> list[str]:
    """The settings of which a value stands in one of these texts.

    As it is, in a URL, in base64, within the quotes of JSON or Python, or line by line. Values of
    less than LEAST_LENGTH characters are not looked for: they are found by chance.
    """
    texts = [(text, BETWEEN_LINES.sub("", text)) for text in searched]
    return sorted(
        {
            parse(token).key
            for token, value in values.items()
            if len(value) >= LEAST_LENGTH and any(_stands_in(value, *text) for text in texts)
        }
    )


def _stands_in(value: str, text: str, without_lines: str) -> bool:
    if any(form in text for form in _forms(value)):
        return True
    compact = BETWEEN_LINES.sub("", value)
    return "\n" in value and len(compact) >= LEAST_LENGTH and compact in without_lines


def _forms(value: str) -> Iterator[str]:
    yield value
    yield quote(value, safe="")
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield base64.b64encode(value.encode()).decode().rstrip("=")
