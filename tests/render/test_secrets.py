"""What Tutor writes and deploys with the secrets plugin."""

from __future__ import annotations

import ast
import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tutor import env as tutor_env  # noqa: F401  Registers Tutor's template filters.
from tutor import hooks, utils
from tutorplatform import manifests
from tutorplatform.manifests import Manifest
from tutorsecrets.rewriting.pods import GATE
from tutorsecrets.rewriting.resolve import Values, resolved
from tutorsecrets.rewriting.rewrite import Rewritten
from tutorsecrets.rewriting.rewrite import rewrite as rewrite_with
from tutorsecrets.rewriting.sealing import Direct, Lookup
from tutorsecrets.tokens import keys_in, token

from demo.tutor import TutorRoot
from tests.render.aws_services import CERTIFICATE, external_services

pytestmark = pytest.mark.render

NewRoot = Callable[..., TutorRoot]

OFFICIAL_PLUGINS = ("credentials", "discovery", "forum", "mfe", "notes", "xqueue")
CORE_SECRETS = {
    "CMS_OAUTH2_SECRET",
    "JWT_RSA_PRIVATE_KEY",
    "MEILISEARCH_MASTER_KEY",
    "MYSQL_ROOT_PASSWORD",
    "OPENEDX_MYSQL_PASSWORD",
    "OPENEDX_SECRET_KEY",
}

# The same for both roots that are compared. With users, so that all passwords are in use.
SETTINGS = {
    "ID": "an-id",
    "MEILISEARCH_API_KEY_UID": "5a0a3e5c-5b5c-4f4f-8f3f-0f2f8f6f7a1b",
    "MONGODB_USERNAME": "mongo",
    "REDIS_USERNAME": "redis",
    "SMTP_USERNAME": "smtp",
}
EXTRA = "OPENEDX_AWS_SECRET_ACCESS_KEY"


@pytest.fixture(scope="module")
def root(new_root: NewRoot) -> TutorRoot:
    """A root with every official plugin and every kind of secret."""
    root = new_root("secrets", *OFFICIAL_PLUGINS, **SETTINGS, SECRETS_KEYS=[EXTRA])
    root.run("config", "save")
    return root


@pytest.fixture(scope="module")
def values(root: TutorRoot) -> dict[str, str]:
    """A value for every token of that root, each one different."""
    keys = keys_in(texts_below(root.path))
    return {
        **{key: f"value-of-{key.lower()}" for key in keys},
        "JWT_RSA_PRIVATE_KEY": utils.rsa_private_key(1024),
        "SECRETS_HASH_KEY": "k",
    }


@pytest.fixture(scope="module")
def rewritten(root: TutorRoot, values: dict[str, str]) -> Rewritten:
    return rewrite(root.rendered(), lookup(values))


@pytest.fixture(scope="module")
def vanilla(new_root: NewRoot, values: dict[str, str]) -> list[Manifest]:
    """What Tutor itself deploys, with the same values in config.yml."""
    plain = {key: value for key, value in values.items() if not key.startswith("SECRETS_")}
    root = new_root(*OFFICIAL_PLUGINS, **SETTINGS, **plain)
    root.run("config", "save")
    return root.rendered()


def lookup(values: dict[str, str]) -> Lookup:
    filters = dict(hooks.Filters.ENV_TEMPLATE_FILTERS.iterate())
    known = Values("openedx/acme", values)
    return lambda text: resolved(text, known, filters)


def rewrite(manifests: list[Manifest], lookup: Lookup) -> Rewritten:
    return rewrite_with(manifests, Direct(lookup), Direct(lookup))


def texts_below(folder: Path) -> list[str]:
    return [
        path.read_text(encoding="utf-8", errors="replace")
        for path in folder.rglob("*")
        if path.is_file()
    ]


def base_name(manifest: Manifest) -> str:
    """The name of a generated object without its hashes."""
    return re.sub(r"-[a-z0-9]{10}(-[0-9a-f]{10})?$", "", manifests.name(manifest))


def files(objects: list[Manifest]) -> dict[tuple[str, str], str]:
    """(object, file) → content, of ConfigMaps and Secrets alike."""
    plain = {
        (base_name(item), key): text
        for item in manifests.of_kind(objects, "ConfigMap")
        for key, text in item["data"].items()
    }
    encoded = {
        (base_name(item), key): b64decode(text).decode()
        for item in manifests.of_kind(objects, "Secret")
        for key, text in item["data"].items()
    }
    return {**plain, **encoded}


