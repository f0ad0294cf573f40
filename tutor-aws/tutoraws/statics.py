"""Edge: looks at the instance that a `do init` is for, and has it upload its static files."""

from __future__ import annotations

from importlib import resources

import click
from tutor import config as tutor_config

from tutoraws import cdn, settings

# Where the image has them: LMS' at the top, Studio's below `studio`, as in their URLs.
FOLDER = "/openedx/staticfiles"

InitTasks = list[tuple[str, str]]


def with_upload(tasks: InitTasks) -> InitTasks:
    """The init tasks, and with CloudFront one that uploads; another would be a pod for nothing.

    The LMS' image has the files, and its job the role.
    """
    context = click.get_current_context(silent=True)
    if context is None or not cdn.is_on(settings.read(tutor_config.load_full(context.obj.root))):
        return tasks
    return [*tasks, ("lms", script())]


def script() -> str:
    """A shell script, as a template: our program with Python, on its standard input."""
    file = resources.files("tutoraws") / "scripts" / "upload_static.py"
    program = file.read_text(encoding="utf-8")
    bucket = "{{ aws_settings().cdn.assets_bucket }}"
    return f"python - {FOLDER} {bucket} <<'END_OF_PROGRAM'\n{program}END_OF_PROGRAM\n"
