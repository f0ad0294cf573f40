"""Edge: which Tutor root the running `tutor` command works on."""

from __future__ import annotations

import click


def current_root() -> str | None:
    """The Tutor root of the `tutor` command that is running; None outside of any."""
    context = click.get_current_context(silent=True)
    root = context.find_root().params.get("root") if context else None
    return root if isinstance(root, str) else None
