"""Edge: what the cluster must have before an apply, and what changes around it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from functools import cached_property

from tutor import config as tutor_config
from tutor import fmt
from tutor.types import get_typed
from tutorplatform import manifests
from tutorplatform.errors import DeployError
from tutorplatform.hooks import Kubectl
from tutorplatform.manifests import Manifest

from tutorautoscale import configuration, rendering, transition
from tutorautoscale.discovery import NAME
from tutorautoscale.overrides import PRIORITY_CLASSES, priority_classes

KEDA, VPA = "scaledobjects.keda.sh", "verticalpodautoscalers.autoscaling.k8s.io"
# Kind → how kubectl calls what this plugin makes of it. Not every cluster has those of the second.
RESOURCES = {
    "HorizontalPodAutoscaler": "horizontalpodautoscalers.autoscaling",
    "PodDisruptionBudget": "poddisruptionbudgets.policy",
    "Service": "services",
    "NetworkPolicy": "networkpolicies.networking.k8s.io",
    "Secret": "secrets",
}
EXTRA_RESOURCES = {
    "ScaledObject": KEDA,
    "TriggerAuthentication": "triggerauthentications.keda.sh",
    "VerticalPodAutoscaler": VPA,
}
EXTRA_GROUPS = {"keda.sh": "v1alpha1", "autoscaling.k8s.io": "v1"}
LIMIT = "--request-timeout=30s"


def step(root: str, argv: tuple[str, ...], proceed: Kubectl) -> int:
    """A kubectl step: refuses, before anything is applied, what this cluster cannot run.

    Around the apply of Deployments it then makes autoscalers change hands.
    """
    # The jobs of Tutor are applied from a file.
    if argv[:2] != ("apply", "--kustomize") or _is_dry(argv):
        return proceed(*argv)
    config = tutor_config.load_full(root)
    found, scope = rendering.instance_workloads(config), _scope(argv)
    if scope is None or (scope and scope not in {each.found.label for each in found.values()}):
        return proceed(*argv)
    cluster = configuration.cluster(config)
    wanted = rendering.instance_objects(config, found)
    namespace = Namespace(get_typed(config, "K8S_NAMESPACE", str))
    namespace.require(wanted, priority_classes(found.values(), cluster), cluster)
    if _is_of_namespace(argv):
        # Nothing is live yet.
        _refuse_others(_rendered(argv[2]), found)
        return proceed(*argv)
    live = namespace.objects()
    _refuse_others([*_rendered(argv[2]), *live], found)
    if scope:
        transition.refuse_without_shared(live, wanted, scope)
    here = transition.chosen(live, scope)
    namespace.remember(transition.forgotten_replicas(here, found))
    namespace.delete(transition.released(here, wanted), "--cascade=orphan")
    status = proceed(*argv)
    namespace.delete(transition.obsolete(transition.chosen(namespace.objects(), scope), wanted))
    return status


def _refuse_others(objects: list[Manifest], found: Iterable[str]) -> None:
    transition.refuse_two_autoscalers(objects, found)
    transition.refuse_two_budgets(objects, found)


def _rendered(folder: str) -> list[Manifest]:
    return manifests.load(_kubectl("kustomize", folder))


def _scope(argv: tuple[str, ...]) -> str | None:
    """The one name that an apply selects, or `""`: everything; None for what is not ours."""
    # Tutor selects everything but jobs, or what has one name; `tutor k8s apply` selects nothing.
    words = [word.removeprefix("--selector=") for word in argv]
    names = [word.partition("=")[2] for word in words if word.startswith(f"{NAME}=")]
    if names:
        return names[0]
    selects = any(word.startswith(("--selector", "-l")) for word in argv)
    ours = not selects or _is_of_namespace(argv) or any("notin" in word for word in words)
    return "" if ours else None


def _is_of_namespace(argv: tuple[str, ...]) -> bool:
    return any(word.endswith("component=namespace") for word in argv)


def _is_dry(argv: tuple[str, ...]) -> bool:
    return any(word.startswith("--dry-run") and word != "--dry-run=none" for word in argv)


class Namespace:
    """The instance's namespace."""

    def __init__(self, name: str) -> None:
        self._name = name

    def require(
        self,
        wanted: Iterable[Manifest],
        classes: Mapping[str, str],
        cluster: configuration.Cluster,
    ) -> None:
        """Raise DeployError unless the cluster has the kinds and classes that we use."""
        kinds = {each["kind"] for each in wanted}
        if "ScaledObject" in kinds and KEDA not in self._served:
            raise DeployError(
                "cluster",
                "KEDA is not installed, and only it scales for network, requests or queue",
                "run `helm install keda keda --repo https://kedacore.github.io/charts "
                f"--namespace {cluster.keda_namespace} --create-namespace`, "
                f"or remove these targets from {rendering.SETTING}",
            )
        if "VerticalPodAutoscaler" in kinds and VPA not in self._served:
            raise DeployError(
                "cluster",
                "the Vertical Pod Autoscaler is not installed",
                f"install it, or set {configuration.CLUSTER}.recommendations to false",
            )
        if classes:
            _require_priority_classes(classes, cluster.priority_classes)

    @cached_property
    def _served(self) -> set[str]:
        # `kubectl api-resources` fails if any API of the cluster is down, metrics for example.
        return {
            f"{resource['name']}.{group}"
            for group, version in EXTRA_GROUPS.items()
            for resource in _resources(f"/apis/{group}/{version}")
        }

    def objects(self) -> list[Manifest]:
        """The Deployments, and what there is of the kinds that this plugin makes, no Secrets."""
        usual = [each for kind, each in RESOURCES.items() if kind != "Secret"]
        extra = sorted(self._served.intersection(EXTRA_RESOURCES.values()))
        answers = [_kubectl("get", ",".join(["deployments.apps", *usual]), *self._as_json())]
        for kind in extra:
            answer = _run("get", kind, *self._as_json())
            # KEDA's chart gives no right to look at its kinds to who may deploy.
            if "(Forbidden)" not in answer.stderr:
                answers.append(_checked(answer, "get"))
        return [item for answer in answers for item in json.loads(answer)["items"]]

    def _as_json(self) -> tuple[str, ...]:
        return (f"--namespace={self._name}", "--output=json", LIMIT)

    def remember(self, applied: Iterable[Manifest]) -> None:
        """Let the next apply take these for what was applied before; nothing else changes."""
        for each in applied:
            # A whole manifest is nothing for a command line. `replace` would not do: it writes
            # down all that the object has, replicas included, as applied.
            _kubectl("apply", "set-last-applied", "--filename=-", stdin=json.dumps(each))
            fmt.echo_info(f"{manifests.name(each)}: its number of pods is the autoscaler's now")

    def delete(self, keys: Iterable[transition.Key], *options: str) -> None:
        """Delete these, and say so."""
        resources = {**RESOURCES, **EXTRA_RESOURCES}
        for kind, name in keys:
            _kubectl(
                *("delete", f"{resources[kind]}/{name}", f"--namespace={self._name}"),
                *("--ignore-not-found", "--timeout=60s", *options),
            )
            fmt.echo_info(f"{kind} {name}: is no longer needed, and gone")


