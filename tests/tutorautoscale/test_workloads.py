"""What workloads have by default: those that we know, and those that nobody told us about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from localcluster.model import NodeShape
from tutorautoscale.discovery import Brought, Deployment
from tutorautoscale.profile import Probe, Profile, Queue, Requests, Resource, Sidecar, consistent
from tutorautoscale.workloads import LIVENESS, SIZES, STARTUP, default, queues
from tutorplatform.quantity import cpu_millicores, memory_bytes

from tests.tutorautoscale.made import CELERY, container, deployment

CORE = ("caddy", "cms", "cms-worker", "lms", "lms-worker", "mfe")
KNOWN = [(size, name) for size, profiles in SIZES.items() for name in profiles]
each_known = pytest.mark.parametrize(("size", "name"), KNOWN, ids="-".join)


@each_known
def test_a_default_is_consistent_and_has_two_pods_at_least(size: str, name: str) -> None:
    """It passes the checks that settings pass; one pod would be one node away from none."""
    profile = SIZES[size][name]
    consistent(profile, name)
    assert 2 <= profile.min <= profile.max


@each_known
def test_a_default_starts_and_lives_by_probes(size: str, name: str) -> None:
    """Nobody sends requests to a worker, which therefore has no readiness."""
    asked = {kind for kind, probe in SIZES[size][name].probes._asdict().items() if probe.asks}
    web = {"startup", "readiness", "liveness"}
    assert asked == (web if SIZES[size][name].priority == "serving" else {"startup", "liveness"})


@each_known
def test_only_the_first_start_asks_what_is_behind_a_port(size: str, name: str) -> None:
    """A slow database must not take all pods out at once."""
    probes = SIZES[size][name].probes
    assert (probes.readiness.path, probes.liveness.path) == (None, None)


def test_both_sizes_have_the_same_workloads_and_small_ones_ask_for_less() -> None:
    """In every request and in no maximum more."""
    assert len({tuple(profiles) for profiles in SIZES.values()}) == 1
    for name, small in SIZES["small"].items():
        standard = SIZES["standard"][name]
        assert sizes(small) <= sizes(standard)
        assert small.max <= standard.max
        assert small.probes == standard.probes


def sizes(profile: Profile) -> tuple[int, int]:
    """Millicores and bytes that a pod's main container asks for."""
    return cpu_millicores(profile.cpu.request, "cpu"), memory_bytes(
        profile.memory.request, "memory"
    )


@pytest.mark.parametrize("size", SIZES)
def test_two_instances_fit_four_nodes_while_they_are_updated(size: str) -> None:
    """After the loss of one of three zones, two instances with a surge pod each still fit.

    An eighth of each node is left for what else runs there: Meilisearch, agents, the platform.
    """
    pods = [SIZES[size][name] for name in CORE for _ in range(2 * (SIZES[size][name].min + 1))]
    node = NodeShape(instance_type="m6i.xlarge").allocatable
    cpu, memory = (sum(amounts) for amounts in zip(*map(sizes, pods), strict=True))
    assert cpu <= 4 * cpu_millicores(node["cpu"], "node") * 7 / 8
    assert memory <= 4 * memory_bytes(node["memory"], "node") * 7 / 8


@each_known
def test_what_we_know_is_as_we_say_whatever_its_container_brings(size: str, name: str) -> None:
    """Tutor's own are described here wholly."""
    brings = deployment(name, requests={"cpu": "8"}, probes=frozenset({"liveness"}))
    expected = SIZES[size][name]._replace(containers={}, queue=Queue(), requests=Requests())
    assert default(brings, size) == expected


def test_what_we_know_takes_its_hosts_and_queues_from_the_instance() -> None:
    """Its queues are in its command line."""
    args = (*CELERY, "--queues=edx.lms.core.default,edx.lms.core.high")
    worker = default(deployment("lms-worker", args=args), "small", ["a", "b"])
    assert worker.queue == Queue(None, ("edx.lms.core.default", "edx.lms.core.high"))
    assert worker.requests == Requests(None, ("a", "b"))


