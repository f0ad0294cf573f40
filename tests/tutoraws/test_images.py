"""Images, and where a pull-through cache has them."""

import pytest
from tutoraws.images import cached, is_of_others

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
RULES = {"docker.io": "hub", "quay.io": "quay"}


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("docker.io/caddy:2", f"{REGISTRY}/hub/library/caddy:2"),
        ("caddy:2", f"{REGISTRY}/hub/library/caddy:2"),
        ("docker.io/getmeili/meilisearch:v1", f"{REGISTRY}/hub/getmeili/meilisearch:v1"),
        ("getmeili/meilisearch", f"{REGISTRY}/hub/getmeili/meilisearch"),
        ("quay.io/a/b@sha256:12", f"{REGISTRY}/quay/a/b@sha256:12"),
        ("ghcr.io/a/b:1", "ghcr.io/a/b:1"),
        ("localhost/a:1", "localhost/a:1"),
        ("registry:5000/a:1", "registry:5000/a:1"),
        (f"{REGISTRY}/a:1", f"{REGISTRY}/a:1"),
    ],
)
def test_a_rule_covers_what_comes_from_its_registry(image: str, expected: str) -> None:
    assert cached(image, REGISTRY, RULES) == expected


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("DOCKER_IMAGE_CADDY", "docker.io/caddy:2", True),
        ("DISCOVERY_DOCKER_IMAGE_ELASTICSEARCH", "docker.io/elasticsearch:7", True),
        ("DOCKER_IMAGE_OPENEDX", "{{ DOCKER_REGISTRY }}overhangio/openedx", False),
        ("DOCKER_IMAGE_OPENEDX_DEV", "openedx-dev:22", False),
        ("MFE_NODE_IMAGE", "docker.io/node:24", False),
        ("DOCKER_IMAGE_X", None, False),
    ],
)
def test_images_of_others_are_told_from_those_that_tutor_builds(
    setting: str, value: object, expected: bool
) -> None:
    assert is_of_others(setting, value) is expected
