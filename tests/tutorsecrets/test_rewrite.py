"""Rewrite: ConfigMaps with tokens become Secrets, workloads follow, and no token is left."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest
from tutorplatform.errors import DeployError
from tutorplatform.manifests import Manifest
from tutorsecrets.rewriting import rewrite as rewriting
from tutorsecrets.rewriting.external import External
from tutorsecrets.rewriting.pods import GATE
from tutorsecrets.rewriting.resolve import Values, resolved
from tutorsecrets.rewriting.rewrite import FOREIGN_LABEL, OWN_LABEL, Rewritten
from tutorsecrets.rewriting.sealing import Direct, Lookup
from tutorsecrets.settings import Settings
from tutorsecrets.tokens import token

A, B = token("A"), token("B")
LABELS = {"app.kubernetes.io/name": "openedx"}


def lookup(**values: str) -> Lookup:
    known = Values(
        "openedx/acme", {"SECRETS_HASH_KEY": "k", "A": "s3cretA", "B": "s3cretB"} | values
    )
    return lambda text: resolved(text, known, {"upper": str.upper})


def rewrite(manifests: list[Manifest], lookup: Lookup) -> Rewritten:
    """In the direct mode; what is typed has its values in the same place here."""
    return rewriting.rewrite(manifests, Direct(lookup), Direct(lookup))


def configmap(name: str, **data: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "acme", "labels": LABELS},
        "data": data,
    }


def workload(kind: str = "Deployment", name: str = "lms", **pod: Any) -> Manifest:
    template = {"spec": {"containers": [{"name": "main"}], **pod}}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "acme", "labels": LABELS},
        "spec": {"template": template},
    }


def pod(rewritten: Rewritten, index: int = 0) -> dict[str, Any]:
    spec: dict[str, Any] = rewritten.manifests[index]["spec"]["template"]["spec"]
    return spec


def content(secret: Manifest) -> dict[str, str]:
    return {key: base64.b64decode(text).decode() for key, text in secret["data"].items()}


def test_nothing_in_nothing_out() -> None:
    """No manifests, no Secrets."""
    assert rewrite([], lookup()) == Rewritten([], [])


def test_manifests_without_tokens_pass_and_nothing_is_looked_up() -> None:
    """An instance without secrets needs no store."""

    def fail(text: str) -> str:
        raise AssertionError(text)

    manifests = [configmap("caddy", Caddyfile="x"), workload(), {"kind": "Service", "metadata": {}}]
    assert rewrite(manifests, fail) == Rewritten(manifests, [])


def test_a_configmap_with_a_token_becomes_a_secret() -> None:
    """All its files, its labels and its namespace go along; the name gets a suffix."""
    rewritten = rewrite([configmap("config-7h", **{"a.py": f'x = "{A}"', "b": "b"})], lookup())
    (secret,) = rewritten.secrets
    assert rewritten.manifests == []
    assert content(secret) == {"a.py": 'x = "s3cretA"', "b": "b"}
    assert secret["kind"] == "Secret"
    assert secret["metadata"]["labels"] == {**LABELS, **OWN_LABEL}
    assert secret["metadata"]["namespace"] == "acme"
    assert secret["metadata"]["name"].startswith("config-7h-")


def name_of(text: str = f'x = "{A}"', **values: str) -> str:
    name: str = rewrite([configmap("c", **{"a.py": text})], lookup(**values)).secrets[0][
        "metadata"
    ]["name"]
    return name


def test_a_name_changes_with_what_it_stands_for_only() -> None:
    """Value, text and hash key decide on the name; other secrets do not."""
    assert name_of() == name_of()
    assert name_of(B="changed") == name_of()
    assert len({name_of(), name_of(A="changed"), name_of(f'y = "{A}"')}) == 3
    assert name_of(SECRETS_HASH_KEY="another") != name_of()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            {"volumes": [{"name": "v", "configMap": {"name": "c", "defaultMode": 256}}]},
            {"volumes": [{"name": "v", "secret": {"secretName": "NEW", "defaultMode": 256}}]},
            id="volume",
        ),
        pytest.param(
            {"volumes": [{"projected": {"sources": [{"configMap": {"name": "c", "items": []}}]}}]},
            {"volumes": [{"projected": {"sources": [{"secret": {"name": "NEW", "items": []}}]}}]},
            id="projected volume",
        ),
        pytest.param(
            {"containers": [{"envFrom": [{"prefix": "X_", "configMapRef": {"name": "c"}}]}]},
            {"containers": [{"envFrom": [{"prefix": "X_", "secretRef": {"name": "NEW"}}]}]},
            id="whole environment",
        ),
        pytest.param(
            {
                "initContainers": [
                    {
                        "env": [
                            {
                                "name": "X",
                                "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}},
                            }
                        ]
                    }
                ]
            },
            {
                "initContainers": [
                    {
                        "env": [
                            {
                                "name": "X",
                                "valueFrom": {"secretKeyRef": {"name": "NEW", "key": "k"}},
                            }
                        ]
                    }
                ]
            },
            id="one variable",
        ),
        pytest.param(
            {
                "volumes": [
                    {"configMap": {"name": "other"}},
                    {"emptyDir": {}},
                    {"secret": {"secretName": "c"}},
                ]
            },
            {
                "volumes": [
                    {"configMap": {"name": "other"}},
                    {"emptyDir": {}},
                    {"secret": {"secretName": "c"}},
                ]
            },
            id="others",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Job"])
def test_references_follow(kind: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Every way for a pod to use a ConfigMap leads to the Secret that replaces it."""
    rewritten = rewrite([configmap("c", k=A), workload(kind, **before)], lookup())
    name = rewritten.secrets[0]["metadata"]["name"]
    found = json.loads(json.dumps(pod(rewritten)).replace(name, "NEW"))
    assert {key: found[key] for key in after} == after


