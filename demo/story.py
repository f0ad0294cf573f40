"""Edge: the main job, step by step: two instances launched, looked at, loaded, hurt and healed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from localcluster.certificates import Authority
from rich.console import Console
from rich.live import Live

from demo import audit, chart, instances, load, observe, platform, report
from demo.observe import Sample, Service
from demo.tutor import TutorRoot
from demo.view import UNSCALED, View
from demo.waiting import QUIET_S, until

LAUNCH_TIMEOUT_S = 1800
READY_TIMEOUT_S = 180
SCALE_TIMEOUT_S = 240
RECOVERY_TIMEOUT_S = 300

CHART_FILE = "zone-loss.svg"
LOADED = Service(instances.NAMES[0], "lms")
PODS_UNDER_LOAD = 4


@dataclass
class Story:
    """The demo on a running cluster and emulator. Call the steps in the order they stand in here.

    `environment` leads Tutor to both; `workspace` holds the Tutor roots, `output` what stays.
    """

    view: View
    environment: Mapping[str, str]
    console: Console
    workspace: Path
    output: Path
    checks: report.Checks
    roots: dict[str, TutorRoot] = field(default_factory=dict)
    wanted: dict[Service, int] = field(default_factory=dict)
    hosts: dict[str, list[str]] = field(default_factory=dict)
    is_installed: bool = False

    @property
    def temporary(self) -> Path:
        """Where Tutor writes its job manifests; a place of its own, to be searched."""
        return self.workspace / "tmp"

    def create(self) -> None:
        """Write each instance's configuration, make its secrets in the store, and render it."""
        self.temporary.mkdir()
        authority = self.workspace / "databases.pem"
        authority.write_bytes(Authority.new("platform databases").pem)
        for number, name in enumerate(instances.NAMES):
            environment = {**self.environment, "TMPDIR": str(self.temporary)}
            root = TutorRoot(self.workspace / name, environment)
            root.write_config(instances.settings(number, authority), instances.PLUGINS)
            root.run("config", "save")
            root.run("secrets", "init")
            self.roots[name] = root
            self.console.print(f"{name}: configured, its secrets made in Secrets Manager")

    def install(self) -> None:
        """Install the platform chart, which has the instances' namespaces, hosts and quotas."""
        started = time.monotonic()
        self.hosts = {name: platform.hosts(root.rendered()) for name, root in self.roots.items()}
        say = self.console.print
        self.is_installed = platform.install(self.view, self.hosts, self.workspace, say)
        if self.is_installed:
            self.console.print(f"it took {time.monotonic() - started:.1f} s")

    def launch(self) -> None:
        """Run `tutor k8s launch -I` for all instances at once, and wait for their pods."""
        started = time.monotonic()
        logs = {name: self.output / f"launch-{name}.log" for name in self.roots}
        runs = {
            name: root.start(logs[name], "k8s", "launch", "-I") for name, root in self.roots.items()
        }
        self._wait_for_runs(runs, logs)
        for name, run in runs.items():
            self.checks.check(f"tutor k8s launch of {name}", run.returncode == 0, f"{logs[name]}")
        self.wanted = self.view.wanted()
        whole = self._wait_until_whole("pods are starting")
        seconds = time.monotonic() - started
        self.checks.check("every workload has its pods", whole, f"{seconds:.0f} s after the start")

    def show(self) -> None:
        """Say where the pods are, and where secret values are and are not."""
        zones = self.view.zone_of_nodes()
        ready = self.view.ready_pods()
        scalers = self.view.autoscalers()
        self.console.print(report.workloads_table(self.wanted, ready, zones, scalers))
        spread = report.zones_by_service(ready, zones)
        crowded = [str(name) for name in self._scaled() if len(set(spread.get(name, []))) < 2]
        claim = "every scaled workload is in two zones or more"
        self.checks.check(claim, not crowded, ", ".join(crowded))
        rows: list[audit.Row] = []
        for name, root in self.roots.items():
            stored = audit.stored_values(self.environment, name)
            folders = {
                "files of the Tutor root": root.path,
                "logs of the launches": self.output,
                "temporary files": self.temporary,
                "HOME and the cluster's files": self.view.cluster.home,
            }
            rows += audit.audit(self.view, name, folders, stored, self.checks)
        self.console.print(report.secrets_table(rows))
        if self.is_installed:
            platform.check(self.view, self.hosts, self.checks)

    def raise_load(self) -> None:
        """Put load on one workload until its autoscaler has added pods."""
        namespace = f"--namespace={LOADED.namespace}"
        [deployment] = self.view.get("deployment", LOADED.workload, namespace)
        total = load.load_for(PODS_UNDER_LOAD, deployment, self.view.autoscalers()[LOADED])
        self.console.print(f"load on {LOADED}: {total.millicores} millicores in all")

        def grown() -> bool:
            pods = [pod for pod in self.view.ready_pods() if observe.service_of(pod) == LOADED]
            load.spread(total, pods, self.view.cluster.set_load)
            return len(pods) >= PODS_UNDER_LOAD

        def progress() -> str:
            scaler = report.autoscaler_text(self.view.autoscalers()[LOADED])
            return f"{LOADED}: {self.view.ready()[LOADED]} ready; autoscaler {scaler}"

        done = until(self.console, grown, progress, SCALE_TIMEOUT_S, interval_s=5)
        before, now = self.wanted[LOADED], self.view.ready()[LOADED]
        self.checks.check(f"the autoscaler of {LOADED} added pods", done, f"{before} → {now}")
        self.wanted[LOADED] = max(before, now)

    def lose_zone(self) -> str:
        """Kill the zone with the most LMS pods, watch until full strength is back; its name."""
        zone = self.view.busiest_zone(LOADED.workload)
        title = f"zone {zone} lost"
        columns = max(10, self.console.width - 40)
        self.view.cluster.nodes.kill_zone(zone)
        with Live(console=self.console, auto_refresh=False, transient=True) as live:

            def show(samples: Sequence[Sample]) -> None:
                if self.console.is_terminal:
                    picture = chart.live_chart(samples, self.wanted, title, columns)
                    live.update(picture, refresh=True)
                elif len(samples) % QUIET_S == 1:
                    self.console.print(f"  {chart.line(samples[-1], self.wanted)}")

            samples = observe.watch(self.view.ready, self._scaled(), show, RECOVERY_TIMEOUT_S)
        self.console.print(chart.live_chart(samples, self.wanted, title, columns))
        picture = self.output / CHART_FILE
        picture.write_text(chart.svg(samples, self._scaled(), title))
        self.console.print(f"the same as a picture: {picture}")
        self._judge(samples)
        return zone

    def heal(self, zone: str) -> None:
        """Bring the zone back, and wait until every workload has its pods."""
        self.view.cluster.nodes.heal_zone(zone)
        whole = self._wait_until_whole(f"zone {zone} is back")
        self.checks.check(f"zone {zone} healed, everything at full strength", whole)

    def _judge(self, samples: Sequence[Sample]) -> None:
        for name in instances.NAMES:
            seconds = observe.seconds_at_zero(samples, Service(name, "lms"))
            claim = f"the LMS of {name} never had zero ready pods"
            self.checks.check(claim, seconds == 0, f"{seconds:.0f} s at zero")
        full = observe.seconds_to_full(samples, self._scaled())
        detail = "not reached" if full is None else f"after {full:.0f} s"
        self.checks.check("full strength is back", full is not None, detail)

    def _scaled(self) -> dict[Service, int]:
        return {name: pods for name, pods in self.wanted.items() if name.workload != UNSCALED}

    def _wait_until_whole(self, why: str) -> bool:
        return until(
            self.console,
            lambda: observe.is_full(self.view.ready(), self.wanted),
            lambda: f"{why}: {sum(self.view.ready().values())} ready",
            READY_TIMEOUT_S,
        )

    def _wait_for_runs(
        self, runs: Mapping[str, subprocess.Popen[bytes]], logs: Mapping[str, Path]
    ) -> None:
        try:
            until(
                self.console,
                lambda: all(run.poll() is not None for run in runs.values()),
                lambda: " · ".join(f"{name}: {_last_line(log)}" for name, log in logs.items()),
                LAUNCH_TIMEOUT_S,
            )
        finally:
            for run in runs.values():
                run.kill()
                run.wait()


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:60] if lines else "starting"
