"""How a MySQL user that was made for the instance gives itself another password. Pure.

Both users of a database have the same password, so the one whose turn comes can log in with it.
When nobody uses the old password any more, the other one follows.
"""

from __future__ import annotations

CLIENT = 'mysql --user="{user}" --password="{password}" --host="{{{{ MYSQL_HOST }}}}" '
CLIENT += '--port="{{{{ MYSQL_PORT }}}}"'


def script(user: str, has: str, gets: str) -> str:
    """The script after which `user` has the password `gets` instead of `has`, both tokens.

    It can be repeated. No right is needed to change one's own password:
    https://dev.mysql.com/doc/refman/8.4/en/alter-user.html
    """
    before, after = (CLIENT.format(user=user, password=token) for token in (has, gets))
    # A server with `password_require_current` wants to be told the present one.
    change = f"ALTER USER USER() IDENTIFIED BY '{gets}' REPLACE '{has}'"
    # The client may repeat a statement that fails, password and all: only the number is said.
    return (
        f"if {after} --execute='SELECT 1' > /dev/null 2>&1; then\n"
        f'  echo "MySQL: {user} has its new password already"\n'
        f'elif reason=$({before} --execute="{change}" 2>&1); then\n'
        f'  echo "MySQL: {user} has its new password"\n'
        "else\n"
        '  echo "$reason" | grep -o -E "^ERROR [0-9]+" >&2 || true\n'
        f'  echo "MySQL: nothing was changed, because {user} cannot log in with the password that '
        "the instance has had, or may not choose this one; 'tutor aws instance bootstrap' makes "
        "both users of each database, and with --reset-passwords gives them the instance's "
        'password" >&2\n'
        "  exit 1\n"
        "fi"
    )
