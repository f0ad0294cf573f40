"""One instance for those who keep its secrets: a store in memory, a cluster that answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from tutor.exceptions import TutorError
from tutorplatform import manifests as kubernetes
from tutorplatform.manifests import Manifest
from tutorsecrets.deploying.session import Session
from tutorsecrets.stores.store import Content
from tutorsecrets.tokens import token
from tutorsecrets.typed import Typed

EXTERNAL = {
    "SECRETS_MODE": "external-secrets",
    "SECRETS_EXTERNAL": {"role_arn": "arn:aws:iam::123456789012:role/acme-secrets"},
}


class Store:
    """A store in memory. `meanwhile` is what somebody else writes just before we do."""

    title = "secret openedx/acme"
    region = "eu-west-1"

    def __init__(self, values: Mapping[str, str], meanwhile: Mapping[str, str]) -> None:
        self.values = dict(values)
        self._meanwhile = meanwhile

    def read(self, references: Mapping[str, str]) -> Content | None:
        others = {key: f"value of {reference}" for key, reference in references.items()}
        return Content({**self.values, **others}) if self.values else None

    def write(self, changes: Mapping[str, str], *, keep_existing: bool = False) -> list[str]:
        self.values |= self._meanwhile
        wanted = [key for key in changes if not (keep_existing and key in self.values)]
        self.values |= {key: changes[key] for key in wanted}
        return wanted

    def deviations(self) -> list[tuple[str, str]]:
        return []


class Cluster:
    """Answers with these names of Secrets, or, given None, not at all. With any, all runs."""

    def __init__(self, secrets: str | None, rendered: list[Manifest]) -> None:
        self._secrets, self._rendered = secrets, rendered

    def kustomize(self, directory: str) -> str:
        raise AssertionError("nothing is applied")

    def feed(self, argv: tuple[str, ...], text: str) -> int:
        raise AssertionError("nothing is applied")

    def ask(self, *argv: str, given: str = "") -> str:
        if argv[0] == "kustomize":
            return kubernetes.dump(self._rendered)
        if self._secrets is None:
            raise TutorError("no answer")
        if argv[1] == "deployments":
            return "".join(
                f"deployment.apps/{kubernetes.name(each)}\n"
                for each in kubernetes.of_kind(self._rendered, "Deployment")
                if self._secrets
            )
        assert "--selector=tutorsecrets/made-from=tokens" in argv
        return self._secrets


class Keeper:
    """An instance whose config.yml has these settings."""

    def __init__(
        self,
        root: Path,
        values: Mapping[str, str],
        *,
        settings: Mapping[str, Any] | None = None,
        meanwhile: Mapping[str, str] | None = None,
        secrets: str | None = None,
        rendered: list[Manifest] | None = None,
    ) -> None:
        tokens = {key: token(key) for key in ("OPENEDX_SECRET_KEY", "SMTP_PASSWORD")}
        # Tutor takes its time to make up a key.
        made_up = {"ID": "x", "JWT_RSA_PRIVATE_KEY": "x"}
        config = {"K8S_NAMESPACE": "acme", **made_up, **tokens, **(settings or {})}
        (root / "config.yml").write_text(yaml.safe_dump(config))
        self.store = Store(values, meanwhile or {})
        self.cluster = Cluster(secrets, rendered or [])
        self.session = Session(str(root), lambda _: self.store, Typed(), self.cluster)
