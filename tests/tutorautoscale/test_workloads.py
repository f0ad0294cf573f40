"""Which workloads scale on an instance, and that their defaults fit a small node group."""

from __future__ import annotations

import pytest
from localcluster.model import NodeShape
from tutorautoscale.profile import effective
from tutorautoscale.workloads import PROFILES, absent, present
from tutorplatform.quantity import cpu_millicores, memory_bytes

CORE = ["cms", "cms-worker", "lms", "lms-worker"]


@pytest.mark.parametrize(
    ("web_proxy", "plugins", "expected"),
    [
        (False, {"mfe"}, ["caddy", *CORE, "mfe"]),
        (False, set(), ["caddy", *CORE]),
        (True, {"mfe"}, [*CORE, "mfe"]),
        (True, set(), CORE),
    ],
    ids=["all", "no mfe", "Caddy with a volume", "neither"],
)
def test_what_can_scale_does(web_proxy: bool, plugins: set[str], expected: list[str]) -> None:
    """The mfe needs its plugin, and Caddy must not be tied to a volume; both are explained."""
    config = {"ENABLE_WEB_PROXY": web_proxy}
    assert list(present(config, plugins)) == expected
    assert {*present(config, plugins), *absent(config, plugins)} == set(PROFILES)


def test_the_defaults_are_usable() -> None:
    """All defaults pass the checks that settings pass, and give two replicas at least."""
    assert effective(PROFILES, {}, {}) == dict(PROFILES)
    assert all(2 <= profile.min <= profile.max for profile in PROFILES.values())


def test_two_instances_fit_four_nodes_while_they_are_updated() -> None:
    """After the loss of one of three zones, two instances with a surge pod each still fit.

    An eighth of each node is left for what else runs there: Meilisearch, agents, the platform.
    """
    pods = [profile for profile in PROFILES.values() for _ in range(2 * (profile.min + 1))]
    node = NodeShape(instance_type="m6i.xlarge").allocatable
    cpu = sum(cpu_millicores(profile.cpu.request, "cpu") for profile in pods)
    memory = sum(memory_bytes(profile.memory.request, "memory") for profile in pods)
    assert cpu <= 4 * cpu_millicores(node["cpu"], "node") * 7 / 8
    assert memory <= 4 * memory_bytes(node["memory"], "node") * 7 / 8
