"""A pod of the LMS: a real uWSGI with the rendered uwsgi.ini, and an application of a few lines."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from localcluster.model import LOOPBACK
from localcluster.processes import free_port, listens
from localservices.service import Service

UWSGI = Path(sys.executable).with_name("uwsgi")
START_TIMEOUT_S = 20
# More than the slow uploads of most tests: a pod without a free worker answers nobody.
WORKERS_PER_POD = 4

APPLICATION = '''
import os
import signal


def application(environ, start_response):
    """Writes down each request when its body is there; says how long that was."""
    body, left = 0, int(environ.get("CONTENT_LENGTH") or 0)
    while left and (block := environ["wsgi.input"].read(min(left, 65536))):
        body, left = body + len(block), left - len(block)
    path = environ["PATH_INFO"]
    seen = path in open("requests").read().splitlines()
    with open("requests", "a") as file:
        file.write(path + "\\n")
    if path.startswith("/dies/") and not seen:
        os.kill(os.getpid(), signal.SIGKILL)
    answer = str(body).encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
'''


class WebPod(Service):
    """Serves on `port`."""

    name = "uwsgi"
    port: int

    def __init__(self, ini: str) -> None:
        super().__init__()
        self._ini = ini

    def start(self) -> None:
        self.port = free_port()
        (self.directory / "lms").mkdir()
        (self.directory / "lms" / "wsgi.py").write_text(APPLICATION)
        (self.directory / "requests").touch()
        ini = self.directory / "uwsgi.ini"
        ini.write_text(self._ini.replace("0.0.0.0:8000", f"{LOOPBACK}:{self.port}"))
        environment = {
            "SERVICE_VARIANT": "lms",
            "UWSGI_WORKERS": str(WORKERS_PER_POD),
            "PATH": os.environ["PATH"],
        }
        process = self._run([UWSGI, ini], environment)
        process.wait_until(lambda: listens(self.port), START_TIMEOUT_S)

    def stop(self) -> None:
        if self.process and self.process.alive:
            # Killed outright, it would leave its workers.
            self.process.popen.send_signal(signal.SIGTERM)
            self.process.popen.wait()
        super().stop()

    def requests(self) -> Counter[str]:
        """How often each path was asked for."""
        return Counter((self.directory / "requests").read_text().splitlines())

    def end(self, pre_stop: list[str], grace_s: float) -> int:
        """End it as kubelet does, first the hook and then SIGTERM; the server's exit status.

        TimeoutExpired when the grace is not enough for either.
        """
        assert self.process
        if pre_stop:
            subprocess.run(pre_stop, check=True, timeout=grace_s)
        self.process.popen.send_signal(signal.SIGTERM)
        return self.process.popen.wait(grace_s)
