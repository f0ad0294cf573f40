"""Quantities of CPU and memory: what Kubernetes takes, and what people write instead."""

from __future__ import annotations

import pytest
from tutorplatform.errors import ConfigError
from tutorplatform.quantity import cpu_millicores, memory_bytes

WHERE = "AUTOSCALE_SERVICES.lms.memory.limit"


@pytest.mark.parametrize(
    ("value", "millicores"),
    [("500m", 500), ("0.5", 500), (".5", 500), (2, 2000), (0.25, 250), ("1e-1", 100), ("1n", 1)],
    ids=str,
)
def test_cpu_is_read_in_thousandths(value: object, millicores: int) -> None:
    """CPU is read in all forms that Kubernetes takes, rounded up as Kubernetes does."""
    assert cpu_millicores(value, WHERE) == millicores


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("2Gi", 2 * 1024**3),
        ("1.5Gi", 3 * 512 * 1024**2),
        ("512Mi", 512 * 1024**2),
        ("2G", 2 * 10**9),
        ("1048576", 1024**2),
        (2097152, 2 * 1024**2),
        ("128e6", 128 * 10**6),
        ("1048576000m", 1024**2),
    ],
    ids=str,
)
def test_memory_is_read_in_bytes(value: object, size: int) -> None:
    """Memory is read with binary and decimal units, exponents and none."""
    assert memory_bytes(value, WHERE) == size


@pytest.mark.parametrize(
    "value",
    [
        0,
        "0",
        "0m",
        -1,
        "-500m",
        "",
        "half",
        "2Gi",
        "500 m",
        True,
        None,
        [],
        {},
        float("nan"),
        "\uff15",
    ],
    ids=ascii,
)
def test_what_is_no_cpu_is_refused(value: object) -> None:
    """No CPU at all, negative CPU, units of memory and non-numbers are refused, with the path."""
    with pytest.raises(ConfigError) as caught:
        cpu_millicores(value, WHERE)
    assert str(caught.value) == (
        f"{WHERE}: {value!r} is not a Kubernetes quantity of CPU; write '500m' for half a CPU"
    )


@pytest.mark.parametrize(
    ("value", "problem", "suggestion"),
    [
        ("2GB", "not a Kubernetes quantity", "2Gi"),
        ("2gb", "not a Kubernetes quantity", "2Gi"),
        ("1.5 GiB", "not a Kubernetes quantity", "1.5Gi"),
        ("512mb", "not a Kubernetes quantity", "512Mi"),
        ("512m", "less than a mebibyte", "512Mi"),
        (512, "less than a mebibyte", "512Mi"),
        (0, "less than a mebibyte", "2Gi"),
        ("-2Gi", "not a Kubernetes quantity", "2Gi"),
        ("", "not a Kubernetes quantity", "2Gi"),
        ("much", "not a Kubernetes quantity", "2Gi"),
        (True, "not a Kubernetes quantity", "2Gi"),
        (None, "not a Kubernetes quantity", "2Gi"),
    ],
    ids=repr,
)
def test_what_is_no_memory_is_refused(value: object, problem: str, suggestion: str) -> None:
    """What is no amount of memory is refused with the likely right spelling."""
    with pytest.raises(ConfigError) as caught:
        memory_bytes(value, WHERE)
    assert str(caught.value) == f"{WHERE}: {value!r} is {problem}; write '{suggestion}'"