def test_other_kinds_of_workload_follow_too() -> None:
    """A bare Pod and a CronJob keep their pod specs elsewhere."""
    volumes = [{"name": "v", "configMap": {"name": "c"}}]
    bare = {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"volumes": volumes}}
    cron = {
        "kind": "CronJob",
        "metadata": {"name": "p"},
        "spec": {"jobTemplate": {"spec": {"template": {"spec": {"volumes": volumes}}}}},
    }
    rewritten = rewrite([configmap("c", k=A), bare, cron], lookup())
    name = rewritten.secrets[0]["metadata"]["name"]
    expected = [{"name": "v", "secret": {"secretName": name}}]
    new_bare, new_cron = rewritten.manifests
    assert new_bare["spec"]["volumes"] == expected
    assert new_cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"] == expected


def test_a_token_in_the_environment_comes_from_a_secret() -> None:
    """A value that is a token refers to the pod's Secret, whatever characters it has."""
    rewritten = rewrite(
        [
            workload(
                containers=[{"env": [{"name": "KEY", "value": A}, {"name": "N", "value": "1"}]}]
            )
        ],
        lookup(A='it\'s $(any) \n"thing"'),
    )
    (secret,) = rewritten.secrets
    assert content(secret) == {"TUTOR_SECRET_A": 'it\'s $(any) \n"thing"'}
    assert secret["metadata"]["name"].startswith("lms-secrets-")
    assert secret["metadata"]["labels"] == {**LABELS, **OWN_LABEL}
    reference = {"name": secret["metadata"]["name"], "key": "TUTOR_SECRET_A"}
    assert pod(rewritten)["containers"][0]["env"] == [
        {"name": "KEY", "valueFrom": {"secretKeyRef": reference}},
        {"name": "N", "value": "1"},
    ]


def test_a_token_inside_a_variable_or_script_becomes_a_variable() -> None:
    """Kubernetes fills in `$(NAME)`, the shell `${NAME}`; NAME comes before all other variables."""
    upper = "tutor-secret.A.f_upper.end"
    rewritten = rewrite(
        [
            workload(
                containers=[
                    {
                        "command": ["sh", "-c"],
                        "args": [f"mysql -p'{A}' $(hostname); echo {upper} {A}"],
                        "env": [{"name": "URL", "value": f"redis://u:{B}@h"}],
                    },
                    {"name": "without"},
                ]
            )
        ],
        lookup(),
    )
    main, without = pod(rewritten)["containers"]
    *fed, url = main["env"]
    names = {content(rewritten.secrets[0])[entry["name"]]: entry["name"] for entry in fed}
    assert names["s3cretA"] == "TUTOR_SECRET_A"
    assert url == {"name": "URL", "value": f"redis://u:$({names['s3cretB']})@h"}
    assert main["args"] == [
        "mysql -p''\"${TUTOR_SECRET_A}\"'' $(hostname); "
        f'echo "${{{names["S3CRETA"]}}}" "${{TUTOR_SECRET_A}}"'
    ]
    assert without == {"name": "without"}


def test_each_run_of_a_job_has_a_secret_of_its_own() -> None:
    """It goes with the job, and no other run needs it."""
    script = [{"args": [A]}]
    runs = [
        workload("Job", f"lms-job-2025010112000{second}", containers=script) for second in (1, 2)
    ]
    assert [secret["metadata"]["name"] for secret in rewrite(runs, lookup()).secrets] == [
        "lms-job-20250101120001-secrets",
        "lms-job-20250101120002-secrets",
    ]


def test_what_was_typed_has_a_secret_apart() -> None:
    """Its value is in no store, so that only the direct way is left in any mode."""
    typed = token("typed_password_0")
    job = workload("Job", "lms-job-20250101120001", containers=[{"args": [A, typed]}])
    first, second = rewriting.rewrite(
        [job], Direct(lookup()), Direct(lambda text: {typed: "it's me"}[text])
    ).secrets
    assert first["metadata"]["name"] == "lms-job-20250101120001-secrets"
    assert second["metadata"]["name"] == "lms-job-20250101120001-typed"
    assert content(second) == {"TUTOR_SECRET_typed_password_0": "it's me"}


