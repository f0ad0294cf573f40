"""What an instance may do on services that it shares with others."""

from __future__ import annotations

from typing import Any

from tutorplatform.instance import Instance

# They would show or change what is not the instance's own: names of keys (a session's name is its
# secret; tracking tells them as they change, https://github.com/redis/redis/pull/15371), code that
# everybody runs, the server itself. Subcommands can be denied since Redis 7.
DENIED = (
    *("@admin", "@dangerous", "scan", "randomkey", "client|tracking"),
    *("function", "script|flush", "script|kill", "pubsub", "cluster"),
)


def redis_rules(instance: Instance) -> str:
    """The access string of an instance's user: its own keys and channels, harmless commands only.

    For ElastiCache's `CreateUser` or Redis' `ACL SETUSER`; the password comes apart from it.
    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
    """
    own = f"{instance.key_prefix}*"
    denied = " ".join(f"-{command}" for command in DENIED)
    return f"on resetkeys ~{own} resetchannels &{own} +@all {denied}"


def opensearch_role(instance: Instance) -> dict[str, Any]:
    """The role of an instance's user, or of its IAM role, on an OpenSearch domain.

    The body of `PUT _plugins/_security/api/roles/<name>`. It may do anything to its own indexes,
    and nothing else: a bulk request names its indexes in the body, where each one is checked.
    https://docs.opensearch.org/latest/security/access-control/permissions/
    """
    own = {
        "index_patterns": [f"{instance.index_prefix}*"],
        "allowed_actions": ["crud", "manage"],
    }
    return {"cluster_permissions": ["indices:data/write/bulk"], "index_permissions": [own]}
