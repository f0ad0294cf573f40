"""Tutor's tasks on MySQL with the instance's own users: an instance knows no administrator. Pure.

Tutor's init tasks make databases and users. On a shared server a bootstrap has done so, and they
only check that they are there. What copies something runs as the user of the platform's database;
what makes something that we know nothing of is left out, and says so.
A server of Tutor's own (RUN_MYSQL) keeps Tutor's tasks. All of it is templates: what decides is
known when they are rendered.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tutoraws.objects import CA_FOLDER, MYSQL_CA
from tutoraws.workloads import WITH_DATABASE, plugins_with_database

# (service, template of a shell script), as in Tutor's filter CLI_DO_INIT_TASKS.
Task = tuple[str, str]

OURS = "{% if RUN_MYSQL %}"
MAKES_A_USER = re.compile(r"CREATE USER\b.*?{{ *(?P<application>\w+)_MYSQL_USERNAME *}}", re.DOTALL)
MAKES_SOMETHING = re.compile(r"\b(CREATE (USER|DATABASE)|GRANT)\b", re.IGNORECASE)
ADMINISTRATOR = re.compile(r"{{ *MYSQL_ROOT_(?P<part>USERNAME|PASSWORD) *}}")

# Errors that waiting does not cure: wrong password or user, no right to the database, or none; an
# expired password, or a locked user.
FINAL = ("1044", "1045", "1049", "1698", "1820", "1862", "3118")

CHECK = """\
database="{{ APPLICATION_MYSQL_DATABASE }}"
echo "MySQL: looking for database $database..."
attempt=1
until reason=$(mysql --user="{{ APPLICATION_MYSQL_USERNAME }}" \
    --password="{{ APPLICATION_MYSQL_PASSWORD }}" --host="{{ MYSQL_HOST }}" \
    --port="{{ MYSQL_PORT }}" --database="$database" --execute="SELECT 1" 2>&1)
do
    echo "$reason" >&2
    if echo "$reason" | grep -q -E "ERROR (FINAL)"
    then
        echo "MySQL: user {{ APPLICATION_MYSQL_USERNAME }} cannot use database $database on \
{{ MYSQL_HOST }}; REMEDY" >&2
        exit 1
    fi
    if [ "$attempt" -eq 10 ]
    then
        echo "MySQL: no way to {{ MYSQL_HOST }}; check AWS_MYSQL and the network policies" >&2
        exit 1
    fi
    attempt=$((attempt + 1))
    sleep 10
done
echo "MySQL: database $database is there"
""".replace("FINAL", "|".join(FINAL))
BOOTSTRAP = "have 'tutor aws instance bootstrap' run, which makes both"
# For plugins that we know nothing of.
BY_HAND = "have the administrator of the server make both, since a bootstrap does not"
SKIPPED = f"echo 'MySQL: this task of a plugin is left out; {BY_HAND}' >&2\n"


def with_own_users(tasks: Iterable[Task]) -> list[Task]:
    """The init tasks, without an administrator where the server is shared.

    Whoever calls it again with its result gets the same.
    """
    return [
        (service, _either(script)) if service == "mysql" and not script.startswith(OURS) else task
        for task in tasks
        for service, script in [task]
    ]


def _either(script: str) -> str:
    return f"{OURS}{script}{{% else %}}{_own(script)}{{% endif %}}"


def _own(script: str) -> str:
    made = MAKES_A_USER.search(script)
    if made:
        known = made["application"].lower() in ("openedx", *WITH_DATABASE)
        check = CHECK.replace("REMEDY", BOOTSTRAP if known else BY_HAND)
        return check.replace("APPLICATION", made["application"])
    return SKIPPED if MAKES_SOMETHING.search(script) else as_platform(script)


def as_platform(script: str) -> str:
    """The script with the user of the platform's database in the administrator's place."""
    return ADMINISTRATOR.sub(r"{{ OPENEDX_MYSQL_\g<part> }}", script)


def sqlshell(config: Mapping[str, Any], arguments: Sequence[str]) -> str:
    """The template of a script that runs MySQL's client with these arguments, in the LMS' image.

    As the user of the database that is among them, else of the platform's.
    """
    databases = {
        str(config[f"{name}_MYSQL_DATABASE"]): f"{name}_MYSQL"
        for name in ("OPENEDX", *(each.upper() for each in plugins_with_database(config)))
    }
    user = next((databases[each] for each in arguments if each in databases), "OPENEDX_MYSQL")
    verified = f" --ssl-ca={CA_FOLDER}/{MYSQL_CA} --ssl-mode=VERIFY_IDENTITY"
    if config["RUN_MYSQL"]:
        user, verified = "MYSQL_ROOT", ""
    return (
        f'mysql --user="{{{{ {user}_USERNAME }}}}" --password="{{{{ {user}_PASSWORD }}}}" '
        '--host="{{ MYSQL_HOST }}" --port="{{ MYSQL_PORT }}" --default-character-set=utf8mb4'
        f"{verified} {shlex.join(arguments)}"
    )
