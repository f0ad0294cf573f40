"""Edge: asks Tutor for the public hosts that it and its plugins declare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tutor import env
from tutor.hooks import Filters


def public_hosts(config: Mapping[str, Any]) -> list[str]:
    """The host names that browsers talk to and that this instance serves, each one once.

    Plugins declare them as templates: https://docs.tutor.edly.io/reference/api/hooks/filters.html
    """
    # What a template function sees holds Jinja's own functions too; they do not copy well.
    values = {key: value for key, value in config.items() if not callable(value)}
    # All at once: for each rendering Tutor copies the whole configuration.
    templates = "\n".join(Filters.APP_PUBLIC_HOSTS.iterate("local"))
    hosts = [_host_name(line) for line in env.render_str(values, templates).splitlines()]
    # Tutor declares the search host even when somebody else serves it.
    foreign = set() if config["RUN_MEILISEARCH"] else {_host_name(config["MEILISEARCH_PUBLIC_URL"])}
    return [host for host in dict.fromkeys(hosts) if host not in foreign]


def _host_name(address: str) -> str:
    """`learn.acme.org` of `https://Learn.acme.org:443/path`; all but the name may be absent."""
    without_scheme = address.rpartition("://")[2]
    return urlsplit(f"//{without_scheme}").hostname or ""
