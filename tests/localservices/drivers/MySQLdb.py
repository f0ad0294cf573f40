"""mysqlclient's interface on PyMySQL: the real one needs MySQL's libraries to be built."""

from __future__ import annotations

from typing import Any

import pymysql
from pymysql.err import Error, OperationalError

__all__ = ["Error", "OperationalError", "connect"]


def connect(*, ssl: dict[str, str], ssl_mode: str, **options: Any) -> Any:
    """A connection; the server's certificate and name are verified, as `ssl_mode` says."""
    assert ssl_mode == "VERIFY_IDENTITY"
    return pymysql.connect(
        ssl_ca=ssl["ca"], ssl_verify_cert=True, ssl_verify_identity=True, **options
    )
