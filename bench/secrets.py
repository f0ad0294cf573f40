"""Wiring: `make bench-secrets`: what the secrets plugin costs, beside the same without it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from localcluster.certificates import Authority
from localcluster.cluster import LocalCluster
from localservices.aws import AwsEmulator
from localservices.faults import Faults, aws_with
from rich.console import Console

from bench.timing import paired, shown
from demo import instances
from demo.report import Checks
from demo.tutor import TutorRoot

PLUGINS = ("autoscale", "aws", "credentials", "discovery", "forum", "mfe", "notes", "xqueue")
SAVES = 15
DEPLOYMENTS = 7

MOST_RATIO = 1.05
MOST_SECONDS = 0.5


def main() -> int:
    """0 if both limits are kept."""
    console = Console()
    checks = Checks(console)
    faults = Faults()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        AwsEmulator(instances.REGION) as aws,
        aws_with(faults, aws.environment["AWS_ENDPOINT_URL"]) as endpoint,
        LocalCluster() as cluster,
    ):
        environment = {**cluster.environment, **aws.environment, "AWS_ENDPOINT_URL": endpoint}
        without, with_secrets = roots(Path(folder), environment)
        console.print(f"{len(PLUGINS)} plugins, without and with the secrets plugin, by turns")
        bench_save(console, checks, without, with_secrets)
        bench_start(console, checks, without, with_secrets, faults)
    return 1 if checks.failed else 0


def roots(folder: Path, environment: dict[str, str]) -> tuple[TutorRoot, TutorRoot]:
    """Two instances with the same settings, the second one with the secrets plugin."""
    authority = folder / "databases.pem"
    authority.write_bytes(Authority.new("platform databases").pem)
    settings = instances.settings(0, authority)
    plain = TutorRoot(folder / "plain", environment)
    services = ("MONGODB", "OPENSEARCH", "REDIS")
    passwords = {f"{service}_PASSWORD": "x" for service in services}
    plain.write_config({**settings, **passwords}, PLUGINS)
    secret = TutorRoot(folder / "secret", environment)
    secret.write_config({**instances.settings(1, authority)}, [*PLUGINS, "secrets"])
    for root in (plain, secret):
        root.run("config", "save")
    secret.run("secrets", "init")
    return plain, secret


def bench_save(console: Console, checks: Checks, without: TutorRoot, with_: TutorRoot) -> None:
    """`tutor config save`."""
    pair = paired(
        console,
        "tutor config save",
        lambda: without.run("config", "save"),
        lambda: with_.run("config", "save"),
        SAVES,
    )
    console.print(f"config save: {shown(pair.first)}, with secrets {shown(pair.second)}")
    claim = f"config save takes at most {MOST_RATIO} times as long"
    checks.check(claim, pair.ratio <= MOST_RATIO, f"{pair.ratio:.3f}, of {SAVES} pairs")


def bench_start(
    console: Console, checks: Checks, without: TutorRoot, with_: TutorRoot, faults: Faults
) -> None:
    """`tutor k8s start` on an instance that runs already."""
    pair = paired(
        console,
        "tutor k8s start",
        lambda: without.run("k8s", "start"),
        lambda: with_.run("k8s", "start"),
        DEPLOYMENTS,
    )
    console.print(f"k8s start: {shown(pair.first)}, with secrets {shown(pair.second)}")
    claim = f"a deployment takes at most {MOST_SECONDS} s longer"
    most = pair.difference_s <= MOST_SECONDS
    checks.check(claim, most, f"{pair.difference_s:.2f} s, of {DEPLOYMENTS} pairs")
    faults.calls.clear()
    with_.run("k8s", "start")
    claim = "a deployment asks the store once"
    checks.check(claim, faults.calls == ["BatchGetSecretValue"], ", ".join(faults.calls))


if __name__ == "__main__":
    sys.exit(main())
