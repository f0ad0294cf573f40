"""The IAM policy of the Job's role: it reads the administrators' secrets, and makes Redis users."""

from __future__ import annotations

from tutoraws.policies import OPERATOR, Policy, Secrets, partition, secrets_policy
from tutoraws.settings import Settings

DESCRIBING = ["elasticache:DescribeUserGroups", "elasticache:DescribeUsers"]
CHANGING = ["elasticache:CreateUser", "elasticache:ModifyUser", "elasticache:ModifyUserGroup"]


def policy(settings: Settings, account: str, kms_key: str = "") -> Policy:
    """What `settings` make the Job do, and nothing else. `account` may be `*`.

    `kms_key` is the one that the secrets are encrypted with, if it is not AWS' own.
    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/IAM.ResourceLevelPermissions.html
    """
    bootstrap = settings.bootstrap
    region = settings.region or "*"
    admins = (bootstrap.mysql_admin, bootstrap.mongodb_admin, bootstrap.opensearch_admin)
    secrets = [name for name in admins if name]
    statements = []
    if secrets:
        read = Secrets(region, account, secrets[0], secrets[1:], kms_key)
        reading = secrets_policy(OPERATOR, read)["Statement"]
        # It does not ask what a secret is.
        statements += [{**reading[0], "Action": ["secretsmanager:GetSecretValue"]}, *reading[1:]]
    if bootstrap.redis_user_group:
        arn = f"arn:{partition(region)}:elasticache:{region}:{account}"
        resources = [f"{arn}:user:*", f"{arn}:usergroup:{bootstrap.redis_user_group}"]
        actions = [*DESCRIBING, *CHANGING]
        statements.append(
            {"Sid": "Users", "Effect": "Allow", "Action": actions, "Resource": resources}
        )
    return {"Version": "2012-10-17", "Statement": statements}
