"""What lines of MySQL's SHOW GRANTS say. Each may end in the hash of a password, so none is shown.

https://dev.mysql.com/doc/refman/8.4/en/show-grants.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

GRANT = re.compile(
    r"GRANT (?P<rights>.+?) ON ((TABLE|PROCEDURE|FUNCTION) )?"
    r"(?P<database>`[^`]+`|\*)\.(?P<object>`[^`]+`|\*) TO (?P<rest>.*)"
)
ROLES = re.compile(r"GRANT (?P<roles>[^ ]+) TO [^ ]+")

# (database, table or `*`).
Place = tuple[str, str]


def rights(lines: Iterable[str]) -> dict[Place, set[str]]:
    """Place → what the user may do there."""
    matches = filter(None, map(GRANT.match, lines))
    return {_place(match): set(match["rights"].split(", ")) for match in matches}


def foreign(
    line: str,
    database: str,
    expected: Mapping[Place, Collection[str]],
    mandatory_roles: Collection[str],
) -> str:
    """What a line gives beside all of `database` and what is `expected`, in words; else empty."""
    match = GRANT.match(line)
    if not match:
        return "" if _roles(line) <= set(mandatory_roles) else "has a role"
    if "GRANT OPTION" in match["rest"]:
        return "may give its rights away"
    place, found = _place(match), set(match["rights"].split(", "))
    if place[0] == database or found - set(expected.get(place, ())) <= {"USAGE"}:
        return ""
    return f"has {match['rights']} on {'.'.join(place)}"


def roles(text: str) -> set[str]:
    """Role names, `name@host` each, in a list of them: that of @@mandatory_roles, or of a line."""
    plain = (each.translate(str.maketrans("", "", "`'\" ")) for each in text.split(","))
    return {each if "@" in each else f"{each}@%" for each in plain if each}


def _roles(line: str) -> set[str]:
    # `WITH ADMIN OPTION`, and PROXY, are no line of this form.
    match = ROLES.fullmatch(line)
    return roles(match["roles"]) if match else {line}


def _place(match: re.Match[str]) -> Place:
    return match["database"].strip("`"), match["object"].strip("`")