def environment(objects: list[Manifest]) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in objects:
        for container in (manifests.pod_spec(item) or {}).get("containers") or []:
            for entry in container.get("env") or []:
                yield manifests.name(item), entry


# Rendering


def test_config_yml_and_environment_hold_tokens_only(root: TutorRoot) -> None:
    """Everything Tutor or a plugin would make up is a token; labels are not secret."""
    config = root.config()
    made_up = {key for key, value in config.items() if value == token(key)}
    assert made_up >= CORE_SECRETS
    assert {key.partition("_")[0] for key in made_up} >= {
        *("CREDENTIALS", "DISCOVERY", "NOTES", "XQUEUE"),
    }
    assert config["ID"] == "an-id"
    assert keys_in(config["MEILISEARCH_API_KEY"]) == {"MEILISEARCH_MASTER_KEY"}


def test_passwords_are_in_use_with_their_users(root: TutorRoot, new_root: NewRoot) -> None:
    """Without a user, Tutor's templates leave the password out, and so do we."""
    optional = {"MONGODB_PASSWORD", "REDIS_PASSWORD", "SMTP_PASSWORD", EXTRA}
    assert keys_in(texts_below(root.path / "env")) >= optional
    plain = new_root("secrets")
    plain.run("config", "save")
    assert keys_in(texts_below(plain.path)) == CORE_SECRETS


def test_saving_again_changes_nothing(root: TutorRoot) -> None:
    """The environment can be committed."""
    before = texts_below(root.path)
    root.run("config", "save")
    assert texts_below(root.path) == before


def test_two_instances_share_no_name(new_root: NewRoot) -> None:
    """Each instance has its own secret in the store, named after its namespace."""
    names = {
        new_root("secrets", K8S_NAMESPACE=name).run("config", "printvalue", "SECRETS_NAME").stdout
        for name in ("acme", "beta")
    }
    assert {name.splitlines()[-1] for name in names} == {"openedx/acme", "openedx/beta"}


# Rewriting


def test_every_file_is_what_tutor_itself_would_deploy(
    rewritten: Rewritten, vanilla: list[Manifest]
) -> None:
    """Byte for byte, with all official plugins, derived values included."""
    found = files([*rewritten.manifests, *rewritten.secrets])
    expected = files(vanilla)
    assert {place: found[place] for place in expected} == expected


def test_variables_get_the_values_that_tutor_itself_would_set(
    rewritten: Rewritten, vanilla: list[Manifest]
) -> None:
    """Directly or by way of a Secret."""
    secrets = {manifests.name(secret): secret["data"] for secret in rewritten.secrets}

    def value(entry: dict[str, Any]) -> str | None:
        reference = (entry.get("valueFrom") or {}).get("secretKeyRef")
        if reference:
            return b64decode(secrets[reference["name"]][reference["key"]]).decode()
        return entry.get("value")

    found = [
        (name, entry["name"], value(entry)) for name, entry in environment(rewritten.manifests)
    ]
    assert found == [(name, entry["name"], value(entry)) for name, entry in environment(vanilla)]


def test_no_value_is_outside_of_secrets(rewritten: Rewritten, values: dict[str, str]) -> None:
    """Nor any part of the private key."""
    key = utils.rsa_import_key(values["JWT_RSA_PRIVATE_KEY"])
    derived = [utils.long_to_base64(getattr(key, part)) for part in ("d", "p", "q", "dp", "dq")]
    text = json.dumps(rewritten.manifests)
    assert not [value for value in [*values.values(), *derived] if len(value) > 1 and value in text]


def test_no_object_is_lost(rewritten: Rewritten, vanilla: list[Manifest]) -> None:
    """Each of Tutor's objects is there, ConfigMaps with secrets as Secrets."""

    def found(objects: list[Manifest]) -> list[tuple[str, str]]:
        return sorted(
            ("ConfigMap" if item["kind"] == "Secret" else item["kind"], base_name(item))
            for item in objects
            if not base_name(item).endswith("-secrets")
        )

    assert found([*rewritten.manifests, *rewritten.secrets]) == found(vanilla)


