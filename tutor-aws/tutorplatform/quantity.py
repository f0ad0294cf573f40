"""Kubernetes quantities: `500m` of a CPU, `2Gi` of memory.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from tutorplatform.errors import ConfigError

if TYPE_CHECKING:
    from fractions import Fraction

# As powers of ten and of two.
_FRACTIONS = {"n": -9, "u": -6, "m": -3}
_DECIMALS = {letter: 3 * power for power, letter in enumerate("kMGTPE", 1)}
_BINARIES = {f"{letter}i": 10 * power for power, letter in enumerate("KMGTPE", 1)}
_SUFFIXES = {"", *_FRACTIONS, *_DECIMALS, *_BINARIES}

# Compiled when they are needed: most commands need neither.
_QUANTITY = r"([0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]{1,2})|([a-zA-Z]{0,2}))"
_MISSPELT_MEMORY = r"(?i)([0-9]+(?:\.[0-9]+)?)\s*([kmgt])?i?(?:b|bytes)?"

# No container lives on less; whoever writes `512` or `512m` means mebibytes.
_LEAST_MEMORY = 1024**2


def cpu_millicores(value: object, where: str) -> int:
    """Thousandths of a CPU in `500m`, `0.5` or the number 2, rounded up; ConfigError if none."""
    number = _parsed(value, {"", *_FRACTIONS})
    if not number:
        raise ConfigError(
            where, f"{value!r} is not a Kubernetes quantity of CPU", "write '500m' for half a CPU"
        )
    return math.ceil(number * 1000)


def memory_bytes(value: object, where: str) -> int:
    """Bytes in `2Gi`, `512Mi` or `1.5G`, rounded up; ConfigError if it is none or below 1 MiB."""
    number = _parsed(value, _SUFFIXES)
    if number is None or number < _LEAST_MEMORY:
        problem = "not a Kubernetes quantity" if number is None else "less than a mebibyte"
        raise ConfigError(where, f"{value!r} is {problem}", f"write '{_likely_memory(value)}'")
    return math.ceil(number)


def traffic_bytes(value: object, where: str) -> int:
    """Bytes per second in `5M` or `500k`, rounded up; ConfigError if it is none."""
    number = _parsed(value, _SUFFIXES)
    if not number:
        raise ConfigError(
            where, f"{value!r} is not a Kubernetes quantity of bytes per second", "write '5M'"
        )
    return math.ceil(number)


def _parsed(value: object, suffixes: set[str]) -> Fraction | None:
    # YAML reads `cpu: 2` as a number; True is an int to Python, but no quantity.
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    match = re.fullmatch(_QUANTITY, str(value))
    if not match:
        return None
    number, exponent, suffix = match.groups()
    if exponent:
        return _exactly(number) * _exactly(10) ** int(exponent)
    return _exactly(number) * _factor(suffix) if suffix in suffixes else None


def _factor(suffix: str) -> Fraction:
    if suffix in _BINARIES:
        return _exactly(2) ** _BINARIES[suffix]
    return _exactly(10) ** ({"": 0, **_FRACTIONS, **_DECIMALS}[suffix])


def _exactly(number: str | int) -> Fraction:
    # It takes as long to import as all of a plugin, which every `tutor` command would wait for.
    from fractions import Fraction

    return Fraction(number)


def _likely_memory(value: object) -> str:
    match = re.fullmatch(_MISSPELT_MEMORY, str(value).strip())
    if not match or not _exactly(match[1]):
        return "2Gi"
    return f"{match[1]}{(match[2] or 'M').upper()}i"
