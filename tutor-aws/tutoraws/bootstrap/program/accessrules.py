"""What an access string of ElastiCache means, however it is written. Pure.

AWS gives it back in a form of its own (https://github.com/hashicorp/terraform-provider-aws/issues/20334).
https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
"""

from __future__ import annotations

from collections.abc import Iterator

# As they are, unless the string says otherwise.
NOTHING = {"off", "reset", "resetkeys", "resetchannels", "sanitize-payload", "clearselectors"}
SHORT = {"allkeys": "~*", "allchannels": "&*", "allcommands": "+@all", "nocommands": "-@all"}


def meaning(rules: str) -> frozenset[str]:
    """The same for strings that mean the same to a new user."""
    found: list[str] = []
    for rule in _rules(rules):
        if rule in ("+@all", "-@all"):
            # What was said of commands before counts no more.
            found = [each for each in found if each[0] not in "+-"]
        if rule != "-@all" and rule not in NOTHING:
            found.append(rule)
    return frozenset(found)


def foreign(rules: str, own: str) -> list[str]:
    """The patterns for keys and channels that do not begin as those in `own` do."""
    beginnings = tuple(rule.rstrip("*") for rule in _patterns(own))
    return [rule for rule in _patterns(rules) if not rule.startswith(beginnings)]


def _patterns(rules: str) -> Iterator[str]:
    for rule in _rules(rules):
        # `%R~` is a pattern for reading alone; what stands in brackets has patterns of its own.
        kind, found, pattern = rule.partition("~")
        if found and (not kind or kind.startswith("%")):
            yield f"~{pattern}"
        elif rule.startswith("&"):
            yield rule


def _rules(text: str) -> Iterator[str]:
    for rule in text.replace("(", " ").replace(")", " ").split():
        yield SHORT.get(rule, rule)
