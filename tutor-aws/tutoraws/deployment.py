"""Edge: what happens to an incomplete configuration: an alert when saved, no when deployed."""

from __future__ import annotations

from tutor import config as tutor_config
from tutor import fmt
from tutor.types import Config
from tutorplatform.hooks import Kubectl

from tutoraws.completeness import incomplete


def alert_if_incomplete(_env: str, config: Config) -> None:
    """Print what is not set yet. Runs after each rendering of the environment."""
    error = incomplete(config)
    if error:
        fmt.echo_alert(str(error))


def refuse_if_incomplete(root: str, argv: tuple[str, ...], proceed: Kubectl) -> int:
    """A kubectl step: DeployError before anything of an incomplete configuration is applied.

    Only `apply` is refused: one can still look at a cluster, and clean it up. And Tutor's
    `start` would take an error of its `get namespaces` for "there is no such namespace".
    """
    if argv[:1] == ("apply",):
        error = incomplete(tutor_config.load_full(root))
        if error:
            raise error
    return proceed(*argv)
