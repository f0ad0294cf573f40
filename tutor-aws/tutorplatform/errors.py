"""Expected failures: what an operator reads instead of a traceback."""

from tutor.exceptions import TutorError


class PlatformError(TutorError):
    """`where: what is wrong; what to do`, printed by Tutor without a traceback."""

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(f"{where}: {problem}; {remedy}")
        self.where = where
        self.problem = problem
        self.remedy = remedy


class ConfigError(PlatformError):
    """A setting in config.yml (or TUTOR_… in the environment) cannot be used."""


class DeployError(PlatformError):
    """The cluster cannot take this deployment; nothing was applied."""
