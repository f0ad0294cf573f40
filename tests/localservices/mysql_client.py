"""Django on MySQL, with the settings that Tutor rendered for one service of an instance.

    python -m tests.localservices.mysql_client <Tutor root> <service> <CA file> [<host> <port>]

As a program, since Django has its settings once per process. The driver is mysqlclient, as in the
images, where somebody has installed it; it needs a compiler and libmariadb-dev. Otherwise it is
PyMySQL, with mysqlclient's `ssl_mode` translated. Prints JSON.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import warnings
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from demo.tutor import TutorRoot
from tests.render.edx_platform import platform_settings, plugin_settings

IN_POD = "/openedx/aws-ca/mysql.pem"
TEXT = "Grüße 🎓"

# mysqlclient's modes, as PyMySQL has them. Without a mode mysqlclient verifies nothing.
PYMYSQL_OPTIONS = {
    "VERIFY_IDENTITY": {"ssl_verify_cert": True, "ssl_verify_identity": True},
    "VERIFY_CA": {"ssl_verify_cert": True, "ssl_verify_identity": False},
    "": {"ssl_verify_cert": False, "ssl_verify_identity": False},
}


def use_pymysql() -> None:
    import pymysql

    def connect(*, ssl: dict[str, str], ssl_mode: str = "", **options: Any) -> Any:
        options.update(PYMYSQL_OPTIONS[ssl_mode])
        return pymysql.Connection(ssl_ca=ssl["ca"], **options)

    pymysql.install_as_MySQLdb()
    # The version that Django asks for, and that the images have.
    pymysql.version_info = (2, 2, 8, "final", 0)
    pymysql.connect = connect  # type: ignore[assignment]


def configure(root: Path, service: str, ca_file: str, address: list[str]) -> None:
    platform = service in ("lms", "cms")
    found = (platform_settings if platform else plugin_settings)(TutorRoot(root), service)
    databases = found["DATABASES"]
    for database in databases.values():
        assert database["OPTIONS"]["ssl"] == {"ca": IN_POD}
        database["OPTIONS"] = {**database["OPTIONS"], "ssl": {"ca": ca_file}}
        if address:
            database["HOST"], database["PORT"] = address
    settings.configure(DATABASES=databases)


def session(alias: str) -> dict[str, Any]:
    """What the server says of a connection."""
    names = "client", "connection", "results"
    with connections[alias].cursor() as cursor:
        cursor.execute("SHOW STATUS LIKE 'Ssl_version'")
        tls = cursor.fetchone()[1]
        cursor.execute(f"SELECT {', '.join(f'@@character_set_{name}' for name in names)}")
        charsets = sorted(set(cursor.fetchone()))
        cursor.execute("SELECT CURRENT_USER(), DATABASE(), @@sql_mode")
        user, database, mode = cursor.fetchone()
    return {
        "tls": tls,
        "charsets": charsets,
        "user": user.partition("@")[0],
        "database": database,
        "strict": "STRICT_TRANS_TABLES" in mode,
        "host": connections[alias].settings_dict["HOST"],
        "atomic": connections[alias].settings_dict["ATOMIC_REQUESTS"],
    }


def kept_text(connection: BaseDatabaseWrapper) -> list[Any]:
    """A text as it comes back from a table of ours, and the table's collation."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE TABLE proof (name VARCHAR(50))")
        cursor.execute("INSERT INTO proof VALUES (%s)", [TEXT])
        cursor.execute("SELECT name FROM proof WHERE name = %s", [TEXT.upper()])
        (kept,) = cursor.fetchone()
        cursor.execute(
            "SELECT table_collation FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name = 'proof'"
        )
        (collation,) = cursor.fetchone()
    return [kept, collation]


def request(connection: BaseDatabaseWrapper, lost: bool = False) -> int:
    """The server's number for the connection that a request has; `lost` before it begins."""
    if lost:
        kill(connection)
    request_started.send(sender=None)
    number = _number(connection)
    request_finished.send(sender=None)
    return number


def kill(connection: BaseDatabaseWrapper) -> None:
    """End the connection on the server, as a failover does."""
    other = connections.create_connection(connection.alias)
    with other.cursor() as cursor:
        cursor.execute(f"KILL {_number(connection)}")
    other.close()


def _number(connection: BaseDatabaseWrapper) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        return int(cursor.fetchone()[0])


def main() -> None:
    root, service, ca_file, *address = sys.argv[1:]
    # PyMySQL's, of its parameters that mysqlclient has too.
    warnings.simplefilter("ignore")
    if importlib.util.find_spec("MySQLdb") is None:
        use_pymysql()
    configure(Path(root), service, ca_file, address)
    try:
        result: Any = {alias: session(alias) for alias in connections}
    except OperationalError as error:
        print(json.dumps({"refused": str(error)}))
        return
    default = connections["default"]
    result["text"] = kept_text(default)
    numbers = [request(default), request(default), request(default, lost=True), request(default)]
    result["requests"] = [numbers.index(number) for number in numbers]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
