"""A SCORM package in the default storage, by way of the XBlock of Tutor's image."""

from __future__ import annotations

import io
import zipfile
from types import SimpleNamespace
from typing import Any

from django.conf import settings

MANIFEST = """<?xml version="1.0"?>
<manifest xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2">
  <metadata><schemaversion>1.2</schemaversion></metadata>
  <organizations default="o"><organization identifier="o"><title>Safety</title>
    <item identifier="i" identifierref="r"><title>One</title></item></organization></organizations>
  <resources><resource identifier="r" type="webcontent" href="index.html"/></resources>
</manifest>"""
FILES = {
    "imsmanifest.xml": MANIFEST,
    "index.html": "<script src='js/driver.js'></script>",
    "js/driver.js": "lesson_status",
}
HANDLER = "https://learn.acme.test/courses/c/xblock/b/handler"


class Package(io.BytesIO):
    name = "package.zip"


class Runtime:
    """What the block asks of the platform: its settings, and addresses of its handlers."""

    export_fs = None

    def service(self, _block: Any, name: str) -> Any:
        found = getattr(settings, "XBLOCK_SETTINGS", {})
        bucket = SimpleNamespace(get_settings_bucket=lambda _block: found.get("ScormXBlock", {}))
        return {"settings": bucket}[name]

    def handler_url(self, _block: Any, handler: str) -> str:
        return f"{HANDLER}/{handler}"


def use_scorm() -> dict[str, Any]:
    """Upload as an author does, then fetch as a learner's browser does."""
    block = new_block("d")
    package = zipped(FILES)
    block.update_package_meta(package)
    block.extract_package(package)
    block.update_package_fields()
    part = SimpleNamespace(range=None)
    return {
        "address": block.index_page_url,
        "files": {
            name: block.assets_proxy(part, name).body.decode()
            for name in ("index.html", "js/driver.js")
        },
        # A client for each block would cost a tenth of a second per file.
        "one client": block.storage is new_block("e").storage,
        "outside": block.assets_proxy(part, "../secret").status_code,
    }


def new_block(name: str) -> Any:
    from openedxscorm import ScormXBlock
    from xblock.field_data import DictFieldData

    ids = SimpleNamespace(usage_id=f"block-v1:a+b+c+type@scorm+block@{name}", def_id=None)
    block: Any = ScormXBlock(Runtime(), DictFieldData({}), ids)
    block.location = SimpleNamespace(block_id=name, org="a", course="b", block_type="scorm")
    return block


def zipped(files: dict[str, str]) -> Package:
    package = Package()
    with zipfile.ZipFile(package, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    package.seek(0)
    return package
