"""The services that instances of a platform share, on this machine, as its operator sees them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import boto3
import pymysql
import redis
from localcluster.model import LOOPBACK
from localservices.mariadb import MariadbServer
from localservices.redis import RedisServer

from tests.localservices.mongod import Mongod

# As RDS makes them up for an administrator.
ADMIN_PASSWORD = "a'b$(id)`x`#!&|;<>*\\ \"z"
PASSWORDS = {
    "OPENEDX_MYSQL_PASSWORD": "it's-acme%s",
    "CREDENTIALS_MYSQL_PASSWORD": "credentials;--",
    "MONGODB_PASSWORD": "it's,acme=\\",
    "REDIS_PASSWORD": "acme/b+c%d!&#$^<>-",
}

# What an administrator of RDS may do, as far as MariaDB knows it.
ADMIN_RIGHTS = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, "
    "SHOW DATABASES, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, "
    "CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER, DELETE HISTORY"
)
SECRET = "rds!cluster-1"
GROUP = "openedx"


class Platform:
    """The shared services, and an administrator's look at them."""

    def __init__(
        self, mariadb: MariadbServer, cache: RedisServer, mongod: Mongod, aws: Mapping[str, str]
    ) -> None:
        self.mariadb, self.cache, self.mongod, self.aws = mariadb, cache, mongod, aws

    def connect(self, user: str, password: str, **options: Any) -> Any:
        return pymysql.connect(
            host=LOOPBACK,
            port=self.mariadb.port,
            user=user,
            password=password,
            ssl_ca=str(self.mariadb.authority),
            **options,
        )

    def sql(self, *statements: str, user: str = "root", password: str = "") -> list[Any]:
        with self.connect(user, password) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            connection.commit()
            return list(cursor.fetchall())

    def api(self, service: str) -> Any:
        found = self.aws
        return boto3.client(
            service,
            endpoint_url=found["AWS_ENDPOINT_URL"],
            region_name=found["AWS_DEFAULT_REGION"],
            aws_access_key_id=found["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=found["AWS_SECRET_ACCESS_KEY"],
        )

    def redis(self, **login: Any) -> Any:
        authority = str(self.cache.authority)
        return redis.Redis(LOOPBACK, self.cache.port, ssl=True, ssl_ca_certs=authority, **login)

    def let_redis_follow(self, user: str, password: str) -> None:
        """What ElastiCache does by itself: the cache gets the users of its group."""
        [found] = self.api("elasticache").describe_users(UserId=user)["Users"]
        rules = found["AccessString"].split()
        self.redis().execute_command("ACL", "SETUSER", user, "reset", f">{password}", *rules)


def prepare(found: Platform) -> None:
    with found.connect("root", "") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER platform IDENTIFIED BY %s", [ADMIN_PASSWORD])
        cursor.execute(f"GRANT {ADMIN_RIGHTS} ON *.* TO platform WITH GRANT OPTION")
    found.mongod.passwords["platform"] = ADMIN_PASSWORD
    found.mongod.roles["platform"] = [{"role": "root", "db": "admin"}]
    text = json.dumps({"username": "platform", "password": ADMIN_PASSWORD, "engine": "mysql"})
    found.api("secretsmanager").create_secret(Name=SECRET, SecretString=text)
    found.api("elasticache").create_user_group(
        UserGroupId=GROUP, Engine="redis", UserIds=["default"]
    )


def clear(found: Platform) -> None:
    found.api("secretsmanager").delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    found.api("elasticache").delete_user_group(UserGroupId=GROUP)
    for name in ("acme", "beta"):
        found.redis().execute_command("ACL", "DELUSER", name)


def forget(platform: Platform) -> None:
    names = [name for (name,) in platform.sql("SELECT User FROM mysql.user")]
    for name in names:
        if name.startswith(("acme", "beta")):
            platform.sql(f"DROP USER '{name}'@'%'")
    for (name,) in platform.sql("SHOW DATABASES"):
        if name.startswith(("acme", "beta")):
            platform.sql(f"DROP DATABASE {name}")
    for name in [each for each in platform.mongod.roles if each != "platform"]:
        del platform.mongod.roles[name], platform.mongod.passwords[name]
    cache = platform.api("elasticache")
    for user in cache.describe_users()["Users"]:
        if user["UserId"] in ("acme", "beta"):
            cache.delete_user(UserId=user["UserId"])
            cache.modify_user_group(UserGroupId=GROUP, UserIdsToRemove=[user["UserId"]])
