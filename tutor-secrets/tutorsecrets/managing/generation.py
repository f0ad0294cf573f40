"""Edge: makes up values, with Tutor's own generators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tutor import env as tutor_env
from tutor import hooks
from tutor.types import Config

from tutorsecrets import classification, configuration
from tutorsecrets.rewriting.resolve import Values, resolved
from tutorsecrets.tokens import parse, stored_name


def generators() -> dict[str, str]:
    """Setting → the template that makes up its value, for those that nobody else chooses."""
    known = {**classification.MADE_UP, **configuration.known_secrets()}
    return {key: template for key, template in known.items() if template}


def new_values(config: Config, keys: Iterable[str]) -> dict[str, str]:
    """A fresh value for each of these settings that has a generator."""
    templates = generators()
    return {key: tutor_env.render_str(config, templates[key]) for key in keys if key in templates}


def derived_values(tokens: Iterable[str], values: Mapping[str, str]) -> dict[str, str]:
    """Name in the store → value, of the tokens among these that derive from a setting.

    External Secrets cannot apply Tutor's filters, so the results are kept beside the setting.
    """
    filters = dict(hooks.Filters.ENV_TEMPLATE_FILTERS.iterate())
    known = Values("the store", values)
    return {
        stored_name(token): resolved(token, known, filters)
        for token in sorted(tokens)
        if parse(token).steps and parse(token).key in values
    }
