"""Edge: Tutor's template environment, which notes what templates do to secrets.

Tutor has hooks for filters and functions of templates, but none for what is done to a value
without either. Its renderers take this class by its name in `tutor.env`; see
docs/decisions/0011.
"""

from __future__ import annotations

from tutor import env as tutor_env

from tutorsecrets.recording import RecordingEnvironment


class TokenEnvironment(RecordingEnvironment, tutor_env.JinjaEnvironment):
    """Tutor's own. Nothing in it is different where there is no token."""


def record() -> None:
    """From now on, Tutor renders with it."""
    tutor_env.JinjaEnvironment = TokenEnvironment  # type: ignore[misc]