def test_pods_are_held_back_until_tokens_are_replaced(
    root: TutorRoot, rewritten: Rewritten
) -> None:
    """Manifests that reach the cluster in another way never run."""

    def gates(objects: list[Manifest]) -> list[object]:
        return [pod.get("schedulingGates") for item in objects if (pod := manifests.pod_spec(item))]

    assert len(gates(root.rendered())) > 15
    assert all(found == [{"name": GATE}] for found in gates(root.rendered()))
    assert not any(gates(rewritten.manifests))


def test_passwords_of_external_services_are_secrets_too(new_root: NewRoot, tmp_path: Path) -> None:
    """Beside the other plugins of the suite, with characters that mean something to Python."""
    certificate = tmp_path / "ca.pem"
    certificate.write_text(CERTIFICATE)
    services = external_services(certificate)
    passwords = {key: services.pop(key) for key in list(services) if key.endswith("_PASSWORD")}
    root = new_root("autoscale", "aws", "secrets", **services)
    root.run("config", "save")
    values = {
        **dict.fromkeys(keys_in(texts_below(root.path)), "x"),
        **passwords,
        "JWT_RSA_PRIVATE_KEY": utils.rsa_private_key(1024),
        "SECRETS_HASH_KEY": "k",
    }
    found = files(rewrite(root.rendered(), lookup(values)).secrets)
    settings = ast.parse(found["openedx-settings-lms", "production.py"])
    texts = [node.value for node in ast.walk(settings) if isinstance(node, ast.Constant)]
    assert {*passwords.values()} <= {*texts}
    yaml_settings = yaml.safe_load(found["openedx-config", "lms.env.yml"])
    assert yaml_settings["CELERY_BROKER_PASSWORD"] == passwords["REDIS_PASSWORD"]


# Enabling, and what is refused


def failure(root: TutorRoot, *argv: str) -> str:
    """The error message of a command that has to fail, without a traceback."""
    result = root.run(*argv, check=False)
    assert result.returncode == 1, result.stdout
    assert "Traceback" not in result.stdout
    return next(line for line in result.stdout.splitlines() if "Error: " in line)


@pytest.mark.parametrize("has_config", [True, False], ids=["config.yml", "empty root"])
def test_enabling_on_a_fresh_root_leaves_tokens(
    new_root: NewRoot, tmp_path: Path, has_config: bool
) -> None:
    """Tutor makes up values before it loads the plugin; they are gone when the command ends."""
    root = new_root() if has_config else TutorRoot(tmp_path)
    root.run("plugins", "enable", "secrets", "notes")
    saved = root.config()
    assert {key: saved[key] for key in CORE_SECRETS} == {key: token(key) for key in CORE_SECRETS}
    assert keys_in(saved["MEILISEARCH_API_KEY"]) == {"MEILISEARCH_MASTER_KEY"}
    root.run("config", "save")
    assert root.config()["ID"] == saved["ID"]
    assert root.config()["NOTES_SECRET_KEY"] == token("NOTES_SECRET_KEY")
    assert not any("PRIVATE KEY-----" in text for text in texts_below(root.path))


def test_enabling_on_a_root_with_secrets_asks_for_them_to_be_moved(new_root: NewRoot) -> None:
    """Until then no command reads the configuration, and the values stay where they are."""
    root = new_root()
    root.run("config", "save")
    before = root.config()
    said = root.run("plugins", "enable", "secrets").stdout
    assert "config.yml: CMS_OAUTH2_SECRET, JWT_RSA_PRIVATE_KEY, " in said
    assert "`tutor secrets migrate`" in said
    message = failure(root, "config", "save")
    assert "config.yml: CMS_OAUTH2_SECRET, JWT_RSA_PRIVATE_KEY, " in message
    assert {key: value for key, value in root.config().items() if key != "PLUGINS"} == {
        key: value for key, value in before.items() if key != "PLUGINS"
    }


def test_policies_are_printed_before_anything_has_moved(new_root: NewRoot) -> None:
    """Who migrates needs one first."""
    root = new_root(environment={"AWS_DEFAULT_REGION": "eu-north-1"})
    root.run("config", "save")
    root.run("plugins", "enable", "secrets")
    said = root.run("secrets", "policy", "keeper").stdout
    policy = json.loads(said[said.index("{\n") :])
    assert policy["Statement"][0]["Resource"] == [
        "arn:aws:secretsmanager:eu-north-1:*:secret:openedx/acme-??????"
    ]


