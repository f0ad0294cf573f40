"""What our patches make of Tutor's Caddyfiles, as Caddy reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from localcluster import binaries
from localservices.caddy import adapted

from tests.conftest import NewRoot

pytestmark = pytest.mark.services

OFFICIAL = ("credentials", "discovery", "forum", "mfe", "notes", "xqueue")
FILES = ("apps/caddy/Caddyfile", "plugins/mfe/apps/mfe/Caddyfile")
OURS = ("load_balancing", "request_buffers", "transport")

# What a request has to match on its way, and the handler that it comes to.
Step = tuple[list[Any], dict[str, Any]]


@pytest.fixture(scope="module", params=[(), ("aws",)], ids=["Tutor", "aws"])
def pairs(new_root: NewRoot, request: pytest.FixtureRequest) -> list[tuple[Any, Any]]:
    """Each Caddyfile without and with the autoscale plugin."""
    caddy = binaries.ensure(["caddy"], print)["caddy"]
    roots = []
    for ours in ((), ("autoscale",)):
        roots.append(new_root(*OFFICIAL, *request.param, *ours, ENABLE_WEB_PROXY=False))
        roots[-1].run("config", "save")
    return [
        (before, after)
        for file in FILES
        for before, after in [[adapted(caddy, (r.path / "env" / file).read_text()) for r in roots]]
    ]


def steps(config: Any, matched: list[Any]) -> Iterator[Step]:
    """All steps of a configuration, in Caddy's order."""
    if isinstance(config, list):
        for each in config:
            yield from steps(each, matched)
    elif isinstance(config, dict):
        matched = [*matched, *config.get("match", [])]
        if "handler" in config and config["handler"] != "subroute":
            yield matched, config
        else:
            for value in config.values():
                yield from steps(value, matched)


def is_ours(step: Step) -> bool:
    return step[1]["handler"] == "reverse_proxy" and "load_balancing" in step[1]


def as_tutors(step: Step) -> Step:
    """One of ours without what is ours."""
    matched, handler = step
    return (
        [each for each in matched if each != {"path": ["/*"]}],
        {name: value for name, value in handler.items() if name not in OURS},
    )


def test_whatever_tutor_says_of_requests_stays(pairs: list[tuple[Any, Any]]) -> None:
    """Limits of bodies, headers, refusals, logs: all but our own ways to pods is the same."""
    for before, after in pairs:
        theirs = [step for step in steps(after, []) if not is_ours(step)]
        assert theirs == list(steps(before, []))


def test_each_way_to_pods_is_one_of_tutors(pairs: list[tuple[Any, Any]]) -> None:
    """To the same address, with the same headers, for the same paths; and it comes before."""
    for before, after in pairs:
        found = list(steps(after, []))
        ours = [as_tutors(step) for step in found if is_ours(step)]
        assert ours
        assert ours == [step for step in steps(before, []) if step[1]["handler"] == "reverse_proxy"]
        for place, step in enumerate(found):
            if is_ours(step):
                assert as_tutors(step) in found[place + 1 :]
