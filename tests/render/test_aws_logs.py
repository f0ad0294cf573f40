"""What the platform logs, with the settings that the aws plugin renders."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.tutor import TutorRoot
from tests.render.aws_services import CERTIFICATE, external_services
from tests.render.edx_platform import PLUGIN_FILES

pytestmark = pytest.mark.render

NewRoot = Callable[..., TutorRoot]

# In a process of its own: the settings are those of the whole process.
PROGRAM = """
import logging.config, sys
from pathlib import Path
from demo.tutor import TutorRoot
from tests.render.edx_platform import PLUGIN_FILES, platform_settings, plugin_settings
run = plugin_settings if sys.argv[2] in PLUGIN_FILES else platform_settings
settings = run(TutorRoot(Path(sys.argv[1])), sys.argv[2])
logging.config.dictConfig(settings["LOGGING"])
logging.getLogger("edx.courseware").warning("slow %s\\nvery", "query", extra={"userid": 7})
logging.getLogger("tracking").info('{"event_type": "play_video"}')
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger().exception("broken")
"""


def logged(root: TutorRoot, service: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(root.path), service],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def root_with(new_root: NewRoot, tmp_path: Path, **settings: object) -> TutorRoot:
    (tmp_path / "ca.pem").write_text(CERTIFICATE)
    root = new_root("aws", **external_services(tmp_path / "ca.pem"), **settings)
    root.run("config", "save")
    return root


@pytest.mark.wires("LOGGING")
@pytest.mark.parametrize("service", ["lms", "cms"])
def test_every_line_is_json(service: str, new_root: NewRoot, tmp_path: Path) -> None:
    """One line per record, whatever is in it; nothing goes to a file."""
    warning, event, error = map(json.loads, logged(root_with(new_root, tmp_path), service))
    assert {key: warning[key] for key in ("level", "logger", "message", "user")} == {
        "level": "WARNING",
        "logger": "edx.courseware",
        "message": "slow query\nvery",
        "user": 7,
    }
    assert event == {"event_type": "play_video"}
    assert error["exception"].endswith("ZeroDivisionError: division by zero")


@pytest.mark.wires(*(f"{plugin}:LOGGING" for plugin in PLUGIN_FILES))
@pytest.mark.parametrize("plugin", PLUGIN_FILES)
def test_every_line_of_plugins_is_json(plugin: str, new_root: NewRoot, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(CERTIFICATE)
    root = new_root("aws", "mfe", plugin, **external_services(tmp_path / "ca.pem"))
    root.run("config", "save")
    warning, *_, error = map(json.loads, logged(root, plugin))
    assert (warning["level"], warning["message"]) == ("WARNING", "slow query\nvery")
    assert error["exception"].endswith("ZeroDivisionError: division by zero")


def test_the_platforms_own_lines(new_root: NewRoot, tmp_path: Path) -> None:
    lines = logged(root_with(new_root, tmp_path, AWS_LOGS={"format": "text"}), "lms")
    assert lines[0] == "WARNING slow query"
    assert '{"event_type": "play_video"}' in lines
