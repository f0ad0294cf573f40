"""Edge: the databases and users of an instance on a MySQL server, made with its administrator.

Runs in the Job, with the libraries of the openedx image; nothing else of ours is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tutoraws.bootstrap.program import grants
from tutoraws.bootstrap.program.passwords import Passwords
from tutoraws.bootstrap.program.report import BootstrapError, Report

CHARSET, COLLATION = "utf8mb4", "utf8mb4_unicode_ci"

# No `_` or `%`, which GRANT takes for wildcards, and nothing that would have to be quoted. In a
# user's name, which is no pattern, the second user of a rotation has a `_2`.
NAME = re.compile(r"[a-z][a-z0-9]+")
USER = re.compile(rf"{NAME.pattern}(_2)?")

# An expired password is none that the instance could use. 1820 is what old clients are told.
NOT_THE_PASSWORD = (1045, 1820, 1862)
# https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
CHECK_NETWORK = "check the endpoint, the security groups, and the policies of namespace and VPC"
CHECK_RIGHTS = "give the administrator the rights that the reference of AWS_BOOTSTRAP lists"
MADE_MEANWHILE = ("somebody else makes or drops the same at this moment", "run this again")
PROBLEMS = {
    1007: MADE_MEANWHILE,
    1044: ("the administrator may not do this", CHECK_RIGHTS),
    1045: (
        "the administrator is refused",
        "see that AWS_BOOTSTRAP.mysql_admin is that of this server, and is up to date",
    ),
    1142: ("the administrator may not do this", CHECK_RIGHTS),
    1227: ("the administrator may not do this", CHECK_RIGHTS),
    1396: MADE_MEANWHILE,
    1410: ("the administrator may not make users", CHECK_RIGHTS),
    1819: (
        "the server's password policy refuses the instance's password",
        "choose one that it accepts, or relax `validate_password`",
    ),
    2002: ("there is no way to it", CHECK_NETWORK),
    2003: ("there is no way to it", CHECK_NETWORK),
    2005: ("nobody knows this name", "check AWS_MYSQL.host"),
    2026: (
        "it cannot prove who it is",
        "let AWS_MYSQL.ca_file have the authority that has signed its certificate",
    ),
    3118: (
        "a user of the instance is locked",
        "see who has locked it, and why; then ALTER USER … ACCOUNT UNLOCK",
    ),
}

# (user, password) → a connection, as the Python database API has it.
Connect = Callable[[str, str], Any]


def connector(server: Mapping[str, Any]) -> Connect:
    """Connects to this server, over TLS whose certificate is verified, or not at all."""
    import MySQLdb

    def connect(user: str, password: str) -> Any:
        return MySQLdb.connect(
            host=server["host"],
            port=server["port"],
            user=user,
            password=password,
            connect_timeout=15,
            charset=CHARSET,
            ssl={"ca": server["ca"]},
            ssl_mode="VERIFY_IDENTITY",
        )

    return connect


def bootstrap(
    server: Mapping[str, Any],
    passwords: Passwords,
    admin: Mapping[str, str],
    report: Report,
) -> Iterator[None]:
    """Yield when nothing stands in the way; then make what is missing of databases, users, rights.

    Raises BootstrapError.
    """
    import MySQLdb

    try:
        connect = connector(server)
        connection = connect(admin["username"], admin["password"])
        try:
            with connection.cursor() as cursor:
                found = _Server(server, cursor, connect, passwords, report)
                found.check()
                yield
                found.make()
        finally:
            connection.close()
    except MySQLdb.Error as error:
        where = f"MySQL {server['host']}:{server['port']}"
        code = error.args[0] if error.args else 0
        problem = PROBLEMS.get(code, (f"error {code}", "look this number up in MySQL's reference"))
        # Not chained: the server's text may quote a statement.
        raise BootstrapError(where, *problem) from None


class _Server:
    def __init__(
        self,
        plan: Mapping[str, Any],
        cursor: Any,
        connect: Connect,
        passwords: Passwords,
        report: Report,
    ) -> None:
        self._databases: Sequence[Mapping[str, Any]] = plan["databases"]
        self._table_rights: Sequence[Mapping[str, Any]] = plan["table_rights"]
        self._cursor = cursor
        self._connect = connect
        self._passwords = passwords
        self._report = report
        # User → whether he knows the instance's password; who is not in it was not there.
        self._known: dict[str, bool] = {}

    def check(self) -> None:
        """Raise BootstrapError for names and users that belong to somebody else."""
        for database in self._databases:
            _require(NAME, database["name"])
            for user in database["users"]:
                _require(USER, user)
                self._require_own(user, database["name"])
            self._require_password(database)

    def make(self) -> None:
        """Make what is missing."""
        for database in self._databases:
            self._make_database(database["name"])
            for user in database["users"]:
                self._make_user(user, self._passwords[database["password"]])
                self._give(user, database["name"], "*", {"ALL PRIVILEGES"})
            self._mind_others(database)
        for each in self._table_rights:
            for user in each["users"]:
                self._give(user, each["database"], each["table"], set(each["rights"]))

    def _require_password(self, database: Mapping[str, Any]) -> None:
        """The user in use must know the instance's password; if he is not there, the other one."""
        password = self._passwords[database["password"]]
        found = {
            user: self._logs_in(user, password) for user in database["users"] if self._hosts(user)
        }
        apart = [user for user, right in found.items() if not right]
        if apart and not found.get(database["user"]):
            self._passwords.require_reset(f"MySQL user {apart[0]}")
        self._known.update(found)

    def _ask(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        self._cursor.execute(sql, values or None)
        return list(self._cursor.fetchall())

    def _make_database(self, name: str) -> None:
        what = f"MySQL database {name}"
        found = self._ask(
            "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME "
            "FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s",
            name,
        )
        if not found:
            self._cursor.execute(
                f"CREATE DATABASE `{name}` CHARACTER SET {CHARSET} COLLATE {COLLATION}"
            )
            self._report.did(what, "made")
            return
        self._report.there(what)
        if found != [(CHARSET, COLLATION)]:
            self._report.mind(
                f"{what} has {' and '.join(found[0])}; Open edX wants {COLLATION}. Tables "
                "that are there keep what they have, so this is left to you"
            )

    def _make_user(self, user: str, password: str) -> None:
        what = f"MySQL user {user}"
        if user not in self._known:
            self._cursor.execute(
                f"CREATE USER '{user}'@'%%' IDENTIFIED BY %s REQUIRE SSL", (password,)
            )
            self._report.did(what, "made")
            return
        changes = []
        if not self._hosts(user).get("%"):
            self._cursor.execute(f"ALTER USER '{user}'@'%' REQUIRE SSL")
            changes.append("now has to use TLS")
        if not self._known[user] and self._passwords.reset:
            self._cursor.execute(f"ALTER USER '{user}'@'%%' IDENTIFIED BY %s", (password,))
            changes.append("got the instance's password")
        elif not self._known[user]:
            # That of a rotation which has not come to its end, or of one before.
            self._report.mind(
                f"{what}, whose turn it is not, knows another password; before the next rotation, "
                "or if one asks for it, run this with --reset-passwords"
            )
        if changes:
            self._report.did(what, " and ".join(changes))
        else:
            self._report.there(what)

    def _hosts(self, user: str) -> dict[str, str]:
        """From where → how it has to use TLS, if it has to."""
        return dict(self._ask("SELECT Host, ssl_type FROM mysql.user WHERE User = %s", user))

    def _logs_in(self, user: str, password: str) -> bool:
        import MySQLdb

        try:
            self._connect(user, password).close()
        except MySQLdb.OperationalError as error:
            if error.args[0] not in NOT_THE_PASSWORD:
                raise
            return False
        return True

    def _give(self, user: str, database: str, table: str, rights: set[str]) -> None:
        what = f"MySQL rights of {user} on {database}.{table}"
        if rights <= self._rights(user).get((database, table), set()):
            self._report.there(what)
            return
        target = "*" if table == "*" else f"`{table}`"
        self._cursor.execute(
            f"GRANT {', '.join(sorted(rights))} ON `{database}`.{target} TO '{user}'@'%'"
        )
        self._report.did(what, "given")

    def _rights(self, user: str) -> dict[grants.Place, set[str]]:
        return grants.rights(self._grants(user))

    def _grants(self, user: str) -> list[str]:
        return [line for (line,) in self._ask(f"SHOW GRANTS FOR '{user}'@'%'")]

    def _require_own(self, user: str, database: str) -> None:
        """Raise BootstrapError for a user who has rights on something that is not of this plan."""
        found = self._hosts(user)
        if not found:
            return
        expected = {
            (each["database"], each["table"]): each["rights"]
            for each in self._table_rights
            if user in each["users"]
        }
        # MySQL gives these to everybody; MariaDB knows none.
        mandatory = dict(self._ask("SHOW VARIABLES LIKE 'mandatory_roles'"))
        roles = grants.roles(mandatory.get("mandatory_roles", ""))
        lines = self._grants(user) if "%" in found else []
        foreign = [
            *(f"logs in from {host}" for host in found if host != "%"),
            *filter(None, (grants.foreign(line, database, expected, roles) for line in lines)),
        ]
        if foreign:
            raise BootstrapError(
                f"MySQL user {user}",
                f"is not of this instance alone ({', '.join(foreign)}), so nothing was changed",
                "take these rights from it, or drop the user, and run this again",
            )

    def _mind_others(self, database: Mapping[str, Any]) -> None:
        name = database["name"]
        own = {user for each in self._databases for user in each["users"]}
        # The names of databases in the first table are patterns.
        for table, condition in (
            ("db", "%s LIKE Db"),
            ("tables_priv", "Db = %s"),
            ("procs_priv", "Db = %s"),
        ):
            found = self._ask(
                f"SELECT DISTINCT User, Db FROM mysql.{table} WHERE {condition}", name
            )
            for user, place in found:
                if user not in own:
                    self._report.mind(f"MySQL user {user} has rights on {name} too (on `{place}`)")


def _require(form: re.Pattern[str], name: str) -> None:
    if not form.fullmatch(name):
        raise BootstrapError(
            f"MySQL name {name!r}",
            "is not one that derives from an instance's",
            "remove the setting that has it from config.yml",
        )
