"""The two MySQL users of a database, who take turns when its password is rotated. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tutorplatform.errors import ConfigError
from tutorplatform.names import SECOND_USER, second_user

DATABASE_PASSWORD = re.compile(r"(?P<application>\w+)_MYSQL_PASSWORD")

# They stand in SQL within a shell script. MySQL allows 32 characters.
USER = re.compile(r"[\w.-]{1,32}", re.ASCII)
DATABASE = re.compile(r"\w+", re.ASCII)

CLIENT = (
    'mysql --user="{{ MYSQL_ROOT_USERNAME }}" --password="{{ MYSQL_ROOT_PASSWORD }}" '
    '--host="{{ MYSQL_HOST }}" --port="{{ MYSQL_PORT }}"'
)

# What another user of that name can be told by, in MySQL and in MariaDB. The first tables are
# those of the server itself: who may not read them gets an error, not an empty answer. No UNION:
# the collations of these tables differ from one server to the next.
RIGHTS = "; ".join(
    (
        *(
            f"SELECT CONCAT(User, ' on ', Db) FROM mysql.{table} "
            "WHERE User IN ('{old}', '{new}') AND Db <> '{database}'"
            for table in ("db", "tables_priv", "procs_priv")
        ),
        "SELECT CONCAT(GRANTEE, ' on all databases') FROM information_schema.user_privileges "
        "WHERE GRANTEE IN ('''{old}''@''%''', '''{new}''@''%''') AND PRIVILEGE_TYPE <> 'USAGE'",
    )
)


@dataclass(frozen=True)
class DatabaseUser:
    """A MySQL user and the one that takes over from it, with the same rights on a database."""

    password_key: str
    user_key: str
    database: str
    old: str
    new: str

    def creation(self, password_token: str) -> str:
        """The script that makes the new user; the old one stays valid.

        It fails, and changes nothing, if one of the two has rights on something else: that
        one is not of this instance alone.
        """
        rights = RIGHTS.format(old=self.old, new=self.new, database=self.database)
        return (
            f'others=$({CLIENT} --batch --skip-column-names --execute="{rights}")\n'
            'if [ -n "$others" ]; then\n'
            f'  echo "MySQL: nothing was changed, because {self.old} and {self.new} may have '
            f"rights on {self.database} only, but there are: $others; "
            f'give this instance a user of its own in {self.user_key}" >&2\n'
            "  exit 1\n"
            "fi\n"
            # A client may repeat a statement that fails, and the job's log is for many to read.
            f'if ! reason=$({CLIENT} --execute="'
            f"CREATE USER IF NOT EXISTS '{self.new}'@'%' IDENTIFIED BY '{password_token}'; "
            f"ALTER USER '{self.new}'@'%' IDENTIFIED BY '{password_token}'; "
            f"GRANT ALL ON {self.database}.* TO '{self.new}'@'%';\" 2>&1); then\n"
            f'  echo "MySQL: user {self.new} was not made; look the error up" >&2\n'
            '  echo "$reason" | grep -o -E "^ERROR [0-9]+" >&2 || true\n'
            "  exit 1\n"
            "fi"
        )

    @property
    def removal(self) -> str:
        """The script that removes the old user, whose password nobody uses any more."""
        return f"{CLIENT} --execute=\"DROP USER IF EXISTS '{self.old}'@'%';\""


def database_user(key: str, config: Mapping[str, Any]) -> DatabaseUser | None:
    """The user whose password a setting is; None if it is no MySQL password.

    Raises ConfigError for names that cannot be used on the server.
    """
    match = DATABASE_PASSWORD.fullmatch(key)
    if not match:
        return None
    user_key, database_key = (
        f"{match['application']}_MYSQL_{part}" for part in ("USERNAME", "DATABASE")
    )
    old, database = config.get(user_key), config.get(database_key)
    if not old or not database:
        return None
    _require_name(database_key, str(database), DATABASE, "letters, digits and _")
    _require_name(user_key, str(old), USER, "letters, digits and _ . -, 32 at most")
    new = second_user(str(old))
    if len(new) > 32:
        raise ConfigError(
            user_key,
            f"has no room for the second user, {new}: MySQL allows 32 characters",
            f"use a name of {32 - len(SECOND_USER)} characters at most",
        )
    return DatabaseUser(key, user_key, str(database), str(old), new)


def _require_name(where: str, name: str, form: re.Pattern[str], words: str) -> None:
    if not form.fullmatch(name):
        raise ConfigError(where, f"{name!r} cannot be used in a rotation", f"use {words}")
