"""What a configuration lacks before it can be deployed."""

import shlex
from typing import Any

import pytest
import yaml
from tutoraws.completeness import incomplete, missing, set_command

# What Tutor makes of a fresh configuration with the plugin.
FRESH: dict[str, Any] = {
    "RUN_MYSQL": False,
    "RUN_REDIS": False,
    "RUN_MONGODB": False,
    "RUN_SMTP": False,
    "SMTP_HOST": "smtp",
    "MYSQL_HOST": "",
    "REDIS_HOST": "",
    "REDIS_USERNAME": "",
    "REDIS_PASSWORD": "",
    "MONGODB_HOST": "",
    "MONGODB_USERNAME": "acmeopenedx",
    "MONGODB_PASSWORD": "",
    "OPENSEARCH_USERNAME": "",
    "OPENSEARCH_PASSWORD": "",
    "RUN_MEILISEARCH": True,
    "LMS_HOST": "learn.a.test",
    "MEILISEARCH_URL": "http://meilisearch:7700",
    "MEILISEARCH_PUBLIC_URL": "https://meilisearch.learn.a.test",
    "AWS_MYSQL": {},
    "AWS_REDIS": {},
    "AWS_MONGODB": {},
    "AWS_S3": {},
    "AWS_CDN": {},
}
COMPLETE: dict[str, Any] = {
    **FRESH,
    "MYSQL_HOST": "db.test",
    "REDIS_HOST": "cache.test",
    "MONGODB_HOST": "mongo.test",
    "MONGODB_PASSWORD": "x",
    "AWS_REGION": "eu-west-1",
    "AWS_MYSQL": {"host": "db.test", "ca_file": "/ca.pem"},
    "AWS_S3": {"private_bucket": "acme-private", "public_bucket": "acme-public"},
}


def test_a_fresh_configuration_lacks_every_endpoint() -> None:
    """All of it is said at once."""
    assert missing(FRESH) == [
        "AWS_REGION",
        "AWS_MYSQL.host",
        "AWS_MYSQL.ca_file",
        "AWS_REDIS.host",
        "AWS_MONGODB.hosts",
        "MONGODB_PASSWORD",
        "AWS_S3.private_bucket",
        "AWS_S3.public_bucket",
    ]


