"""The table of what the aws plugin makes of Open edX' settings: docs/reference/wiring.md.

`make docs` writes it anew. Nothing in it is written by hand but where a setting is read:
the values are those that the rendered files have when they are run, the tests those that
carry the marker `wires`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from demo.tutor import TutorRoot
from tests.render.edx_platform import PLUGIN_FILES, platform_settings, plugin_settings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "wiring.md"
TESTS = Path(__file__).parents[1]
SOURCES = yaml.safe_load((Path(__file__).parent / "sources.yml").read_text(encoding="utf-8"))

PLUGINS = ("forum", "mfe", *PLUGIN_FILES)
SECRET = "s3cr/t+%"
EXAMPLE: dict[str, Any] = {
    "AWS_REGION": "eu-west-1",
    "AWS_MYSQL": {"host": "db.internal", "reader_host": "db-ro.internal"},
    "AWS_REDIS": {
        "host": "cache.internal",
        "username": "acme",
        "celery_database": 2,
        "cache_database": 3,
    },
    "AWS_MONGODB": {"hosts": ["mongo-a.internal", "mongo-b.internal"], "replica_set": "rs0"},
    "AWS_OPENSEARCH": {"host": "search.internal"},
    "AWS_S3": {
        "private_bucket": "acme-private",
        "public_bucket": "acme-public",
        "public_host": "cdn.acme.org",
    },
    "AWS_SES": {"configuration_set": "acme-events"},
    "REDIS_PASSWORD": SECRET,
    "MONGODB_PASSWORD": SECRET,
    "OPENSEARCH_PASSWORD": SECRET,
}
HEAD = """# What the aws plugin makes of Open edX' settings

<!-- Written by `make docs`; a test compares it with the code. -->

For an instance called `acme`, with every service outside the cluster. A value is what the rendered
files give when they are run; `…` stands for a secret. Where a mapping has more in it, only what the
plugin changes is shown. "Read in" is where the platform, or a library in its image, takes the
setting from. [Settings of the aws plugin](aws.md) tells what to set.
"""

Run = Callable[[TutorRoot, str], dict[str, Any]]
SERVICES: dict[str, Run] = {
    "lms": platform_settings,
    "cms": platform_settings,
    **dict.fromkeys(PLUGIN_FILES, plugin_settings),
}


@dataclass(frozen=True)
class Row:
    """A setting of some services that all get the same value."""

    services: tuple[str, ...]
    setting: str
    value: str

    @property
    def key(self) -> str:
        """As in the marker `wires` and in sources.yml: a plugin's settings are its own."""
        plugin = self.services[0]
        return f"{plugin}:{self.setting}" if plugin in PLUGIN_FILES else self.setting


def rows(ours: TutorRoot, vanilla: TutorRoot) -> list[Row]:
    """What the plugin changes, in the order of SERVICES."""
    secrets = [value for key, value in ours.config().items() if key.endswith(("KEY", "PASSWORD"))]
    found: dict[tuple[str, str], list[str]] = {}
    for service, run in SERVICES.items():
        before, after = run(vanilla, service), run(ours, service)
        for name in after:
            if name.isupper() and not name.startswith(("_", "ENV_TOKENS")):
                value = masked(shown(before.get(name, ...), after[name]), secrets)
                if value:
                    found.setdefault((name, value), []).append(service)
    return [
        Row(tuple(services), name, value)
        for (name, value), services in sorted(found.items(), key=lambda item: item[0])
    ]


def shown(before: Any, after: Any) -> str:
    """What differs, as lines of code; nothing for the same value."""
    if before == after:
        return ""
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return f"`{_text(after)}`"
    return "<br>".join(f"`{path}: {value}`" for path, value in _alike(_leaves(before, after)))


def _leaves(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each value in `after` that is another in `before`, with the keys that lead to it."""
    if isinstance(after, Mapping) and isinstance(before, Mapping):
        for key in after:
            if before.get(key) != after[key]:
                yield from _leaves(before.get(key), after[key], f"{path}.{key}" if path else key)
    elif isinstance(after, list) and isinstance(before, list) and len(after) == len(before):
        for one, other in zip(before, after, strict=True):
            yield from _leaves(one, other, f"{path}[]")
    else:
        yield path, _text(after)


def masked(text: str, secrets: Iterable[str]) -> str:
    """`text` without the secrets, which are others in every root."""
    for secret in secrets:
        text = text.replace(secret, "…").replace(quote(secret, safe=""), "…")
    return text


def _alike(leaves: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """One of several values that lie under the same key of entries side by side."""
    count: dict[str, int] = {}
    first: dict[str, tuple[str, str]] = {}
    for path, value in leaves:
        entry, _, rest = path.partition(".")
        group = rest or entry
        count[group] = count.get(group, 0) + 1
        first.setdefault(group, (path, value))
    for group, (path, value) in first.items():
        more = f" (and {count[group] - 1} more)" if count[group] > 1 else ""
        yield path, value + more


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    # The address of a function is another in each run.
    text = re.sub(r"<function .*? at 0x[0-9a-f]+>", "<function>", text)
    return text.replace("|", "\\|")


def tests() -> dict[str, list[tuple[str, str]]]:
    """Setting → the tests that carry the marker `wires` for it, as (file, function)."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        if "mark.wires" in path.read_text(encoding="utf-8"):
            file = path.relative_to(TESTS.parent)
            module = import_module(".".join(file.with_suffix("").parts))
            for name, item in vars(module).items():
                for mark in getattr(item, "pytestmark", []):
                    for setting in mark.args if mark.name == "wires" else []:
                        found.setdefault(setting, []).append((str(file), name))
    return found


def page(found: list[Row]) -> str:
    """The whole page. KeyError for a setting without a source, or without a test."""
    tested = tests()
    lines = [
        "| Service | Setting | Value | Read in | Tested by |",
        "|---|---|---|---|---|",
        *(
            f"| {', '.join(row.services)} | `{row.setting}` | {row.value} | {SOURCES[row.key]} | "
            f"{'<br>'.join(f'[{name}](../../{file})' for file, name in tested[row.key])} |"
            for row in found
        ),
    ]
    return "\n".join([HEAD, *lines, ""])


def roots(folder: Path, certificate: str) -> tuple[TutorRoot, TutorRoot]:
    """The example's root below `folder`, and one of Tutor's own; both rendered."""
    ca_file = folder / "ca.pem"
    ca_file.write_text(certificate)
    acme, vanilla = TutorRoot(folder / "acme"), TutorRoot(folder / "vanilla")
    files = {"ca_file": str(ca_file)}
    settings = {key: {**EXAMPLE[key], **files} for key in ("AWS_MYSQL", "AWS_MONGODB")}
    acme.write_config({**EXAMPLE, **settings, "K8S_NAMESPACE": "acme"}, ["aws", *PLUGINS])
    acme.run("config", "save")
    # With the same passwords and keys.
    same = {key: value for key, value in acme.config().items() if key not in EXAMPLE}
    vanilla.write_config({**same, "ENABLE_HTTPS": True}, PLUGINS)
    vanilla.run("config", "save")
    return acme, vanilla


def main() -> None:
    """Write the page."""
    import tempfile

    from tests.render.aws_services import CERTIFICATE

    with tempfile.TemporaryDirectory() as folder:
        found = rows(*roots(Path(folder), CERTIFICATE))
    tested = tests()
    missing = [row.key for row in found if row.key not in SOURCES or row.key not in tested]
    if missing:
        sys.exit(f"without a source in sources.yml, or a test that wires it: {', '.join(missing)}")
    PAGE.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
