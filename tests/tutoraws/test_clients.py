"""What AWS' clients in the pods are given."""

from __future__ import annotations

from typing import Any

from tutoraws import clients
from tutoraws.settings import S3, Settings


def pods(settings: Settings, *plugins: str) -> dict[str, Any]:
    return {
        patch["metadata"]["name"]: patch["spec"]["template"]
        for patch in clients.overrides(settings, plugins)
    }


def test_every_pod_with_files_has_the_clients_file() -> None:
    """Where its variable says that it is."""
    settings = Settings(region="eu-west-1")
    [generated] = clients.config_map_generators(settings)
    for template in pods(settings, "credentials").values():
        [container] = template["spec"]["containers"]
        [mount] = container["volumeMounts"]
        assert {"name": "AWS_CONFIG_FILE", "value": f"{mount['mountPath']}/config"} in container[
            "env"
        ]
        [volume] = template["spec"]["volumes"]
        assert (volume["name"], volume["configMap"]["name"]) == (mount["name"], generated["name"])
        assert generated["literals"][0].startswith("config=[default]")


def test_plugins_with_files_are_somebody_for_aws() -> None:
    """Others have no use for a role."""
    settings = Settings(region="eu-west-1")
    plugins = ("credentials", "discovery", "notes", "xqueue")
    signing = {workload.name for workload in clients.signing(settings, plugins)}
    assert signing == {"credentials", "credentials-job", "discovery", "discovery-job"}
    assert signing <= set(pods(settings, *plugins))


def test_without_s3_nothing_is_added() -> None:
    settings = Settings(s3=S3(enabled=False))
    assert pods(settings, "discovery") == {}
    assert clients.signing(settings, ["discovery"]) == ()
    assert clients.config_map_generators(settings) == []
