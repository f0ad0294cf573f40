"""Rendered manifests → Deployments, and which of them can have two pods."""

from __future__ import annotations

from typing import Any

import pytest
from tutorautoscale.discovery import Brought, Deployment, deployments
from tutorautoscale.profile import Probe
from tutorplatform.manifests import Manifest

from tests.tutorautoscale.made import container


def rendered(name: str = "web", pod: Any = None, **spec: Any) -> Manifest:
    """A Deployment as Tutor renders them."""
    labels = {"app.kubernetes.io/name": name}
    spec_of_pod = {"containers": [{"name": name}], **(pod or {})}
    template = {"metadata": {"labels": labels}, "spec": spec_of_pod}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def found(*containers: Any, **pod: Any) -> Deployment:
    """What is found of a Deployment called web with these containers."""
    containers = containers or ({"name": "web"},)
    return deployments([rendered(pod={"containers": list(containers), **pod})])["web"]


def test_nothing_is_found_in_nothing() -> None:
    """No manifests, no Deployments."""
    assert deployments([]) == {}


def test_only_deployments_are_found_each_by_its_name() -> None:
    """Jobs, Services and StatefulSets are not ours to scale."""
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": {}}
    several = [rendered("lms"), service, {**rendered("db"), "kind": "StatefulSet"}, rendered("cms")]
    assert list(deployments(several)) == ["lms", "cms"]


def test_what_a_container_brings_is_known() -> None:
    """Ports, command line, resources, variables, and its own probes by our names of them."""
    full = {
        "name": "web",
        "image": "acme/web",
        "ports": [{"containerPort": 80}, {"containerPort": 81}],
        "command": ["serve"],
        "args": ["--workers", 2],
        "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}},
        "livenessProbe": {"tcpSocket": {"port": 80}},
        "readinessProbe": None,
        "lifecycle": {"preStop": {"exec": {"command": ["true"]}}, "postStart": {}},
        "env": [{"name": "A", "value": "1"}],
    }
    assert found(full).main == container(
        ports=(80, 81),
        command=("serve",),
        args=("--workers", "2"),
        requests={"cpu": "1"},
        limits={"memory": "1Gi"},
        probes={"liveness": Brought(Probe(80, timeout_s=1), "tcpSocket")},
        hook=True,
        environment=frozenset({"A"}),
    )
    assert found().main == container()


PROBES_BROUGHT: dict[str, tuple[Any, Probe]] = {
    "a path of a named port": (
        {"httpGet": {"path": "/up", "port": "http", "scheme": "HTTPS"}},
        Probe(8080, "/up", timeout_s=1),
    ),
    "a host": (
        {
            "httpGet": {
                "path": "/up",
                "port": 81,
                "httpHeaders": [{"name": "A", "value": "b"}, {"name": "Host", "value": "acme"}],
            }
        },
        Probe(81, "/up", "acme", timeout_s=1),
    ),
    "a command": ({"exec": {"command": ["true"]}}, Probe(command=("true",), timeout_s=1)),
    "gRPC": ({"grpc": {"port": 9}}, Probe(9, timeout_s=1)),
    "no path": ({"httpGet": {"port": 80}}, Probe(80, "/", timeout_s=1)),
    "a port that is not there": ({"tcpSocket": {"port": "admin"}}, Probe(timeout_s=1)),
    "its pace": (
        {"tcpSocket": {"port": 1}, "periodSeconds": 2, "timeoutSeconds": 4, "failureThreshold": 5},
        Probe(1, period_s=2, timeout_s=4, failures=5),
    ),
}


@pytest.mark.parametrize(("brought", "probe"), PROBES_BROUGHT.values(), ids=PROBES_BROUGHT)
def test_a_probe_that_a_container_brings_is_read(brought: Any, probe: Probe) -> None:
    """With Kubernetes' own defaults for what it does not say."""
    ports = [{"containerPort": 8080, "name": "http"}]
    container = {"name": "web", "ports": ports, "readinessProbe": brought}
    kept = Brought(probe, next(iter(brought)))
    assert found(container).main.probes == {"readiness": kept}


def test_what_a_pod_brings_is_known() -> None:
    """Tolerations, whom it keeps away from, and how long it may take to end."""
    term = {"weight": 1, "podAffinityTerm": {"topologyKey": "x"}}
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": [term]}
    web = found(
        tolerations=[{"key": "a"}],
        affinity={"podAntiAffinity": preferred, "nodeAffinity": None},
        terminationGracePeriodSeconds=300,
        priorityClassName="gold",
    )
    assert web.priority == "gold"
    assert (web.tolerations, web.apart, web.grace_s) == (({"key": "a"},), (term,), 300)
    assert (found().tolerations, found().apart, found().grace_s) == ((), (), 0)
    assert found(affinity={"podAntiAffinity": None}, tolerations=None) == found()


def test_a_bare_deployment_says_nothing_of_how_it_runs() -> None:
    """What it is, it stays."""
    whole = {
        "name": "web",
        "ports": [{"containerPort": 80}],
        "resources": {"requests": {"cpu": "1"}},
        "livenessProbe": {"tcpSocket": {"port": 80}},
        "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
    }
    bare = found(whole, terminationGracePeriodSeconds=300, priorityClassName="gold").bare
    assert bare == found({"name": "web", "ports": [{"containerPort": 80}]})


