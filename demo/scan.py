"""Where secret values stand, and where they do not. Pure but for `files_below`."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from tutor import utils
from tutorplatform.manifests import Manifest

LEAST_DIGITS = 8


def forms(value: str) -> set[str]:
    """The texts as which a value may have leaked: as it is, quoted for a URL or JSON, in base64.

    Inside of a longer text, its base64 depends on what is before it.
    """
    return {value, quote(value, safe=""), json.dumps(value)[1:-1], *_inside_base64(value.encode())}


def _inside_base64(value: bytes) -> Iterator[str]:
    for offset in range(3):
        code = b64encode(bytes(offset) + value).decode().rstrip("=")
        # The first and last digits have bits of the neighbours in them.
        inner = code[(0, 2, 3)[offset] : len(code) - ((offset + len(value)) % 3 != 0)]
        # Less would be found by chance.
        if len(inner) >= LEAST_DIGITS:
            yield inner


def found_in(text: str, values: Mapping[str, str]) -> set[str]:
    """The names of the values that stand in `text` in one of their forms."""
    return {name for name, value in values.items() if any(form in text for form in forms(value))}


def with_derived(values: Mapping[str, str]) -> dict[str, str]:
    """The values, and what Tutor's templates make of them: the numbers of each RSA key."""
    derived = dict(values)
    for name, value in values.items():
        if "PRIVATE KEY" in value:
            key = utils.rsa_import_key(value)
            for part in ("d", "p", "q", "dp", "dq", "invq"):
                derived[f"{name}.{part}"] = utils.long_to_base64(getattr(key, part))
    return derived


def leaks(texts: Mapping[str, str], values: Mapping[str, str]) -> dict[str, set[str]]:
    """Place → names of the values found there, for the places that have any."""
    return {place: names for place, text in texts.items() if (names := found_in(text, values))}


def object_texts(objects: Iterable[Manifest]) -> dict[str, str]:
    """`Kind/name` → the object as text, of everything but Secrets."""
    return {
        f"{item['kind']}/{item['metadata']['name']}": json.dumps(item, ensure_ascii=False)
        for item in objects
        if item["kind"] != "Secret"
    }


def secret_texts(objects: Iterable[Manifest]) -> dict[str, str]:
    """Secret's name → its decoded content."""
    return {
        item["metadata"]["name"]: "\n".join(
            b64decode(data).decode(errors="replace") for data in (item.get("data") or {}).values()
        )
        for item in objects
        if item["kind"] == "Secret"
    }


def files_below(folder: Path) -> Iterator[tuple[str, str]]:
    """(path, content) of every file below a folder, decoded as far as it goes."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path), path.read_text(encoding="utf-8", errors="replace")
