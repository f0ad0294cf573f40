"""Edge: takes Meilisearch's master key out of the settings that Tutor has rendered.

The platform reads its own key only. With the master key, whoever gets into one of its pods has
the indexes of all instances on a shared server. Tutor has no patch before the line that names
it, and a later line would hide it from the platform only, not from who reads the file.
"""

from __future__ import annotations

import re
from pathlib import Path

from tutor.types import Config

LINE = re.compile(r"^MEILISEARCH_MASTER_KEY = .*$", re.MULTILINE)


def remove(env: str, _config: Config) -> None:
    """Blank it in all settings of the LMS and Studio. Runs after each rendering."""
    for path in Path(env, "apps", "openedx", "settings").glob("*/*.py"):
        text = path.read_text(encoding="utf-8")
        without = LINE.sub('MEILISEARCH_MASTER_KEY = ""', text)
        if without != text:
            path.write_text(without, encoding="utf-8")