@pytest.mark.parametrize(("value", "kind"), [({"eu": "s3cret"}, "dict"), (["s3cret"], "list")])
def test_a_secret_that_is_no_text_is_not_moved(value: object, kind: str, new_root: NewRoot) -> None:
    """Nothing is: as text it would mean something else to a template."""
    root = new_root("secrets", REGION_TOKEN=value)
    before = (root.path / "config.yml").read_text()
    answer = root.run("secrets", "migrate", "--yes", check=False)
    assert answer.returncode == 1
    said = " ".join(answer.stdout.split())
    assert f"REGION_TOKEN: is a {kind}, and the store keeps texts; put what is secret" in said
    assert "s3cret" not in said
    assert (root.path / "config.yml").read_text() == before


def test_a_secret_on_the_command_line_is_not_written(new_root: NewRoot) -> None:
    """Neither to config.yml nor to env/."""
    root = new_root("secrets")
    root.run("config", "save")
    before = texts_below(root.path)
    message = failure(root, "config", "save", "--set", "OPENEDX_SECRET_KEY=s3cret")
    assert "config save: OPENEDX_SECRET_KEY: a secret in plain text" in message
    assert "`tutor secrets set OPENEDX_SECRET_KEY`" in message
    assert "s3cret" not in message
    assert texts_below(root.path) == before


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        pytest.param(["--append", "WEBHOOK_TOKENS=s3cret"], {}, id="appended"),
        pytest.param(["--set", "SMTP={password: s3cret}"], {}, id="in a mapping"),
        pytest.param(["--set", "BROKER=redis://u:s3cret@h"], {}, id="in a URL"),
        pytest.param([], {"TUTOR_SMTP_PASSWORD": "s3cret"}, id="variable for a default"),
        pytest.param([], {"TUTOR_MY_URL": "redis://u:s3cret@h"}, id="variable for a setting"),
    ],
)
def test_a_secret_in_any_disguise_is_not_written(
    new_root: NewRoot, arguments: list[str], environment: dict[str, str]
) -> None:
    """The configuration is refused before it is saved."""
    root = new_root("secrets", environment=environment, MY_URL="", WEBHOOK_TOKENS=[])
    before = texts_below(root.path)
    message = failure(root, "config", "save", *arguments)
    assert "a secret in plain text" in message
    assert "s3cret" not in message
    assert texts_below(root.path) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["--append", "SECRETS_KEYS=nonsense-"],
        ["--set", "SECRETS_KEYS=abc"],
        ["--set", "SECRETS_KEYS=[SECRETS_NAME]"],
        ["--set", "SECRETS_REFERENCES=[1]"],
        ["--set", "SECRETS_PLAIN={}"],
    ],
    ids=" ".join,
)
def test_lists_that_cannot_be_are_not_written(new_root: NewRoot, arguments: list[str]) -> None:
    """They decide what is secret in all the rest."""
    root = new_root("secrets")
    root.run("config", "save")
    before = texts_below(root.path)
    assert arguments[1].partition("=")[0] in failure(root, "config", "save", *arguments)
    assert texts_below(root.path) == before


@pytest.mark.parametrize(
    "arguments",
    [["--unset", "SECRETS_KEYS"], ["--set", "SECRETS_KEYS=[]"], ["-A", "SECRETS_KEYS=nonsense-"]],
    ids=" ".join,
)
def test_a_list_that_was_written_by_hand_can_be_mended(
    new_root: NewRoot, arguments: list[str]
) -> None:
    root = new_root("secrets", SECRETS_KEYS=["nonsense-"])
    assert "SECRETS_KEYS[0]: 'nonsense-' is not" in failure(root, "config", "save")
    root.run("config", "save", *arguments)
    assert root.config().get("SECRETS_KEYS", []) == []


def test_what_is_declared_a_secret_may_not_stay_in_plain_text(new_root: NewRoot) -> None:
    """Though nothing about its name tells."""
    root = new_root("secrets", MY_LICENSE="abcdefghij")
    root.run("config", "save")
    message = failure(root, "config", "save", "--append", "SECRETS_KEYS=MY_LICENSE")
    assert "config.yml: MY_LICENSE: a secret in plain text; run `tutor secrets migrate`" in message


def test_a_variable_that_is_no_setting_does_not_matter(new_root: NewRoot) -> None:
    """Tutor would not read it either."""
    new_root("secrets", environment={"TUTOR_CI_TOKEN": "x"}).run("config", "save")


