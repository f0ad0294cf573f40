"""Edge: Tutor's template environment, which notes what templates do to secrets.

Tutor has hooks for filters and functions of templates, but none for what is done to a value
without either. Its renderers take this class by its name in `tutor.env`; see
docs/decisions/0011.
"""

from __future__ import annotations

from types import CodeType
from typing import Any

from tutor import env as tutor_env

from tutorsecrets.recording import RecordingEnvironment


class TokenEnvironment(RecordingEnvironment, tutor_env.JinjaEnvironment):
    """Tutor's own. Nothing in it is different where there is no token.

    But a patch that goes into several files is compiled once.
    """

    _compiled: dict[str, CodeType] = {}  # noqa: RUF012  # Tutor makes an environment per text.

    def compile(self, source: Any, *args: Any, **kwargs: Any) -> Any:
        """As Jinja has it: the code of a text."""
        # A filter on a constant runs while compiling, and `24|random_string` must be another one
        # each time.
        if args or kwargs or not isinstance(source, str) or "|" in source:
            return super().compile(source, *args, **kwargs)
        if source not in self._compiled:
            self._compiled[source] = super().compile(source)
        return self._compiled[source]


def record() -> None:
    """From now on, Tutor renders with it."""
    tutor_env.JinjaEnvironment = TokenEnvironment  # type: ignore[misc]