def test_its_pods_are_known_by_its_selector() -> None:
    """As a whole; the template may have more labels."""
    assert found().selector == {"matchLabels": {"app.kubernetes.io/name": "web"}}
    assert found().labels == {"app.kubernetes.io/name": "web"}


def test_what_tutor_starts_it_by_is_its_own_label() -> None:
    """Else its name."""
    assert found().label == "web"
    labelled = rendered()
    labelled["metadata"]["labels"] = {"app.kubernetes.io/name": "other"}
    assert deployments([labelled])["web"].label == "other"


def test_what_is_to_have_no_pods_is_off() -> None:
    """Somebody has switched it off."""
    assert deployments([rendered(replicas=0)])["web"].off
    assert not deployments([rendered(replicas=1)])["web"].off


def test_deployments_that_share_pods_are_left_alone() -> None:
    """A pod with two budgets is never evicted, whichever of them selects it."""
    wide = rendered("acme", selector={"matchLabels": {"app": "acme"}})
    narrow = rendered("acme-worker", selector={"matchLabels": {"app": "acme", "tier": "worker"}})
    wide["spec"]["template"]["metadata"]["labels"] = {"app": "acme"}
    narrow["spec"]["template"]["metadata"]["labels"] = {"app": "acme", "tier": "worker"}
    alone = deployments([wide, narrow, rendered()])
    assert alone["acme"].stateful == (
        "its selector, or the other's, is for pods of both, it and acme-worker"
    )
    assert alone["acme-worker"].stateful.endswith("it and acme")
    assert alone["web"].stateful == ""


def test_the_main_container_has_the_name_of_the_deployment() -> None:
    """Wherever it stands; without one, the first is it."""
    assert found({"name": "proxy"}, {"name": "web"}).main.name == "web"
    assert found({"name": "proxy"}, {"name": "app"}).main.name == "proxy"


STATELESS: dict[str, Manifest] = {
    "plain": rendered(),
    "temporary volume": rendered(pod={"volumes": [{"name": "tmp", "emptyDir": {}}]}),
    "rolling": rendered(strategy={"type": "RollingUpdate"}),
    "a worker called beat": rendered(
        pod={"containers": [{"name": "web", "args": ["celery", "worker", "--queues=beat-tasks"]}]}
    ),
}


@pytest.mark.parametrize("manifest", STATELESS.values(), ids=STATELESS)
def test_what_nothing_speaks_against_is_stateless(manifest: Manifest) -> None:
    """Files of configuration and temporary ones hinder nobody."""
    assert deployments([manifest])["web"].stateful == ""


def running(*words: str) -> Manifest:
    """A Deployment with this command line."""
    return rendered(pod={"containers": [{"name": "web", "command": list(words)}]})


CLOCK = "it is Celery's clock, and two would send each task twice"
CLAIM = [{"name": "data", "persistentVolumeClaim": {"claimName": "mysql"}}]
STATEFUL: dict[str, tuple[Manifest, str]] = {
    "claim": (
        rendered(pod={"volumes": CLAIM}),
        "its data are on a volume that one node can mount, mysql",
    ),
    "strategy": (
        rendered(strategy={"type": "Recreate"}),
        "its strategy, Recreate, says that two pods would be in each other's way",
    ),
    "clock": (running("celery", "--app=acme", "beat", "--loglevel=info"), CLOCK),
    "clock in a shell": (running("sh", "-c", "exec celery -A acme beat"), CLOCK),
    "worker with a clock": (running("celery", "-A", "acme", "worker", "-B"), CLOCK),
    "worker with --beat": (running("celery", "-A", "acme", "worker", "--beat"), CLOCK),
}


@pytest.mark.parametrize(("manifest", "reason"), STATEFUL.values(), ids=STATEFUL)
def test_what_cannot_have_two_pods_says_why(manifest: Manifest, reason: str) -> None:
    """A claim of a volume, a strategy without overlap, and Celery's clock in all its forms."""
    assert deployments([manifest])["web"].stateful == reason


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("celery", "--app=lms.celery", "worker"), True),
        (("sh", "-c", "celery -A acme worker"), True),
        (("sh", "-c", "cd /app; exec /venv/bin/celery -A acme worker; exit 1"), True),
        (("/openedx/venv/bin/celery", "-A", "acme", "worker"), True),
        (("python", "-m", "celery", "worker"), True),
        (("celery", "--app=acme", "beat"), False),
        (("celeryish", "worker"), False),
        (("uwsgi", "worker.ini"), False),
        ((), False),
    ],
    ids=str,
)
def test_a_celery_worker_is_known_by_its_command(words: tuple[str, ...], expected: bool) -> None:
    """In the command or in the arguments, behind a shell or not."""
    assert container(command=words).is_celery is expected
    assert container(args=words).is_celery is expected


def test_only_ports_that_a_probe_can_ask_count() -> None:
    """A probe of a port of UDP would never succeed."""
    ports = [
        {"containerPort": 53, "protocol": "UDP"},
        {"containerPort": 80},
        {"containerPort": 81, "protocol": None},
    ]
    manifest = rendered(pod={"containers": [{"name": "web", "ports": ports}]})
    assert deployments([manifest])["web"].main.ports == (80, 81)
