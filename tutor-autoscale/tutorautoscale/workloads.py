"""What each workload runs with by default: those that we know by name, others by what they are.

Memory is what fills a node. A process of the platform grows to a plateau whatever its load, so
that more pods do not lower the average. The request lies above that plateau: then 80 % means
that something is wrong with the pods there are, and an idle instance does not end up at its
maximum. No CPU limits: requests share a busy node fairly, and a throttled pod starts slowly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from tutorautoscale.discovery import Container, Deployment
from tutorautoscale.profile import (
    Celery,
    Probe,
    Probes,
    Profile,
    Queue,
    Requests,
    Resource,
    Sidecar,
)

SERVING, BACKGROUND = "serving", "background"

STARTUP, READINESS, LIVENESS = (
    Probe(period_s=5, timeout_s=10),
    # A pod leaves the Service after 15 s without an answer, and is started anew after a minute.
    Probe(period_s=5, timeout_s=3, failures=3),
    Probe(period_s=10, timeout_s=5, failures=6),
)

# True when process 1, the Celery worker, has a child. It forks its pool when it has imported the
# platform and needs one to do any work. `celery inspect ping` would start a second platform every
# few seconds, and needs a remote control that a shared Redis does not allow.
_POOL_IS_UP = ("sh", "-c", "grep -qs '^PPid:.1$' /proc/[0-9]*/status")


def _probes(port: int, startup: Probe | None = None) -> Probes:
    """Of the pod's own port: were what is behind it asked, a slow database took all pods out."""
    return Probes(
        startup or STARTUP._replace(port=port),
        READINESS._replace(port=port),
        LIVENESS._replace(port=port),
    )


def _web(
    host: str, path: str, cpu: str, memory: str, limit: str, most: int, port: int = 8000
) -> Profile:
    """A Django service in uWSGI or gunicorn.

    Only the first start waits for the databases. uWSGI opens its port before it has imported
    anything, so that the port alone would not tell. It knows the Service's name as a host.
    """
    return Profile(
        min=2,
        max=most,
        cpu=Resource(cpu, None, 70),
        memory=Resource(memory, limit, 80),
        probes=_probes(port, STARTUP._replace(port=port, path=path, host=host)),
        drain="requests",
        grace_s=120,
    )


def _caddy(port: int, cpu: str, memory: str, limit: str, most: int) -> Profile:
    """A Caddy, which listens when it has read its configuration, and ends after its requests."""
    return Profile(
        min=2,
        max=most,
        cpu=Resource(cpu, None, 70),
        memory=Resource(memory, limit, 80),
        probes=_probes(port),
        start_s=60,
    )


def _mail(cpu: str, memory: str, limit: str) -> Profile:
    """Tutor's relay, which keeps what it could not send yet for as long as its pod lives."""
    return Profile(
        min=2,
        max=2,
        cpu=Resource(cpu, None, 70),
        memory=Resource(memory, limit, 80),
        probes=_probes(8025),
        start_s=60,
    )


def _worker(cpu: str, memory: str, limit: str | None, most: int, concurrency: int) -> Profile:
    """A Celery worker, which finishes its tasks after SIGTERM.

    No readiness: nothing is sent to a worker. The startup probe is what a rolling update waits
    for, and what keeps the CPU of starting up out of the autoscaler's view.
    """
    return Profile(
        min=2,
        max=most,
        cpu=Resource(cpu, None, 70),
        memory=Resource(memory, limit, 80),
        probes=Probes(
            startup=STARTUP._replace(command=_POOL_IS_UP),
            liveness=LIVENESS._replace(command=_POOL_IS_UP),
        ),
        celery=Celery(concurrency),
        drain_s=0,
        grace_s=900,
        priority=BACKGROUND,
    )


# Six of these in two replicas, and a surge of one each, for two instances fit six nodes of 4 CPUs
# and 16 GiB, and four of them after the loss of a zone.
STANDARD: Mapping[str, Profile] = {
    "caddy": _caddy(80, "100m", "128Mi", "512Mi", 6),
    "cms": _web("cms", "/heartbeat", "250m", "2Gi", "3Gi", 4),
    "cms-worker": _worker("250m", "1536Mi", "3Gi", 4, 2),
    "credentials": _web("credentials", "/health/", "100m", "512Mi", "1Gi", 4),
    "discovery": _web("discovery", "/health/", "100m", "512Mi", "1Gi", 4),
    "lms": _web("lms", "/heartbeat", "500m", "2Gi", "3Gi", 10),
    "lms-worker": _worker("500m", "1536Mi", "3Gi", 6, 2),
    "mfe": _caddy(8002, "50m", "128Mi", "256Mi", 4),
    "notes": _web("notes", "/heartbeat/", "100m", "384Mi", "768Mi", 4),
    "smtp": _mail("25m", "64Mi", "256Mi"),
    "xqueue": _web("xqueue", "/xqueue/status/", "100m", "384Mi", "768Mi", 4)._replace(
        containers={"xqueue-consumer": Sidecar(Resource("50m"), Resource("256Mi", "512Mi"))}
    ),
}

