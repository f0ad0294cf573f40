"""Edge: fetches the CA bundle of a region from AWS' trust store for RDS into the Tutor root."""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutor import config as tutor_config
from tutorplatform.errors import ConfigError, PlatformError

from tutoraws import bundles, settings
from tutoraws.bundles import Bundle
from tutoraws.completeness import save_command

TIMEOUT_S = 30


class NoDetours(urllib.request.HTTPRedirectHandler):
    """Makes an error of a redirect, which might lead to where nothing is verified."""

    def redirect_request(self, *_: Any) -> None:
        return None


def renewed(root: str, region: str | None) -> str:
    """Fetch the bundle of `region` (by default, AWS_REGION's); what happened, and what to do next.

    PlatformError if it cannot be fetched or is none; what was there before stays then.
    """
    config = tutor_config.get_user(root)
    aws = settings.read({**config, **({"AWS_REGION": region} if region else {})})
    if not aws.region:
        raise ConfigError(
            "AWS_REGION", "has no value", "run `tutor aws ca-bundle --region=…` with your region"
        )
    name = bundles.file_name(aws.region)
    path = Path(root) / name
    old = _kept(path)
    new = bundles.bundle(_fetched(bundles.url(aws.region), path), bundles.url(aws.region))
    _keep(path, new.text)
    return f"{bundles.report(str(path), new, old)}\n{_next_step(config, name)}"


def _next_step(config: Mapping[str, Any], name: str) -> str:
    mysql = config.get("AWS_MYSQL", {})
    if mysql.get("ca_file") == name:
        return "AWS_MYSQL.ca_file names it; `tutor k8s start` brings it to the pods"
    command = save_command({"AWS_MYSQL": {**mysql, "ca_file": name}})
    return f"To use it, run\n\n    {command}\n"


def _kept(path: Path) -> Bundle | None:
    """What is there already, unless that is no bundle."""
    try:
        return bundles.bundle(path.read_text(encoding="ascii"), str(path))
    except (OSError, UnicodeDecodeError, PlatformError):
        return None


def _fetched(url: str, path: Path) -> str:
    """What is at this address, over TLS that is verified as the system does it."""
    try:
        opener = urllib.request.build_opener(NoDetours)
        with opener.open(url, timeout=TIMEOUT_S) as answer:
            content: bytes = answer.read()
        return content.decode("ascii", errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(url, path, _said(error)) from error


def _said(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"answers {error.code} ({error.reason})"
    if isinstance(error, http.client.IncompleteRead):
        return "broke off in the middle"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return f"cannot be reached ({reason})"


def _unreachable(url: str, path: Path, problem: str) -> PlatformError:
    return PlatformError(
        url,
        f"{problem}; nothing was changed",
        "check the region and the network (HTTPS_PROXY counts), or run on a machine that can\n\n"
        f"    curl --fail --proto =https --output {path.name} {url}\n"
        f"    sha256sum {path.name}\n\n"
        f"and copy the file to {path}, where sha256sum has to show the same",
    )


def _keep(path: Path, text: str) -> None:
    """Write it beside and move it in place, so that no half of it is ever there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="ascii")
    os.replace(part, path)
