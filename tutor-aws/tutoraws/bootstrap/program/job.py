"""Edge: makes what an instance needs on services that it shares, from a plan. Runs in the Job.

    python -m tutoraws.bootstrap.program.job <folder with plan.json> <folder with passwords.json>

`tutoraws.bootstrap.needs` writes the plan. Whatever was done is done only once: interrupted, or
run again, it goes on with what is missing.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tutoraws.bootstrap.program import aws, elasticache, mongodb, mysql, opensearch
from tutoraws.bootstrap.program.passwords import Passwords
from tutoraws.bootstrap.program.report import BootstrapError, Report

Part = Mapping[str, Any]
# Part of the plan → what looks at it, up to its first `yield`, and then makes it.
Service = Callable[[Part, Passwords, Report], Iterator[None]]


def _mysql(server: Part, passwords: Passwords, report: Report) -> Iterator[None]:
    admin = aws.administrator(server["admin"], "AWS_BOOTSTRAP.mysql_admin", [server["host"]])
    return mysql.bootstrap(server, passwords, admin, report)


def _mongodb(server: Part, passwords: Passwords, report: Report) -> Iterator[None]:
    hosts = mongodb.names(server)
    admin = aws.administrator(server["admin"], "AWS_BOOTSTRAP.mongodb_admin", hosts)
    return mongodb.bootstrap(server, passwords, admin, report)


def _redis(cache: Part, passwords: Passwords, report: Report) -> Iterator[None]:
    with aws.aws_errors("elasticache", elasticache.GROUP):
        client = aws.client("elasticache")
    return elasticache.bootstrap(cache, passwords, client, report)


def _opensearch(domain: Part, passwords: Passwords, report: Report) -> Iterator[None]:
    admin = aws.administrator(domain["admin"], "AWS_BOOTSTRAP.opensearch_admin", [domain["host"]])
    return opensearch.bootstrap(domain, passwords, admin, report)


SERVICES: Mapping[str, Service] = {
    "mysql": _mysql,
    "mongodb": _mongodb,
    "redis": _redis,
    "opensearch": _opensearch,
}


def main(plan_folder: str, passwords_folder: str) -> int:
    """Carry out the plan; the exit status."""
    plan = json.loads((Path(plan_folder) / "plan.json").read_text(encoding="utf-8"))
    values = json.loads((Path(passwords_folder) / "passwords.json").read_text(encoding="utf-8"))
    report = Report(functools.partial(print, flush=True))
    try:
        _carry_out(plan, Passwords(values, bool(plan.get("reset_passwords"))), report)
    except BootstrapError as error:
        print(f"Error: {error}", flush=True)
        return 1
    report.say(report.sum)
    return 0


def _carry_out(plan: Mapping[str, Any], passwords: Passwords, report: Report) -> None:
    """Look at all services, so that none is changed if something stands in the way at another."""
    services = [
        make(plan[service], passwords, report)
        for service, make in SERVICES.items()
        if service in plan
    ]
    for each in services:
        next(each)
    for each in services:
        next(each, None)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
