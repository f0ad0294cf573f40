"""Edge: an instance during one `tutor` command: its settings and, once asked for, its values."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from functools import cached_property

from tutor import config as tutor_config
from tutor import env as tutor_env
from tutor import hooks, plugins
from tutor.types import Config, get_typed
from tutorplatform import manifests as kubernetes
from tutorplatform.errors import ConfigError, DeployError
from tutorplatform.manifests import Manifest

from tutorsecrets import classification, settings
from tutorsecrets.deploying.kubectl import Cluster
from tutorsecrets.deploying.tasks import Task, with_script
from tutorsecrets.rewriting import external, plain, pods
from tutorsecrets.rewriting.resolve import Values, resolved
from tutorsecrets.rewriting.rewrite import OWN_LABEL, Rewritten, rewrite, tokens
from tutorsecrets.rewriting.sealing import Direct, Lookup
from tutorsecrets.stores import entries
from tutorsecrets.stores.store import Content, Store
from tutorsecrets.tokens import is_typed, keys_in, token
from tutorsecrets.typed import Typed

# As Tutor names them in `init --limit`.
CORE_APPLICATIONS = ("mysql", "meilisearch", "lms", "cms")

OpenStore = Callable[[Config], Store]


class Session:
    """One instance. The store is read at the first token met, and once."""

    def __init__(self, root: str, open_store: OpenStore, typed: Typed, cluster: Cluster) -> None:
        self.root = root
        self.typed = typed
        self.cluster = cluster
        self._open_store = open_store

    def anew(self) -> Session:
        """The same instance, with nothing read yet."""
        return type(self)(self.root, self._open_store, self.typed, self.cluster)

    def unchecked(self) -> UncheckedSession:
        """The same instance, even if its config.yml has secrets in plain text."""
        return UncheckedSession(self.root, self._open_store, self.typed, self.cluster)

    @cached_property
    def config(self) -> Config:
        """The full configuration. ConfigError if it has a secret in plain text."""
        return tutor_config.load_full(self.root)

    @cached_property
    def settings(self) -> settings.Settings:
        """The plugin's own settings."""
        return settings.read(self.config)

    @property
    def namespace(self) -> str:
        return get_typed(self.config, "K8S_NAMESPACE", str)

    @property
    def instance(self) -> str:
        """As Tutor labels all its objects."""
        return f"openedx-{get_typed(self.config, 'ID', str)}"

    @cached_property
    def store(self) -> Store:
        """Where the values are kept."""
        return self._open_store(self.config)

    @cached_property
    def content(self) -> Content | None:
        """What the store has; None if nothing was ever written to it."""
        return self.store.read(self.settings.references)

    @cached_property
    def values(self) -> Values:
        """The values in the store; DeployError if nothing was ever written to it."""
        if self.content is None:
            raise DeployError(
                "SECRETS_NAME",
                f"there is no {self.store.title} in {self.store.region}",
                "run `tutor secrets init`, or correct SECRETS_NAME or the AWS region",
            )
        entries.require_users(self.config, self.content.values.get(entries.USERS))
        return Values(self.store.title, self.content.values)

    @property
    def stored(self) -> dict[str, str]:
        """Token → value, for all secrets in the store, whether templates use them or not."""
        no_secrets = {*entries.BOOKKEEPING, *self.settings.plain}
        return {
            token(key): value for key, value in self.values.by_key.items() if key not in no_secrets
        }

    @cached_property
    def lookup(self) -> Lookup:
        """A token → its value."""
        filters = dict(hooks.Filters.ENV_TEMPLATE_FILTERS.iterate())
        # Taking an RSA key apart is slow, and templates do it for each of its numbers.
        filters["rsa_import_key"] = functools.cache(filters["rsa_import_key"])

        @functools.cache
        def lookup(token: str) -> str:
            if is_typed(token):
                return self.typed.lookup(token)
            return resolved(token, self.values, filters)

        return lookup

    @property
    def keys(self) -> set[str]:
        """The settings whose values the store must have."""
        return {classification.HASH_KEY, *keys_in(dict(self.config))}

    @cached_property
    def rendered(self) -> list[Manifest]:
        """The manifests of the rendered environment, with tokens.

        DeployError if it was rendered without this plugin.
        """
        manifests = kubernetes.load(self.cluster.ask("kustomize", tutor_env.pathjoin(self.root)))
        pods.require_gates(manifests)
        return manifests

    @cached_property
    def tasks(self) -> dict[str, list[Task]]:
        """Application → what `tutor k8s init --limit=…` runs for it, with tokens."""
        return {
            name: [
                (service, tutor_env.render_str(self.config, script))
                for service, script in hooks.Filters.CLI_DO_INIT_TASKS.iterate_from_context(
                    hooks.Contexts.app(name).name
                )
            ]
            for name in (*CORE_APPLICATIONS, *plugins.iter_loaded())
        }

    @property
    def tokens(self) -> set[str]:
        """Every token in the rendered environment and in the init tasks."""
        scripts = [script for tasks in self.tasks.values() for _, script in tasks]
        return tokens([*self.rendered, *scripts])

    @property
    def jobs(self) -> list[Manifest]:
        """The jobs of `tasks`, as Tutor makes them of the rendered ones."""
        known = {kubernetes.name(job): job for job in kubernetes.of_kind(self.rendered, "Job")}
        return [
            with_script(known[f"{service}-job"], script)
            for tasks in self.tasks.values()
            for service, script in tasks
            if f"{service}-job" in known
        ]

    def live(self, kinds: str) -> list[Manifest]:
        """The objects of these kinds in the instance's namespace; TutorError if kubectl fails."""
        answer = self.cluster.ask("get", kinds, f"--namespace={self.namespace}", "--output=json")
        items: list[Manifest] = json.loads(answer)["items"]
        return items

    def live_secrets(self, *options: str) -> set[str]:
        """The names of the Secrets in the instance's namespace, or of some, by a selector."""
        names = "--output=jsonpath={.items[*].metadata.name}"
        place = f"--namespace={self.namespace}"
        return set(self.cluster.ask("get", "secrets", place, *options, names).split())

    @property
    def is_external(self) -> bool:
        """Whether the External Secrets Operator brings the values."""
        return self.settings.mode == settings.EXTERNAL

    @property
    def stores(self) -> list[Manifest]:
        """What the operator reads with; nothing without it."""
        if not self.is_external:
            return []
        region = get_typed(self.config, "AWS_REGION", str, "")
        if not region:
            raise ConfigError(
                "AWS_REGION",
                "is not set, and external-secrets reads in one region",
                "run `tutor config save --set AWS_REGION=…`",
            )
        # As Tutor labels what it deletes in `stop`.
        labels = {**OWN_LABEL, "app.kubernetes.io/instance": self.instance}
        return external.store_objects(self.settings, self.namespace, region, labels)

    def rewritten(self, manifests: list[Manifest]) -> Rewritten:
        """The manifests without tokens, and the objects that bring the values.

        Raises DeployError for anything that would not arrive, or would not be secret.
        """
        direct = Direct(self.lookup)
        sealer = external.External(self.settings) if self.is_external else direct
        result = rewrite(manifests, sealer, direct)
        plain.require_no_password(manifests, self.settings.plain)
        plain.require_no_value(result.manifests, self._known_values(tokens(manifests)))
        return result

    def filled(self, manifests: list[Manifest]) -> list[Manifest]:
        """Manifests for another namespace than the instance's, with values in place of tokens.

        The operator's store is of that namespace, so here they come from us in every mode.
        """
        direct = Direct(self.lookup)
        result = rewrite(manifests, direct, direct)
        return [*result.secrets, *result.manifests]

    def _known_values(self, found: set[str]) -> dict[str, str]:
        """Token → value, for these and, if they are why the store is read, for all in it."""
        # What somebody typed may be the name of the account as well, and be in plain sight.
        known = {text for text in found if not is_typed(text)}
        if self.is_external or not known:
            return {}
        return {**self.stored, **{text: self.lookup(text) for text in known}}


class UncheckedSession(Session):
    """An instance whose config.yml may still have secrets in plain text."""

    @cached_property
    def config(self) -> Config:
        """The full configuration."""
        config = tutor_config.get_user(self.root)
        tutor_config.update_with_base(config)
        tutor_config.update_with_defaults(config)
        tutor_config.render_full(config)
        return config