def test_where_nothing_can_be_escaped_only_harmless_values_pass() -> None:
    """Code in a language that we do not know: the error names job and setting."""
    script = ["sh", "-e", "-c", f"ssh host 'login {A}; ls'"]
    job = workload("Job", "lms-job", containers=[{"args": script}])
    with pytest.raises(DeployError, match=r"^Job lms-job: the value of A cannot be") as caught:
        rewrite([job], lookup(A="$(rm)"))
    assert "rm" not in str(caught.value)
    assert pod(rewrite([job], lookup()))["containers"][0]["args"][-1] == (
        "ssh host 'login $(TUTOR_SECRET_A__anything); ls'"
    )


@pytest.mark.parametrize("script", [True, False], ids=["script", "variable"])
def test_no_variable_can_hold_a_nul(script: bool) -> None:
    part = {"args": ["sh", "-c", f"echo {A}"]} if script else {"env": [{"name": "X", "value": A}]}
    with pytest.raises(DeployError, match="choose a value without NUL characters"):
        rewrite([workload(containers=[part])], lookup(A="a\0b"))


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"stringData": {"a": A, "b": "plain"}}, id="text"),
        pytest.param(
            {"data": {"a": base64.b64encode(A.encode()).decode(), "b": "cGxhaW4="}}, id="base64"
        ),
    ],
)
def test_a_secret_of_another_plugin_is_filled(fields: dict[str, Any]) -> None:
    """It keeps its name and is applied with the others, server-side."""
    given = {"kind": "Secret", "metadata": {"name": "own"}, **fields}
    rewritten = rewrite([given], lookup())
    assert rewritten.manifests == []
    (secret,) = rewritten.secrets
    assert secret["metadata"]["name"] == "own"
    assert content(secret) == {"a": "s3cretA", "b": "plain"}
    assert "stringData" not in secret


@pytest.mark.parametrize(
    ("manifest", "where"),
    [
        pytest.param(
            {"kind": "Ingress", "metadata": {"name": "x", "annotations": {"auth": A}}},
            "Ingress x, metadata.annotations.auth",
            id="annotation",
        ),
        pytest.param(
            {"kind": "Service", "metadata": {"name": "x"}, "spec": {A: "x"}},
            "Service x, spec.key",
            id="key",
        ),
        pytest.param(
            workload(containers=[{"livenessProbe": {"exec": {"command": [A]}}}]),
            "Deployment lms, spec.template.spec.containers.0.livenessProbe.exec.command.0",
            id="probe, where Kubernetes fills in no variables",
        ),
        pytest.param(
            workload(containers=[{"args": [A.upper()]}]),
            "Deployment lms, spec.template.spec.containers.0.args.0",
            id="changed by a filter",
        ),
        pytest.param(
            configmap("c", **{"a.py": f"x = '{A[:-2]}'"}), "Secret c-", id="cut off by a filter"
        ),
    ],
)
def test_a_token_left_over_stops_everything(manifest: Manifest, where: str) -> None:
    """The error names the object and the place."""
    with pytest.raises(DeployError) as caught:
        rewrite([manifest], lookup())
    assert str(caught.value).startswith(where)
    assert "a secret cannot go there" in str(caught.value)


@pytest.mark.parametrize(
    ("gates", "left"),
    [
        pytest.param([{"name": GATE}], None, id="ours"),
        pytest.param([{"name": GATE}, {"name": "x/y"}], [{"name": "x/y"}], id="another's as well"),
        pytest.param([], None, id="empty"),
    ],
)
def test_the_gate_is_lifted(gates: list[dict[str, str]], left: object) -> None:
    """Only pods whose tokens are gone may be scheduled; other gates are not ours to lift."""
    rewritten = rewrite([workload(schedulingGates=gates)], lookup())
    assert pod(rewritten).get("schedulingGates") == left


@pytest.mark.parametrize("kind", ["kubernetes.io/basic-auth", None], ids=["given", "none"])
def test_the_type_of_another_plugins_secret_stays(kind: str | None) -> None:
    """In both modes: the Secret that the operator makes has it too."""
    given = {"kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": A}}
    manifests = [{**given, "type": kind} if kind else given]
    [secret] = rewrite(manifests, lookup()).secrets
    operators = External(Settings(name="openedx/acme"))
    [made] = rewriting.rewrite(manifests, operators, operators).secrets
    assert secret["type"] == (kind or "Opaque")
    assert made["spec"]["target"]["template"]["type"] == (kind or "Opaque")
    assert "type" not in made
    assert secret["metadata"]["labels"] == made["metadata"]["labels"] == FOREIGN_LABEL


def test_arguments_stay_as_they_are() -> None:
    """The manifests given are not changed."""
    manifests = [
        configmap("c", k=A),
        workload(
            volumes=[{"configMap": {"name": "c"}}],
            schedulingGates=[{"name": GATE}],
            containers=[{"args": [A], "env": [{"name": "X", "value": B}]}],
        ),
        {"kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": A}},
    ]
    before = copy.deepcopy(manifests)
    rewrite(manifests, lookup())
    assert manifests == before


def test_secrets_hide_themselves() -> None:
    """Printing the result shows no value."""
    assert "data" not in repr(rewrite([configmap("c", k=A)], lookup()))