# Of an instance with some hundred learners.
SMALL: Mapping[str, Profile] = {
    "caddy": _caddy(80, "25m", "64Mi", "256Mi", 3),
    "cms": _web("cms", "/heartbeat", "50m", "1280Mi", "2Gi", 2),
    "cms-worker": _worker("50m", "768Mi", "2Gi", 2, 1),
    "credentials": _web("credentials", "/health/", "25m", "384Mi", "768Mi", 2),
    "discovery": _web("discovery", "/health/", "25m", "384Mi", "768Mi", 2),
    "lms": _web("lms", "/heartbeat", "100m", "1280Mi", "2Gi", 4),
    "lms-worker": _worker("100m", "768Mi", "2Gi", 3, 1),
    "mfe": _caddy(8002, "25m", "64Mi", "256Mi", 2),
    "notes": _web("notes", "/heartbeat/", "25m", "256Mi", "512Mi", 2),
    "smtp": _mail("10m", "32Mi", "128Mi"),
    "xqueue": _web("xqueue", "/xqueue/status/", "25m", "256Mi", "512Mi", 2)._replace(
        containers={"xqueue-consumer": Sidecar(Resource("25m"), Resource("192Mi", "512Mi"))}
    ),
}

SIZES: Mapping[str, Mapping[str, Profile]] = {"standard": STANDARD, "small": SMALL}


def is_known(found: Deployment) -> bool:
    """Whether its name tells how it runs best, whatever it brings."""
    return found.name in STANDARD


def default(found: Deployment, size: str, hosts: Iterable[str] = ()) -> Profile:
    """What a Deployment runs with before anybody changes it. `hosts`: those that it answers."""
    known = SIZES[size].get(found.name) or _unknown(found)
    if found.stateful:
        # Whoever names it for its memory has not asked for a second pod of a database.
        known = known._replace(min=1, max=1)
    sidecars = {
        each.name: known.containers.get(each.name) or _sidecar(each)
        for each in found.containers
        if each != found.main
    }
    return known._replace(
        containers=sidecars,
        requests=Requests(hosts=tuple(hosts)),
        queue=Queue(names=queues(found.main)),
    )


def queues(container: Container) -> tuple[str, ...]:
    """The queues that a Celery worker takes tasks from; none for anything else."""
    if not container.is_celery:
        return ()
    words = " ".join((*container.command, *container.args)).replace("=", " ").split()
    named = (after for word, after in pairwise(words) if word in ("--queues", "-Q"))
    return tuple(next(named, "celery").split(","))


def _unknown(found: Deployment) -> Profile:
    main = found.main
    if main.is_celery:
        made = _worker("100m", "512Mi", None, 4, 2)
        # Behind a shell, process 1 is not Celery.
        return _as_found(made if main.is_celery_itself else made._replace(probes=Probes()), found)
    made = Profile(
        min=2,
        max=4,
        cpu=Resource("100m", None, 70),
        memory=Resource("256Mi", None, 80),
        probes=_probes(main.ports[0]) if main.ports else Probes(),
        priority=SERVING if main.ports else BACKGROUND,
    )
    return _as_found(made, found)


def _as_found(made: Profile, found: Deployment) -> Profile:
    """`made` with what the Deployment itself brings in place of our guesses."""
    main = found.main
    probes = {name: brought.probe for name, brought in main.probes.items()}
    starts = probes.get("startup")
    return made._replace(
        cpu=made.cpu._replace(**_found(main, "cpu")),
        memory=made.memory._replace(**_found(main, "memory")),
        probes=made.probes._replace(**probes),
        start_s=starts.period_s * starts.failures if starts else made.start_s,
        drain="own" if main.hook else made.drain,
        grace_s=max(found.grace_s, made.grace_s),
        priority=found.priority or made.priority,
    )


def _sidecar(container: Container) -> Sidecar:
    return Sidecar(
        Resource("50m")._replace(**_found(container, "cpu")),
        Resource("128Mi")._replace(**_found(container, "memory")),
    )


def _found(container: Container, kind: str) -> dict[str, Any]:
    sources = {"request": container.requests, "limit": container.limits}
    # Nothing is asked for, or no bound is set, with 0 and null as without a word.
    found = {
        key: str(source[kind])
        for key, source in sources.items()
        if source.get(kind) not in (None, 0, "0")
    }
    # A limit alone is the request, too.
    return {"request": found["limit"], **found} if "limit" in found else found
