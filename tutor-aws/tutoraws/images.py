"""Container images in Amazon ECR: ours pushed there, those of others through a pull-through cache.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# A registry's host has a dot, a port, or is `localhost`; anything else is Docker Hub's.
REGISTRY = re.compile(r"(?P<host>[^/]*[.:][^/]*|localhost)/(?P<name>.+)")
DOCKER_HUB = "docker.io"
# Settings of images that pods run. Others (`MFE_NODE_IMAGE`) are for builds only.
SETTING = re.compile(r"(^|_)DOCKER_IMAGE(_|$)")


def cached(image: str, registry: str, prefixes: Mapping[str, str]) -> str:
    """The image as the cache has it; unchanged where no rule covers where it comes from.

    `prefixes` maps upstream registries to the repository prefix of their pull-through rule.
    """
    match = REGISTRY.fullmatch(image)
    host, name = (match["host"], match["name"]) if match else (DOCKER_HUB, image)
    if host not in prefixes:
        return image
    if host == DOCKER_HUB and "/" not in name:
        # Where Docker Hub keeps the official ones.
        name = f"library/{name}"
    return f"{registry}/{prefixes[host]}/{name}"


def is_of_others(setting: str, value: object) -> bool:
    """Whether a default names an image, with its registry, that others make and pods run.

    Those of Tutor start with its DOCKER_REGISTRY, a template.
    """
    is_name = isinstance(value, str) and "{" not in value and REGISTRY.fullmatch(value)
    return bool(SETTING.search(setting) and is_name)
