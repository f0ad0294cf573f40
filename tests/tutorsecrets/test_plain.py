"""Secrets in plain text are refused before they are applied."""

from __future__ import annotations

from typing import Any

import pytest
from tutorplatform.errors import DeployError
from tutorsecrets.rewriting.plain import require_no_password, require_no_value
from tutorsecrets.tokens import token

VALUES = {token("DB_PASSWORD"): "s3cret-value", token("SHORT"): "x"}


def configmap(**data: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


def secret(**data: Any) -> dict[str, Any]:
    return {"kind": "Secret", "metadata": {"name": "s"}, **data}


def deployment(**entry: str) -> dict[str, Any]:
    pod = {"containers": [{"name": "main", "env": [entry]}]}
    return {
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"template": {"spec": pod}},
    }


def test_a_value_in_another_plugins_configmap_is_refused() -> None:
    """Wherever in a file; the error says which setting, and not the value."""
    with pytest.raises(DeployError) as raised:
        require_no_value([configmap(**{"a.py": "URL = 'mysql://u:s3cret-value@h'"})], VALUES)
    assert str(raised.value).startswith(
        "ConfigMap c, data.a.py: has the value of DB_PASSWORD in plain text"
    )
    assert "s3cret" not in str(raised.value)


def test_short_values_are_found_by_chance() -> None:
    require_no_value([configmap(a="x")], VALUES)


@pytest.mark.parametrize(
    ("manifest", "where"),
    [
        (configmap(DB_PASSWORD="x"), "ConfigMap c, data: DB_PASSWORD is in plain text"),
        (deployment(name="API_TOKEN", value="x"), "Deployment d, container main: API_TOKEN is"),
        (
            deployment(name="BROKER", value="redis://u:s3cret@h"),
            "Deployment d, container main: BROKER is in plain text",
        ),
        (configmap(**{"a.py": 'apiKey = "x"'}), "ConfigMap c, data.a.py: apiKey is in plain text"),
        (
            configmap(**{"a.py": f'A = "{token("A")}"\nD = {{"x": {{"PASSWORD": "x"}}}}'}),
            "ConfigMap c, data.a.py: PASSWORD is in plain text",
        ),
        (configmap(**{"a.yml": "db:\n- password: x"}), "ConfigMap c, data.a.yml: password is"),
        (configmap(**{"a.ini": "smtp_passwd = x"}), "ConfigMap c, data.a.ini: smtp_passwd is"),
        (secret(data={"tls.key": "eA=="}), "Secret s, data: tls.key is in plain text"),
        (secret(stringData={"a": "x"}), "Secret s, stringData: a is in plain text"),
    ],
    ids=[
        *("ConfigMap", "variable", "URL", "Python", "beside a token", "YAML", "lines"),
        *("another Secret", "its text"),
    ],
)
def test_what_is_called_like_a_secret_may_not_be_plain(
    manifest: dict[str, Any], where: str
) -> None:
    with pytest.raises(DeployError) as raised:
        require_no_password([manifest], [])
    assert str(raised.value).startswith(where)


@pytest.mark.parametrize(
    "manifest",
    [
        configmap(DB_PASSWORD="", PUBLIC_API_KEY="x", DB_USER="x"),
        deployment(name="API_TOKEN", value="$(TUTOR_SECRET_A)"),
        deployment(name="API_TOKEN", value=""),
        deployment(name="API_TOKEN"),
        {"kind": "Service", "metadata": {"name": "s"}},
        configmap(**{"a.py": f'A_SECRET = "x"\nA_SECRET = "{token("A")}"'}),
        configmap(**{"a.sh": "PASSWORD=$(cat /run/password)", "a.ini": "password = $PASSWORD"}),
        configmap(**{"a.py": 'PASSWORD_LINK = "x"\nURL = "http://h:80/x@y"\nPASSWORD = None'}),
        secret(data={"PUBLIC_API_KEY": "eA=="}, stringData={"a": token("A"), "b": ""}),
        secret(data={"tls.crt": "eA=="}, stringData={"username": "x", "dbHost": "h"}),
    ],
    ids=[
        *("empty or declared", "from a Secret", "empty", "from elsewhere", "no workload"),
        *("overridden", "a variable's", "other names", "another Secret", "beside a secret"),
    ],
)
def test_everything_else_passes(manifest: dict[str, Any]) -> None:
    require_no_password([manifest], ["PUBLIC_API_KEY"])
