"""Expected failures of the local cluster."""


class LocalClusterError(Exception):
    """`where: what is wrong; what to do`, to be shown without a traceback."""

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(f"{where}: {problem}; {remedy}")
