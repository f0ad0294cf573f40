"""Arguments: what Tutor asks of kubectl is understood as kubectl would."""

from __future__ import annotations

import pytest
from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest
from tutorsecrets.deploying.arguments import application, matches, needed_secrets, secrets_deletion
from tutorsecrets.rewriting.rewrite import Rewritten

NOT_JOBS = "app.kubernetes.io/component notin (job,namespace)"


def test_an_apply_of_a_folder_reads_from_standard_input_instead() -> None:
    """Everything but the source stays, in order; the place goes with the Secrets."""
    found = application(
        (
            *(
                "apply",
                "--kustomize",
                "/root/env",
                "--prune",
                "--prune-allowlist",
                "core/v1/ConfigMap",
            ),
            *("--selector", NOT_JOBS, "--context=eks", "-n", "acme", "--output=yaml"),
        )
    )
    assert found
    assert (found.directory, found.file, found.selector) == ("/root/env", "", NOT_JOBS)
    assert found.arguments == (
        *("apply", "--filename=-", "--prune", "--prune-allowlist", "core/v1/ConfigMap"),
        *("--selector", NOT_JOBS, "--context=eks", "-n", "acme", "--output=yaml"),
    )
    assert found.place == ("--context=eks", "-n", "acme")
    assert not found.client_dry_run


def test_an_apply_of_a_file() -> None:
    """As Tutor does for jobs."""
    found = application(("apply", "-f", "/tmp/job.yml"))
    assert found
    assert (found.directory, found.file, found.selector) == ("", "/tmp/job.yml", "")
    assert found.arguments == ("apply", "--filename=-")


@pytest.mark.parametrize(
    ("argv", "is_dry"),
    [
        pytest.param(("--dry-run=client",), True, id="client"),
        pytest.param(("--dry-run",), True, id="bare"),
        pytest.param(("--dry-run=server",), False, id="server"),
        pytest.param((), False, id="none"),
    ],
)
def test_a_dry_run_on_the_client_is_known(argv: tuple[str, ...], is_dry: bool) -> None:
    """Server-side apply cannot take part in one."""
    found = application(("apply", "-k", "env", *argv))
    assert found
    assert found.client_dry_run is is_dry


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param((), id="nothing"),
        pytest.param(("get", "-f", "x"), id="another command"),
        pytest.param(("apply",), id="no source"),
        pytest.param(("apply", "-k", "env", "-f", "x"), id="two sources"),
        pytest.param(("apply", "-f", "-"), id="standard input"),
        pytest.param(("apply", "-f"), id="no value"),
    ],
)
def test_anything_else_is_kubectls_business(argv: tuple[str, ...]) -> None:
    """What is no plain apply of one source is passed on as it is."""
    assert application(argv) is None


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        pytest.param(
            (
                "delete",
                "--namespace",
                "acme",
                "--selector=a=b",
                "deployments,services,configmaps,jobs",
            ),
            (
                "delete",
                "--namespace",
                "acme",
                "--selector=a=b,tutorsecrets/made-from=tokens",
            ),
            id="stop",
        ),
        pytest.param(
            ("delete", "--namespace", "acme", "--wait", "configmap/caddy", "service/lms"),
            (
                "delete",
                "--namespace",
                "acme",
                "--wait",
                "--selector=tutorsecrets/made-from",
            ),
            id="delete --exclude-namespace",
        ),
        pytest.param(("delete", "-k", "/root/env", "--wait"), None, id="delete"),
        pytest.param(("delete", "--selector=a=b", "jobs"), None, id="other kinds"),
        pytest.param(("get", "configmaps"), None, id="no delete"),
        pytest.param((), None, id="nothing"),
    ],
)
def test_secrets_are_deleted_with_configmaps(
    argv: tuple[str, ...], expected: tuple[str, ...] | None
) -> None:
    """Where Tutor deletes the instance's ConfigMaps, our Secrets go as well.

    Those of other plugins where Tutor deletes them itself.
    """
    assert secrets_deletion(argv) == expected


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        pytest.param("", True, id="empty"),
        pytest.param("a=1", True, id="equal"),
        pytest.param("a==2", False, id="double equal"),
        pytest.param("a != 2", True, id="unequal"),
        pytest.param("c!=2", True, id="unequal to nothing"),
        pytest.param("a in (1, 2),b=x", True, id="in"),
        pytest.param("c in (1)", False, id="absent in"),
        pytest.param("a notin (1,2)", False, id="notin"),
        pytest.param("c notin (1,2)", True, id="absent notin"),
        pytest.param("a", True, id="exists"),
        pytest.param("!a", False, id="does not exist"),
        pytest.param("a,!c", True, id="both"),
        pytest.param("app.kubernetes.io/name=l-ms", True, id="qualified"),
    ],
)
def test_selectors_match_as_in_kubernetes(selector: str, expected: bool) -> None:
    """Equality, sets and existence, all of which must hold."""
    labels = {"a": "1", "b": "x", "app.kubernetes.io/name": "l-ms"}
    assert matches(selector, labels) is expected


def test_an_unknown_selector_is_refused() -> None:
    """Rather than guess which Secrets are meant."""
    with pytest.raises(DeployError, match=r"^--selector: 'a > 1' is not understood here; use"):
        matches("a > 1", {})


def manifest(kind: str, name: str, uses: str = "", **labels: str) -> Manifest:
    volumes = [{"name": "v", "secret": {"secretName": uses}}]
    return {
        "kind": kind,
        "metadata": {"name": name, "labels": labels},
        "spec": {"template": {"spec": {"volumes": volumes if uses else []}}},
    }


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        pytest.param("", ["shared", "own", "cms-only"], id="everything"),
        pytest.param("app=lms", ["shared", "own"], id="used by what is selected"),
        pytest.param("app=cms", ["cms-only"], id="another workload"),
        pytest.param("app=config", ["shared"], id="selected itself"),
        pytest.param("component=namespace", [], id="nothing"),
    ],
)
def test_secrets_needed_go_along(selector: str, names: list[str]) -> None:
    """A Secret is applied where its ConfigMap would have been, or where a pod needs it."""
    rewritten = Rewritten(
        [
            manifest("Deployment", "lms", "shared", app="lms"),
            manifest("Job", "x", "own", app="lms"),
            manifest("Deployment", "cms", "cms-only", app="cms"),
        ],
        [
            manifest("Secret", "shared", app="config"),
            manifest("Secret", "own"),
            manifest("Secret", "cms-only"),
        ],
    )
    found = [secret["metadata"]["name"] for secret in needed_secrets(rewritten, selector)]
    assert found == names
