"""Edge: makes what an instance needs on services that it shares, from a plan. Runs in the Job.

    python -m tutoraws.bootstrap.program.job <folder with plan.json> <folder with passwords.json>

`tutoraws.bootstrap.needs` writes the plan. Whatever was done is done only once: interrupted, or
run again, it goes on with what is missing.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tutoraws.bootstrap.program import aws, elasticache, mongodb, mysql, opensearch
from tutoraws.bootstrap.program.report import BootstrapError, Report

Part = Mapping[str, Any]


def _mysql(server: Part, passwords: Mapping[str, str], report: Report) -> None:
    admin = aws.administrator(server["admin"], "AWS_BOOTSTRAP.mysql_admin")
    mysql.bootstrap(server, passwords, admin, report)


def _mongodb(server: Part, passwords: Mapping[str, str], report: Report) -> None:
    admin = aws.administrator(server["admin"], "AWS_BOOTSTRAP.mongodb_admin")
    mongodb.bootstrap(server, passwords, admin, report)


def _redis(cache: Part, passwords: Mapping[str, str], report: Report) -> None:
    elasticache.bootstrap(cache, passwords, aws.client("elasticache"), report)


def _opensearch(domain: Part, passwords: Mapping[str, str], report: Report) -> None:
    admin = aws.administrator(domain["admin"], "AWS_BOOTSTRAP.opensearch_admin")
    opensearch.bootstrap(domain, passwords, admin, report)


# Part of the plan → who makes it.
SERVICES: Mapping[str, Callable[[Part, Mapping[str, str], Report], None]] = {
    "mysql": _mysql,
    "mongodb": _mongodb,
    "redis": _redis,
    "opensearch": _opensearch,
}


def main(plan_folder: str, passwords_folder: str) -> int:
    """Carry out the plan; the exit status."""
    plan = json.loads((Path(plan_folder) / "plan.json").read_text(encoding="utf-8"))
    passwords = json.loads((Path(passwords_folder) / "passwords.json").read_text(encoding="utf-8"))
    report = Report(functools.partial(print, flush=True))
    try:
        for service, make in SERVICES.items():
            if service in plan:
                make(plan[service], passwords, report)
    except BootstrapError as error:
        print(f"Error: {error}", flush=True)
        return 1
    report.say(report.sum)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
