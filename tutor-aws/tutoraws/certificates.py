"""Edge: reads the files with the certificate authorities (CA) that databases must be signed by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutorplatform.errors import ConfigError
from tutorplatform.roots import current_root

from tutoraws.bundles import trusting
from tutoraws.objects import MONGODB_CA, MYSQL_CA
from tutoraws.settings import Settings

# `kubectl apply` repeats the ConfigMap, as JSON, in an annotation, and all annotations of an
# object together may have 262144 bytes.
# https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/
MAX_JSON_BYTES = 250_000


def certificates(settings: Settings, config: Mapping[str, Any]) -> dict[str, str]:
    """File name in the pods → PEM text, for each external database that has a ca_file.

    A relative path starts at the Tutor root of the running command.
    Raises ConfigError for a file that cannot be read, holds no certificate or a broken one, holds
    a private key, or is too big for Kubernetes.
    """
    files = {
        MYSQL_CA: ("AWS_MYSQL.ca_file", config["RUN_MYSQL"], settings.mysql.ca_file),
        MONGODB_CA: ("AWS_MONGODB.ca_file", config["RUN_MONGODB"], settings.mongodb.ca_file),
    }
    found = {
        name: _pem(path, where) for name, (where, run, path) in files.items() if path and not run
    }
    if len(json.dumps(found)) > MAX_JSON_BYTES:
        where, _, path = files[max(found, key=lambda name: len(found[name]))]
        raise ConfigError(
            where,
            f"the CA files have more than the {MAX_JSON_BYTES} bytes that fit, most of them {path}",
            "use a file with the certificates of your region only",
        )
    return found


def _pem(path: str, where: str) -> str:
    try:
        full_path = Path(current_root() or ".", Path(path).expanduser())
        text = full_path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            where,
            f"cannot read {path} ({error})",
            "name a PEM file that exists on this machine; `tutor aws ca-bundle` fetches that of "
            "Amazon RDS",
        ) from error
    if "PRIVATE KEY" in text:
        raise ConfigError(
            where, f"{path} holds a private key", "name a file with certificates only"
        )
    if not trusting(text):
        raise ConfigError(
            where,
            f"{path} holds no PEM certificate, or one that is broken",
            "name the CA bundle of your server; `tutor aws ca-bundle` fetches that of Amazon RDS",
        )
    return text
