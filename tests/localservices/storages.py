"""An instance's file storages, with the settings that Tutor rendered for it.

    python -m tests.localservices.storages <Tutor root> <service> use | links

As a program, since Django's settings are those of a process; credentials, region and the
clients' file come from the environment, as in a pod. Prints JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import django
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.utils.module_loading import import_string

from demo.tutor import TutorRoot
from tests.localservices.scorm import use_scorm
from tests.render.edx_platform import PLUGIN_FILES, platform_settings, plugin_settings

APPLICATIONS = ("contenttypes", "auth")
PLATFORM_APPLICATIONS = ("djpyfs", "submissions", "user_tasks")
# Not those of Django's own machinery: what they name is not installed.
FOREIGN = ("AUTH", "CACHES", "DATABASE", "INSTALLED", "LOGGING", "MIDDLEWARE", "TEMPLATES")


def with_settings(root: Path, service: str) -> None:
    read = plugin_settings if service in PLUGIN_FILES else platform_settings
    found = read(TutorRoot(root), service)
    values = {key: value for key, value in found.items() if key.isupper() and "URL" not in key}
    values = {key: value for key, value in values.items() if not key.startswith(FOREIGN)}
    applications = () if service in PLUGIN_FILES else PLATFORM_APPLICATIONS
    installed = [*(f"django.contrib.{name}" for name in APPLICATIONS), *applications]
    settings.configure(**values, INSTALLED_APPS=installed)
    django.setup()


def found_storages(service: str) -> dict[str, Storage]:
    """All that Django's storage classes are behind, as those who use them find them."""
    if service in PLUGIN_FILES:
        return {"default": storages["default"]}
    from edxval.utils import get_video_image_storage, get_video_transcript_storage
    from submissions.models import get_storage
    from user_tasks.models import UserTaskArtifact

    # The platform asks Django for its own ones by name.
    own = {name: storages[name] for name in settings.STORAGES if name != "staticfiles"}
    reports = {
        name: import_string(setting["STORAGE_CLASS"])(**setting["STORAGE_KWARGS"])
        for name in ("GRADES_DOWNLOAD", "FINANCIAL_REPORTS")
        for setting in [getattr(settings, name)]
    }
    media = settings.OPENEDX_LEARNING["MEDIA"]
    return {
        **own,
        **reports,
        "video_image": get_video_image_storage(),
        "video_transcripts": get_video_transcript_storage(),
        "content library": import_string(media["BACKEND"])(**media["OPTIONS"]),
        "submissions": get_storage(),
        "user tasks": UserTaskArtifact._meta.get_field("file").storage,
    }


def use(name: str, storage: Any) -> dict[str, Any]:
    """Write, find, read, list, link; and write again under the same name."""
    # Videos' files have their folder from a setting, all others from who writes them.
    folder = getattr(settings, f"{name.upper()}_SETTINGS", {}).get("DIRECTORY_PREFIX", "media/")
    path = storage.save(f"{folder}{name}.txt", ContentFile(b"first"))
    content = storage.open(path).read().decode()
    link = storage.url(path)
    return {
        "bucket": storage.bucket_name,
        "key": "/".join(part for part in (storage.location.strip("/"), path) if part),
        "content": content,
        "listed": Path(path).name in storage.listdir(folder)[1],
        "absent": storage.exists(f"{folder}absent"),
        "link": link,
        "linked": fetched(link) if "Signature" in link else None,
        "again": storage.save(path, ContentFile(b"second")) == path,
    }


def fetched(link: str) -> str:
    return str(urlopen(link).read().decode())


def put(link: str, **headers: str) -> int:
    """What S3 answers to a browser."""
    request = Request(link, b"from a browser", headers, method="PUT")
    try:
        return int(urlopen(request).status)
    except HTTPError as error:
        return error.code


def use_ora2() -> dict[str, Any]:
    from openassessment.fileupload.backends import get_backend

    backend = get_backend()
    link = backend.get_upload_url("learner/item/0", "application/pdf")
    answers = [put(link, **{"Content-Type": kind}) for kind in ("application/pdf", "text/html")]
    return {
        "answers": answers,
        "content": fetched(backend.get_download_url("learner/item/0")),
        "absent": backend.get_download_url("learner/item/1"),
        "removed": backend.remove_file("learner/item/0"),
    }


def video_upload_link() -> str:
    """As Studio makes it, with a client that takes nothing but keys from Django."""
    keys = {name.lower(): getattr(settings, name.upper()) for name in KEYS}
    pipeline = settings.VIDEO_UPLOAD_PIPELINE
    bucket = boto3.resource("s3", **keys).Bucket(pipeline["VEM_S3_BUCKET"])
    parameters = {
        "Bucket": bucket.name,
        "Key": f"{pipeline['ROOT_PATH']}/a-video",
        "ContentType": "video/mp4",
        "Metadata": {"client_video_id": "lecture.mp4"},
    }
    return str(bucket.meta.client.generate_presigned_url("put_object", parameters, ExpiresIn=86400))


KEYS = ("aws_access_key_id", "aws_secret_access_key")


def use_video_upload() -> dict[str, int]:
    link = video_upload_link()
    video = {"Content-Type": "video/mp4"}
    return {
        "with metadata": put(link, **video, **{"x-amz-meta-client_video_id": "lecture.mp4"}),
        "as Studio's page sends it": put(link, **video),
    }


def use_djfs() -> dict[str, Any]:
    from djpyfs.djpyfs import get_filesystem

    files = get_filesystem("block")
    files.writetext("note.txt", "a note")
    return {"content": files.readtext("note.txt"), "linked": fetched(files.get_url("note.txt"))}


def used(service: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "storages": {name: use(name, each) for name, each in found_storages(service).items()}
    }
    if service not in PLUGIN_FILES:
        result |= {"ora2": use_ora2(), "djfs": use_djfs(), "scorm": use_scorm()}
    if service == "cms":
        result["video upload"] = use_video_upload()
    return result


def links(service: str) -> list[str]:
    """One of each that signs. Nothing is asked for."""
    from djpyfs.djpyfs import get_filesystem
    from openassessment.fileupload.backends import get_backend

    made = [storages["default"].url("a"), get_backend().get_upload_url("a", "text/plain")]
    return [*made, get_filesystem("block").get_url("a"), video_upload_link()]


def main() -> None:
    root, service, command = sys.argv[1:]
    with_settings(Path(root), service)
    print(json.dumps({"use": used, "links": links}[command](service)))


if __name__ == "__main__":
    main()
