"""Edge: carries a bootstrap out: makes the Job and what it needs, follows it, shows what it said.

The Job comes first. Its pod waits for the ConfigMap and the Secret, which belong to it from their
first moment: wherever this is cut off, Kubernetes ends the Job after its deadline, and deletes it
together with the passwords some minutes later.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from importlib import resources
from typing import Any

import click
from tutor import config as tutor_config
from tutor import fmt
from tutor.__about__ import __version__
from tutorplatform import deploy, hooks
from tutorplatform.errors import DeployError
from tutorplatform.instance import instance
from tutorplatform.manifests import Manifest, name

from tutoraws import completeness
from tutoraws import settings as aws
from tutoraws.bootstrap import needs, objects, progress
from tutoraws.certificates import certificates

PAUSE_S = 2
# So many answers in a row may fail: an API server restarts, a network has gaps.
GAPS = 10
# The Job's own deadline comes first.
LIMIT_S = objects.DEADLINE_S + 120

# A question → whether to go on.
Ask = Callable[[str], bool]


def bootstrap(root: str, ask: Ask, *, reset_passwords: bool = False) -> None:
    """Show the plan, ask, and have the Job carry it out. PlatformError if anything is missing.

    With `reset_passwords`, users who know another password get the instance's.
    """
    # Whose namespace is it? Another instance's users are not to get this one's passwords.
    deploy.preflight(root)
    config = tutor_config.load_full(root)
    incomplete = completeness.incomplete(config)
    if incomplete:
        raise incomplete
    settings, plan = aws.read(config), needs.plan(config)
    passwords = needs.passwords(config, plan)
    told = {**plan, "reset_passwords": reset_passwords}
    files = objects.files(told, certificates(settings, config), program())
    image = objects.image(settings, __version__)
    job = objects.job(settings, instance(config).name, _job_name(config), image, files)
    secret = objects.secret(job, passwords)
    # There may be no value in the store: then it is not even asked.
    hooks.RESOLVED.apply([secret], root)
    _show(plan, job)
    if reset_passwords:
        click.echo("Users who know another password get the instance's, at once.")
    if not ask("Go on?"):
        raise click.Abort
    # The answer may have taken its time: a rotation may have begun, or have come to its end.
    [resolved] = hooks.RESOLVED.apply([secret], root)
    run(job, [objects.config_map(job, files), resolved])


def program() -> dict[str, str]:
    """File name → text of each module of the program."""
    modules = resources.files(objects.PROGRAM).iterdir()
    return {
        module.name: module.read_text(encoding="utf-8")
        for module in sorted(modules, key=lambda module: module.name)
        if module.name.endswith(".py")
    }


def _job_name(config: Mapping[str, Any]) -> str:
    # As Tutor names its own, so that each run has one of its own.
    return f"bootstrap-{instance(config).name}-{datetime.now(timezone.utc):%Y%m%d%H%M%S}"


def _show(plan: Mapping[str, Any], job: Manifest) -> None:
    for where, who, what in needs.sentences(plan):
        click.echo(f"{where} (as {who}): {what}")
    pod = job["spec"]["template"]["spec"]
    [container] = pod["containers"]
    click.echo(
        f"By Job {name(job)} in namespace {job['metadata']['namespace']}, as service account "
        f"{pod['serviceAccountName']}, in {container['image']}. What is there stays as it is."
    )


def run(job: Manifest, parts: list[Manifest], pause: Callable[[float], None] = time.sleep) -> None:
    """Make the Job and its parts, wait for its end, and delete it. DeployError if it fails."""
    place = f"--namespace={job['metadata']['namespace']}"
    try:
        # Ctrl-C reaches kubectl too, which may have made it all the same.
        made = json.loads(_create(job, place))
        for part in parts:
            _create(objects.owned(part, made), place)
        _follow(name(job), place, pause)
    finally:
        _delete(name(job), place)


def _follow(job: str, place: str, pause: Callable[[float], None]) -> None:
    said, started, gaps = "", time.monotonic(), 0
    while time.monotonic() < started + LIMIT_S:
        try:
            end, pods = _look(job, place)
            gaps = 0
        except DeployError as error:
            gaps += 1
            if gaps == GAPS:
                raise _unfinished(job, f"cannot be followed ({error.problem})") from error
            pause(PAUSE_S)
            continue
        if end:
            _show_log(pods, place)
            _require_success(job, *end, said)
            return
        state = progress.state(pods)
        if state != said:
            fmt.echo_info(f"Job {job}: {state}")
            said = state
        pause(PAUSE_S)
    raise _unfinished(job, "did not come to its end")


def _look(job: str, place: str) -> tuple[tuple[str, str] | None, list[Manifest]]:
    found = json.loads(_kubectl("get", "job", job, place, "--output=json"))
    return progress.end(found), _pods(job, place)


def _pods(job: str, place: str) -> list[Manifest]:
    selector = f"--selector=batch.kubernetes.io/job-name={job}"
    found = json.loads(_kubectl("get", "pods", place, selector, "--output=json"))
    items: list[Manifest] = found["items"]
    return items


def _show_log(pods: list[Manifest], place: str) -> None:
    for pod in pods:
        try:
            click.echo(_kubectl("logs", name(pod), place).rstrip())
        except DeployError as error:
            fmt.echo_alert(f"The Job's log cannot be shown: {error}")


def _require_success(job: str, end: str, reason: str, state: str) -> None:
    if reason == "DeadlineExceeded":
        # Its pod is gone, and so is what it said.
        minutes = objects.DEADLINE_S // 60
        raise _unfinished(job, f"was ended after {minutes} minutes; the last of it was: {state}")
    if end == progress.FAILED:
        raise _unfinished(job, f"has failed ({reason})")
    fmt.echo_info(f"Job {job}: done")


def _unfinished(job: str, problem: str) -> DeployError:
    return DeployError(
        f"Job {job}",
        problem,
        "put right what it says above, and run the command again: what is done stays done",
    )


def _delete(job: str, place: str) -> None:
    try:
        _kubectl("delete", "job", job, place, "--wait=false", "--ignore-not-found")
    except DeployError as error:
        minutes = (objects.DEADLINE_S + objects.TTL_S) // 60
        fmt.echo_alert(f"If the Job is there, it goes by itself within {minutes} minutes: {error}")


def _create(manifest: Manifest, place: str) -> str:
    return _kubectl("create", place, "--filename=-", "--output=json", given=json.dumps(manifest))


def _kubectl(*argv: str, given: str = "") -> str:
    try:
        done = subprocess.run(
            ("kubectl", *argv), input=given, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise DeployError(
            "kubectl",
            "is not installed",
            "install it: https://kubernetes.io/docs/tasks/tools/install-kubectl/",
        ) from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it does not say why"])[-1]
        raise DeployError(
            f"kubectl {argv[0]}",
            said,
            "see that AWS_BOOTSTRAP.namespace is there, and that you have the rights there that "
            "docs/how-to/bootstrap-an-instance.md lists",
        )
    return done.stdout