UNKNOWN: Mapping[str, tuple[Deployment, tuple[int | None, str | None, int | None]]] = {
    "server": (deployment(ports=(8000, 9000)), (8000, "serving", None)),
    "silent": (deployment(), (None, "background", None)),
    "worker": (deployment(command=CELERY), (None, "background", 2)),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("found", "expected"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_we_do_not_know_is_judged_by_what_it_is(
    found: Deployment, expected: tuple[int | None, str | None, int | None], size: str
) -> None:
    """Something with a port serves, and is asked there; a Celery worker gets processes."""
    profile = default(found, size)
    consistent(profile, "X")
    assert (profile.min, profile.cpu.target, profile.memory.target) == (2, 70, 80)
    assert (
        profile.probes.liveness.port,
        profile.priority,
        profile.celery.concurrency,
    ) == expected


def test_a_worker_that_we_do_not_know_is_alive_while_its_pool_is() -> None:
    """Where Celery is process 1; behind a shell nothing is asked rather than the wrong process."""
    bare, hidden = ("celery", "worker"), ("sh", "-c", "celery worker")
    probes = default(deployment(command=bare), "standard").probes
    assert probes.liveness.command[:2] == ("sh", "-c")
    assert probes.liveness == LIVENESS._replace(command=probes.startup.command)
    assert probes.startup == STARTUP._replace(command=probes.startup.command)
    hidden_probes = default(deployment(command=hidden), "standard").probes
    assert hidden_probes == type(probes)()


def test_what_a_container_brings_stays() -> None:
    """Its own probes and resources were chosen by who knows it; ours fill what is missing."""
    profile = default(
        deployment(
            ports=(80,),
            requests={"cpu": "2"},
            limits={"memory": "1Gi"},
            probes={
                "liveness": Brought(Probe(81, "/up"), "httpGet"),
                "startup": Brought(Probe(82, period_s=7, failures=9), "tcpSocket"),
            },
            hook=True,
        )._replace(grace_s=300, priority="gold"),
        "standard",
    )
    assert profile.cpu == Resource("2", None, 70)
    # A limit alone is the request, too.
    assert profile.memory == Resource("1Gi", "1Gi", 80)
    assert profile.probes.liveness == Probe(81, "/up")
    assert profile.probes.readiness.port == 80
    assert (profile.start_s, profile.drain, profile.grace_s) == (63, "own", 300)
    assert profile.priority == "gold"


@pytest.mark.parametrize("nothing", [None, 0, "0"])
def test_what_is_nothing_is_not_asked_for(nothing: Any) -> None:
    """A request of nothing is none, and so is a limit that an override has taken away."""
    brings = deployment(requests={"cpu": nothing}, limits={"memory": nothing})
    bare = default(deployment(), "standard")
    assert default(brings, "standard") == bare


def test_a_short_grace_is_made_longer() -> None:
    """In Kubernetes' 30 s there would be little time left after the drain."""
    short = deployment(ports=(80,))._replace(grace_s=10)
    assert default(short, "standard").grace_s == 60


def test_other_containers_of_a_pod_have_requests() -> None:
    """Those that we know have their own, others theirs or a little."""
    pod = deployment(
        "web",
        container("web", ports=(80,)),
        container("plain"),
        container("own", requests={"cpu": "1"}, limits={"cpu": "2", "memory": "1Gi"}),
    )
    assert default(pod, "standard").containers == {
        "plain": Sidecar(Resource("50m"), Resource("128Mi")),
        "own": Sidecar(Resource("1", "2"), Resource("1Gi", "1Gi")),
    }
    xqueue = deployment("xqueue", container("xqueue"), container("xqueue-consumer"))
    known = SIZES["small"]["xqueue"].containers["xqueue-consumer"]
    assert default(xqueue, "small").containers == {"xqueue-consumer": known}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), ()),
        (("uwsgi", "--queues=x"), ()),
        (CELERY, ("celery",)),
        ((*CELERY, "--queues=a"), ("a",)),
        ((*CELERY, "--queues", "a,b"), ("a", "b")),
        ((*CELERY, "-Q", "a"), ("a",)),
        ((*CELERY, "--exclude-queues=b"), ("celery",)),
        (("sh", "-c", "celery -A acme worker -Q a,b"), ("a", "b")),
    ],
    ids=str,
)
def test_a_workers_queues_are_in_its_command_line(
    words: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """Celery's own default is a queue called celery; what is no worker has none."""
    assert queues(container(command=words)) == expected
    assert queues(container(args=words)) == expected


def test_a_database_that_somebody_names_has_one_pod_still() -> None:
    """Unless he says how many: a setting for its memory is none for a second pod."""
    made = default(deployment("mysql", container("mysql"), stateful="a volume"), "standard")
    assert (made.min, made.max) == (1, 1)