def test_a_complete_configuration_lacks_nothing() -> None:
    """And there is no error to raise."""
    assert missing(COMPLETE) == []
    assert incomplete(COMPLETE) is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"RUN_MYSQL": True, "MYSQL_HOST": "", "AWS_MYSQL": {}}, [], id="own MySQL"),
        pytest.param({"RUN_REDIS": True, "REDIS_HOST": ""}, [], id="own Redis"),
        pytest.param({"RUN_MONGODB": True, "MONGODB_PASSWORD": ""}, [], id="own MongoDB"),
        pytest.param({"AWS_S3": {"enabled": False}}, [], id="no S3"),
        pytest.param(
            {"AWS_S3": {"enabled": False}, "AWS_REGION": ""}, ["AWS_REGION"], id="SES has a region"
        ),
        pytest.param(
            {"AWS_S3": {"enabled": False}, "AWS_REGION": "", "RUN_SMTP": True},
            [],
            id="neither S3 nor SES",
        ),
        *(
            pytest.param(
                {
                    "AWS_S3": {"enabled": False},
                    "AWS_REGION": "",
                    "RUN_SMTP": True,
                    "AWS_BOOTSTRAP": {key: "x"},
                },
                ["AWS_REGION"],
                id=f"bootstrap with {key}",
            )
            for key in ("mysql_admin", "mongodb_admin", "opensearch_admin", "redis_user_group")
        ),
        pytest.param({"AWS_REGION": "cn-north-1"}, ["SMTP_HOST"], id="China has no SES"),
        pytest.param(
            {"AWS_REGION": "cn-north-1", "SMTP_HOST": "mx.acme.test"}, [], id="relay in China"
        ),
        pytest.param({"REDIS_USERNAME": "acme"}, ["REDIS_PASSWORD"], id="Redis user"),
        pytest.param(
            {"MONGODB_USERNAME": "", "MONGODB_PASSWORD": ""}, [], id="MongoDB without users"
        ),
        pytest.param({"AWS_MYSQL": {"host": "db.test"}}, ["AWS_MYSQL.ca_file"], id="MySQL CA"),
        pytest.param(
            {"AWS_OPENSEARCH": {"host": "search.test"}, "OPENSEARCH_USERNAME": "acmeopenedx"},
            ["OPENSEARCH_PASSWORD", "AWS_NETWORK.data_cidrs"],
            id="OpenSearch",
        ),
        pytest.param(
            {
                "AWS_OPENSEARCH": {"host": "search.test", "auth": "role"},
                "AWS_NETWORK": {"enabled": False},
                "AWS_S3": {"enabled": False},
                "AWS_REGION": "",
                "RUN_SMTP": True,
            },
            ["AWS_REGION"],
            id="OpenSearch by role",
        ),
        pytest.param(
            {"DISCOVERY_RUN_ELASTICSEARCH": False}, ["AWS_OPENSEARCH.host"], id="discovery"
        ),
        pytest.param(
            {"DISCOVERY_RUN_ELASTICSEARCH": True}, [], id="discovery with its own Elasticsearch"
        ),
        pytest.param(
            {"RUN_MEILISEARCH": False},
            ["MEILISEARCH_URL", "MEILISEARCH_PUBLIC_URL"],
            id="Meilisearch elsewhere",
        ),
        pytest.param(
            {"RUN_MEILISEARCH": False, "MEILISEARCH_URL": "https://search.test"},
            ["MEILISEARCH_PUBLIC_URL"],
            id="Meilisearch elsewhere, not for browsers",
        ),
        pytest.param(
            {
                "RUN_MEILISEARCH": False,
                "MEILISEARCH_URL": "https://search.test",
                "MEILISEARCH_PUBLIC_URL": "https://search.test",
            },
            [],
            id="Meilisearch elsewhere, with both",
        ),
    ],
)
def test_what_is_needed_depends_on_what_runs_where(
    change: dict[str, Any], expected: list[str]
) -> None:
    """Each service can be Tutor's own, one by one."""
    assert missing({**COMPLETE, **change}) == expected


def test_the_command_is_valid_and_keeps_what_is_set() -> None:
    """`--set` replaces a whole mapping, so its other keys are repeated."""
    config = {
        **FRESH,
        "AWS_MYSQL": {"port": 3307},
        "AWS_OPENSEARCH": {"host": "search.test"},
        "AWS_NETWORK": {"egress": []},
    }
    words = shlex.split(set_command(config, missing(config)).replace("\\\n", ""))
    assert words[:3] == ["tutor", "config", "save"]
    settings = dict(word.split("=", 1) for word in words[3:] if word != "--set")
    assert yaml.safe_load(settings["AWS_MYSQL"]) == {"port": 3307, "host": "…", "ca_file": "…"}
    assert yaml.safe_load(settings["AWS_MONGODB"]) == {"hosts": ["…"]}
    assert yaml.safe_load(settings["AWS_NETWORK"]) == {"egress": [], "data_cidrs": ["…"]}
    assert settings["AWS_REGION"] == "…"


def test_the_error_says_what_and_how() -> None:
    """One message with everything in it."""
    error = str(incomplete(FRESH))
    assert error.startswith("aws: nothing can be deployed before these settings have a value: AWS")
    assert "tutor config save" in error
    assert "RUN_MYSQL=true" in error


def test_cloudfront_needs_a_bucket_a_host_and_a_secret() -> None:
    """Without the secret, whoever comes past it could choose their address."""
    lacks = ["AWS_CDN.assets_bucket", "AWS_CDN.origin_host", "AWS_CDN_SECRET"]
    assert missing({**COMPLETE, "AWS_CDN": {"mode": "cloudfront"}}) == lacks
    command = set_command({**COMPLETE, "AWS_CDN": {"mode": "cloudfront"}}, lacks)
    assert "--set AWS_CDN='{mode: cloudfront, assets_bucket: …, origin_host: …}'" in command
