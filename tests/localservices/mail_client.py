"""Django sends a mail, with the settings that Tutor rendered for one service of an instance.

    python -m tests.localservices.mail_client <Tutor root> <service> <settings as JSON>

As a program, since Django has its settings once per process. The settings given lead to a server
on this machine. Prints JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage

from demo.tutor import TutorRoot
from tests.render.edx_platform import platform_settings, plugin_settings

PREFIXES = ("EMAIL_", "AWS_", "DEFAULT_FROM_", "SERVER_")


def main() -> None:
    root, service, given = sys.argv[1:]
    platform = service in ("lms", "cms")
    found = (platform_settings if platform else plugin_settings)(TutorRoot(Path(root)), service)
    mail = {name: value for name, value in found.items() if name.startswith(PREFIXES)}
    settings.configure(**{**mail, **json.loads(given)})
    message = EmailMessage("Grüße 🎓", "body", to=["learner@example.test"])
    try:
        print(json.dumps({"sent": message.send()}))
    except Exception as error:
        print(json.dumps({"refused": f"{type(error).__name__}: {error}"}))


if __name__ == "__main__":
    main()