def test_what_only_looks_like_a_secret_can_be_declared(new_root: NewRoot) -> None:
    root = new_root("secrets")
    assert "MAP_API_KEY" in failure(root, "config", "save", "--set", "MAP_API_KEY=public")
    root.run("config", "save", "--append", "SECRETS_PLAIN=MAP_API_KEY")
    root.run("config", "save", "--set", "MAP_API_KEY=public")
    assert root.config()["MAP_API_KEY"] == "public"


@pytest.mark.parametrize(
    ("settings", "environment", "message"),
    [
        pytest.param({"REDIS_PASSWORD": "x"}, {}, "config.yml: REDIS_PASSWORD: a", id="password"),
        pytest.param({"MY_API_KEY": "x"}, {}, "config.yml: MY_API_KEY: a secret", id="by name"),
        pytest.param(
            {}, {"TUTOR_REDIS_PASSWORD": "x"}, "environment: TUTOR_REDIS_PASSWORD: a", id="variable"
        ),
        pytest.param(
            {},
            {"TUTOR_OPENEDX_SECRET_KEY": "x"},
            "environment: TUTOR_OPENEDX_SECRET",
            id="override",
        ),
        pytest.param({"SECRETS_KEY": []}, {}, "SECRETS_KEY: there is no such", id="misspelt"),
        pytest.param(
            {"MY_SETTING": "tutor-secret.OPENEDX_SECRET"},
            {},
            "MY_SETTING: has a part of a token in it",
            id="token that was cut",
        ),
        pytest.param(
            {"MY_SETTING": "tutor-secret.OPENEDX_SECRET_KYE.end"},
            {},
            "MY_SETTING: has the token of OPENEDX_SECRET_KYE, which is no secret setting",
            id="token of nothing",
        ),
        pytest.param(
            {
                "SECRETS_NAME": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x",
                "AWS_REGION": "us-east-1",
            },
            {},
            "SECRETS_NAME: is a secret in eu-west-1, but AWS_REGION is us-east-1",
            id="region",
        ),
    ],
)
def test_secrets_from_elsewhere_are_refused(
    new_root: NewRoot, settings: dict[str, Any], environment: dict[str, str], message: str
) -> None:
    """Wherever a plain value comes from, it never reaches env/."""
    root = new_root("secrets", environment=environment, **settings)
    assert message in failure(root, "config", "save")
    assert not (root.path / "env").exists()


def test_a_secret_may_be_made_of_another(new_root: NewRoot) -> None:
    """A template in config.yml is as good as a token."""
    root = new_root("secrets", MY_SECRET="{{ OPENEDX_SECRET_KEY }}")
    assert root.run("config", "printvalue", "MY_SECRET").stdout.splitlines()[-1] == token(
        "OPENEDX_SECRET_KEY"
    )


@pytest.mark.parametrize(
    ("key", "source"),
    [
        ("MEILISEARCH_API_KEY", "MEILISEARCH_MASTER_KEY"),
        ("JWT_COMMON_SECRET_KEY", "OPENEDX_SECRET_KEY"),
    ],
)
def test_what_derives_from_another_is_not_set(root: TutorRoot, key: str, source: str) -> None:
    """Before the store is asked, or anybody for a value."""
    message = failure(root, "secrets", "set", key)
    assert f"{key}: derives from {source}; run `tutor secrets rotate {source}`" in message


@pytest.mark.parametrize("context", ["local", "dev"])
def test_docker_compose_is_refused(root: TutorRoot, context: str) -> None:
    """It would start services with tokens for passwords."""
    message = failure(root, context, "start", "--detach")
    assert "tutor local and dev: the secrets plugin works on Kubernetes only" in message


def test_disabling_with_tokens_left_is_refused(root: TutorRoot) -> None:
    """Tutor could not render this environment without the plugin."""
    before = texts_below(root.path)
    message = failure(root, "plugins", "disable", "secrets")
    assert "without this plugin, tokens stand for" in message
    assert "`tutor secrets restore`" in message
    assert texts_below(root.path) == before


def test_disabling_an_unused_root_leaves_no_token(new_root: NewRoot) -> None:
    """As if the plugin had never been there."""
    root = new_root("secrets")
    root.run("plugins", "disable", "secrets")
    assert keys_in(root.config()) == set()
    root.run("config", "save")
