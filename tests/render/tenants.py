"""What tells two instances apart on services that they share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from demo.tutor import TutorRoot
from tests.render.edx_platform import PLUGIN_FILES, platform_settings, plugin_settings

# What the last key of such a setting is like.
IDENTIFIER = re.compile(
    r"(?i).*(bucket|database|db|index|location|name|namespace|prefix|topic|uid|user|url|uri)s?$"
)


def settings_of(root: TutorRoot) -> dict[str, dict[str, Any]]:
    """Service → its settings, as the rendered files make them."""
    platform = {service: platform_settings(root, service) for service in ("lms", "cms")}
    return {**platform, **{plugin: plugin_settings(root, plugin) for plugin in PLUGIN_FILES}}


def identifiers(root: TutorRoot) -> dict[str, str]:
    """Path → value of every setting that may name something on a service."""
    return {
        f"{service}:{path}": value
        for service, settings in settings_of(root).items()
        for name, setting in settings.items()
        if name.isupper() and name != "ENV_TOKENS"
        for path, value in _leaves(name, setting)
        if IDENTIFIER.fullmatch(path.split(".")[-1])
    }


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(f"{path}.{key}", item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(path, item)
    elif isinstance(value, str | int) and not isinstance(value, bool) and value != "":
        yield path, str(value)


# Setting (without its service) → why two instances may have the same value there.
SHARED = {
    r".*\.location|AWS_LOCATION|DJFS\.prefix": "a folder in the instance's bucket",
    r"FILE_UPLOAD_STORAGE_PREFIX|VIDEO_\w+\.DIRECTORY_PREFIX": "a folder there, too",
    r"CLOSEST_CLIENT_IP_FROM_HEADERS\..*": "how requests come to the platform",
    r"CACHES\.staticfiles\..*|ORA2_FILEUPLOAD_CACHE_NAME": "in the pod's memory",
    r".*COOKIE_NAME|(PLATFORM|STUDIO|MFE_CONFIG\.SITE)_NAME": "shown by the instance's own hosts",
    r".*REGION_NAME|CELERY_BROKER_HOSTNAME": "the service itself, not what is ours on it",
    r"(CREDENTIALS_SERVICE_USER|EDXNOTES_CLIENT_)NAME|XQUEUE_INTERFACE.*": "among its own pods",
    r"MEDIA_URL": "a path on the instance's host",
}
# A service in the instance's own namespace.
OWN_SERVICE = re.compile(r"https?://[a-z-]+(:\d+)?(/.*)?")


def shared(acmes: Mapping[str, str], betas: Mapping[str, str]) -> dict[str, str]:
    """The identifiers that have the same value in both, and no reason for it."""
    return {
        path: value
        for path, value in acmes.items()
        if betas.get(path) == value
        and not OWN_SERVICE.fullmatch(value)
        and not any(re.fullmatch(known, path.partition(":")[2]) for known in SHARED)
    }
