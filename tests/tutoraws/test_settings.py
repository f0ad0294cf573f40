"""The AWS_… settings: what they accept, and what they say about the rest."""

import json
from dataclasses import is_dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from tutoraws import settings
from tutoraws.access import opensearch_role, redis_rules
from tutoraws.defaults import DEFAULTS
from tutorplatform.errors import ConfigError
from tutorplatform.instance import Instance

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "aws.md"

MISTAKES = [
    pytest.param({"AWS_MYSQL": {"hots": "x"}}, "AWS_MYSQL.hots: there is no such", id="typo"),
    pytest.param({"AWS_MYSLQ": {}}, "AWS_MYSLQ: there is no such setting", id="unknown setting"),
    pytest.param(
        {"AWS_MYSQL": {"host": "https://db.acme.test"}}, "AWS_MYSQL.host: ", id="URL for a host"
    ),
    pytest.param({"AWS_MYSQL": {"port": 0}}, "AWS_MYSQL.port: 0 is out of range", id="port 0"),
    pytest.param(
        {"AWS_REDIS": {"username": 'a"b'}}, "AWS_REDIS.username: ", id="quote in a user name"
    ),
    pytest.param({"AWS_MYSQL": {"host": "a..b"}}, "AWS_MYSQL.host: 'a..b' is not", id="dots"),
    pytest.param({"AWS_MYSQL": {"host": "a.-b"}}, "AWS_MYSQL.host: 'a.-b' is not", id="dash"),
    pytest.param(
        {"AWS_NETWORK": {"egress": ["203.0.113.7/32:70000"]}},
        "AWS_NETWORK.egress[0]: '203.0.113.7/32:70000' is not a range and a port",
        id="port beyond all",
    ),
    pytest.param(
        {"AWS_NETWORK": {"egress": ["203.0.113.7/32:443", "203.0.113.7/32:0"]}},
        "AWS_NETWORK.egress[1]: ",
        id="port 0 to go out by",
    ),
    pytest.param(
        {"AWS_MONGODB": {"hosts": ["mongodb+srv://acme.test"]}},
        "AWS_MONGODB.hosts[0]: ",
        id="MongoDB URI",
    ),
    pytest.param(
        {"AWS_MONGODB": {"hosts": ["mongo-1.test:27018"]}},
        "AWS_MONGODB.hosts[0]: ",
        id="port in a MongoDB host",
    ),
    pytest.param(
        {"AWS_MONGODB": {"hosts": ["mongo-1.test"], "srv_host": "acme.mongodb.net"}},
        "AWS_MONGODB.srv_host: stands beside hosts",
        id="two kinds of MongoDB address",
    ),
    pytest.param(
        {"AWS_MONGODB": {"replica_set": "rs0"}},
        "AWS_MONGODB.replica_set: has no servers",
        id="replica set of nobody",
    ),
    pytest.param(
        {"AWS_S3": {"private_bucket": "acme.files"}}, "AWS_S3.private_bucket: ", id="dotted bucket"
    ),
    pytest.param(
        {"AWS_S3": {"private_bucket": "acme", "public_bucket": "acme"}},
        "AWS_S3.public_bucket: is the private_bucket as well",
        id="one bucket for both",
    ),
    pytest.param(
        {"AWS_CDN": {"mode": "fastly"}}, "AWS_CDN.mode: 'fastly' is unknown", id="another CDN"
    ),
    pytest.param({"AWS_CDN": "none"}, "AWS_CDN: 'none' is not a mapping", id="CDN mode alone"),
    pytest.param(
        {"AWS_CDN": {"assets_bucket": "acme-assets"}},
        "AWS_CDN.assets_bucket: is of CloudFront, but AWS_CDN.mode is 'none'",
        id="two CDN modes",
    ),
    pytest.param(
        {
            "AWS_CDN": {"mode": "cloudfront", "assets_bucket": "acme"},
            "AWS_S3": {"private_bucket": "acme"},
        },
        "AWS_CDN.assets_bucket: holds learners' files as well",
        id="assets beside files",
    ),
    pytest.param({"AWS_CDN_SECRET": "short"}, "AWS_CDN_SECRET: is shorter", id="short secret"),
    pytest.param(
        {"AWS_CDN_SECRET": 'long-enough-but"quoted'}, "AWS_CDN_SECRET: is shorter", id="quote"
    ),
    pytest.param({"AWS_INGRESS": {"proxies": -1}}, "AWS_INGRESS.proxies: -1 is", id="proxies"),
    pytest.param(
        {"AWS_INGRESS": {"annotations": {"a b": "x"}}},
        "AWS_INGRESS.annotations, the key 'a b': ",
        id="annotation",
    ),
    pytest.param(
        {"AWS_INGRESS": {"annotations": {"acme.test/x": 5}}},
        "AWS_INGRESS.annotations.acme.test/x: 5 is not text",
        id="annotation that is a number",
    ),
    pytest.param(
        {"AWS_INGRESS": {"domains": ["*.*.acme.org"]}}, "AWS_INGRESS.domains[0]: ", id="two stars"
    ),
    pytest.param(
        {"AWS_INGRESS": {"certificates": {"acme": ["learn.acme.org"]}}},
        "AWS_INGRESS.certificates, the key 'acme': ",
        id="certificate that is no ARN",
    ),
    pytest.param(
        {"AWS_S3": {"public_bucket": "acme-public", "identity_bucket": "acme-public"}},
        "AWS_S3.identity_bucket: is the public_bucket as well",
        id="identity cards for everybody",
    ),
    pytest.param({"AWS_REGION": "Ireland"}, "AWS_REGION: 'Ireland' is not an AWS", id="region"),
    pytest.param(
        {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:user/x"}, "AWS_ROLE_ARN: ", id="user ARN"
    ),
    pytest.param(
        {"AWS_ECR": {"pull_through": {"docker.io": "hub"}}},
        "AWS_ECR.pull_through: is of no registry",
        id="cache of no registry",
    ),
    pytest.param(
        {"AWS_ECR": {"registry": "docker.io"}}, "AWS_ECR.registry: 'docker.io' is not", id="no ECR"
    ),
    pytest.param(
        {"AWS_OPENSEARCH": {"host": "https://search.test"}},
        "AWS_OPENSEARCH.host: 'https://search.test' is not a host name",
        id="domain with a scheme",
    ),
    pytest.param(
        {"AWS_OPENSEARCH": {"auth": "none"}}, "AWS_OPENSEARCH.auth: 'none' is unknown", id="auth"
    ),
    pytest.param(
        {"AWS_INGRESS": {"class_name": "Traefik"}}, "AWS_INGRESS.class_name: ", id="class"
    ),
]


@pytest.mark.parametrize(("config", "message"), MISTAKES)
def test_mistakes_are_named(config: dict[str, Any], message: str) -> None:
    """Each message starts with the full path of the setting."""
    with pytest.raises(ConfigError) as caught:
        settings.read(config)
    assert str(caught.value).startswith(message)


def test_the_defaults_of_the_plugin_are_the_defaults_of_the_types() -> None:
    """Nothing set is a valid configuration, if not a complete one."""
    own = {key: value for key, value in DEFAULTS.items() if key.startswith("AWS_")}
    assert settings.read(own) == settings.Settings()


@pytest.mark.parametrize(
    ("config", "uses_ses"),
    [
        pytest.param({"RUN_SMTP": False, "SMTP_HOST": "smtp"}, True, id="nothing else"),
        pytest.param(
            {
                "RUN_SMTP": False,
                "SMTP_HOST": "email-smtp.eu-west-1.amazonaws.com",
                "AWS_REGION": "eu-west-1",
            },
            True,
            id="SES by SMTP as well",
        ),
        pytest.param({"RUN_SMTP": False, "SMTP_HOST": ""}, True, id="no region yet"),
        pytest.param({"RUN_SMTP": True, "SMTP_HOST": "smtp"}, False, id="Tutor's relay"),
        pytest.param({"RUN_SMTP": False, "SMTP_HOST": "mx.acme.test"}, False, id="another relay"),
    ],
)
def test_ses_stands_in_for_tutors_own_relay_only(config: dict[str, Any], uses_ses: bool) -> None:
    """A relay that the operator names is not overruled."""
    assert settings.uses_ses(config) is uses_ses


def test_the_reference_lists_every_setting_with_its_default() -> None:
    """The rows of the reference's tables are the fields of the dataclasses, no more, no less."""
    documented = {}
    for line in REFERENCE.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) >= 3 and cells[0].startswith("`AWS_"):
            documented[cells[0].strip("`")] = yaml.safe_load(cells[2].strip("`"))
    actual: dict[str, Any] = {}
    for name, value in vars(settings.Settings()).items():
        setting = f"AWS_{name.upper()}"
        for key, default in (vars(value) if hasattr(value, "__dict__") else {"": value}).items():
            path = f"{setting}.{key}" if key else setting
            actual[path] = list(default) if isinstance(default, tuple) else default
    assert documented == actual


def test_the_reference_has_the_role_for_opensearch() -> None:
    """It is copied from there by hand; it covers what starts like the instance's, as a whole."""
    role = opensearch_role(Instance("acme"))
    text = REFERENCE.read_text(encoding="utf-8")
    assert json.loads(text.partition("```json\n")[2].partition("```")[0]) == role
    (rights,) = role["index_permissions"]
    (pattern,) = rights["index_patterns"]
    assert fnmatch("acme_course_info", pattern)
    assert not fnmatch("acmebeta_course_info", pattern)
    assert not fnmatch("beta_acme_course_info", pattern)


def test_the_reference_has_the_rules_for_redis() -> None:
    """They are copied from there to ElastiCache by hand."""
    assert f"\n{redis_rules(Instance('acme'))}\n" in REFERENCE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "mapping",
    [
        f"AWS_{name.upper()}"
        for name, value in vars(settings.Settings()).items()
        if is_dataclass(value)
    ],
)
def test_no_mapping_takes_a_key_that_it_does_not_know(mapping: str) -> None:
    """A typo would leave a default in force without a word."""
    with pytest.raises(ConfigError, match=rf"^{mapping}\.unheard_of: there is no such setting"):
        settings.read({mapping: {"unheard_of": 1}})