def _require_priority_classes(classes: Mapping[str, str], enabled: bool) -> None:
    answer = _run("get", "priorityclasses", "--output=name", LIMIT)
    # Who may not look at them may still use them.
    if answer.returncode != 0:
        return
    there = {line.rpartition("/")[2] for line in answer.stdout.splitlines()}
    missing = {each: name for each, name in classes.items() if each not in there}
    of_chart = sorted(missing.keys() & set(PRIORITY_CLASSES.values())) if enabled else []
    if of_chart:
        raise DeployError(
            "cluster",
            f"there is no PriorityClass {', '.join(of_chart)}",
            "install the chart `platform`, or set "
            f"{configuration.CLUSTER}.priority_classes to false",
        )
    for priority_class, name in missing.items():
        raise DeployError(
            f"{rendering.SETTING}.{name}.priority",
            f"there is no PriorityClass {priority_class} in this cluster",
            "create it, or use another",
        )


def _resources(path: str) -> list[dict[str, str]]:
    answer = _run("get", "--raw", path, LIMIT)
    if answer.returncode != 0 and "NotFound" in answer.stderr:
        return []
    found: list[dict[str, str]] = json.loads(_checked(answer, "get"))["resources"]
    return found


def _kubectl(*argv: str, stdin: str | None = None) -> str:
    return _checked(_run(*argv, stdin=stdin), argv[0])


def _checked(answer: subprocess.CompletedProcess[str], verb: str) -> str:
    if answer.returncode != 0:
        reason = (answer.stderr.strip().splitlines() or ["no answer"])[-1]
        raise DeployError(f"kubectl {verb}", reason, "mend that and run the command again")
    return answer.stdout


def _run(*argv: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["kubectl", *argv], input=stdin, capture_output=True, text=True, check=False
    )
