"""An instance's search clients, with the settings that Tutor rendered for it.

    python -m tests.render.searcher <Tutor root> platform | meilisearch | discovery [<CA file>]

As a program, since each run has Django settings of its own. The CA file stands in for the public
authorities that the libraries bring along.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from demo.tutor import TutorRoot
from tests.render.edx_platform import platform_settings, plugin_settings


def use_platform(root: TutorRoot, ca: dict[str, str]) -> None:
    """What the LMS and Studio do with courses."""
    from django.conf import settings
    from django.utils.module_loading import import_string

    found = platform_settings(root, "lms")
    names = [name for name in found if name.startswith(("SEARCH_ENGINE", "ELASTIC_SEARCH"))]
    settings.configure(**{name: found[name] for name in names})
    settings.ELASTIC_SEARCH_CONFIG[0].update(ca)
    engine = import_string(settings.SEARCH_ENGINE)(index="courseware_content")
    engine.index([{"id": "a", "content": {"text": "b c"}, "org": "d"}])
    engine.search(query_string="b", field_dictionary={"org": "d"}, size=5)
    engine.remove(["a"])


def use_meilisearch(root: TutorRoot, ca: dict[str, str]) -> None:
    """The same, where courses are in Meilisearch."""
    from django.conf import settings
    from django.utils.module_loading import import_string

    os.environ["REQUESTS_CA_BUNDLE"] = ca["ca_certs"]
    found = platform_settings(root, "cms")
    names = [name for name in found if name.startswith(("SEARCH_ENGINE", "MEILISEARCH"))]
    settings.configure(**{name: found[name] for name in names})
    engine = import_string(settings.SEARCH_ENGINE)(index="courseware_content")
    engine.index([{"id": "a", "content": {"text": "b c"}, "org": "d"}])
    engine.search(query_string="b", size=5)
    engine.remove(["a"])


def use_discovery(root: TutorRoot, ca: dict[str, str]) -> None:
    """What discovery does with its documents."""
    from elasticsearch_dsl import Index, Search, connections

    found = plugin_settings(root, "discovery")
    found["ELASTICSEARCH_DSL"]["default"]["hosts"][0].update(ca)
    connections.configure(**found["ELASTICSEARCH_DSL"])
    client = connections.get_connection()
    for alias in found["ELASTICSEARCH_INDEX_NAMES"].values():
        Index(f"{alias}_20261124_120000").create()
        client.index(f"{alias}_20261124_120000", {"title": "b"}, id="edX/a b+c")
        Search(index=alias).query("match", title="b").execute()


USES: dict[str, Any] = {
    "platform": use_platform,
    "meilisearch": use_meilisearch,
    "discovery": use_discovery,
}

if __name__ == "__main__":
    path, service, *ca_file = sys.argv[1:]
    USES[service](TutorRoot(Path(path)), {"ca_certs": ca_file[0]} if ca_file else {})
