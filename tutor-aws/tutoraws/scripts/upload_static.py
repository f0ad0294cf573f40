"""Edge: uploads static files to the bucket in which CloudFront looks for them.

    python upload_static.py <folder> <bucket>

Runs in Open edX' own image, which has boto3 and nothing of ours. `<folder>/css/a.css` becomes
`static/css/a.css`, the path that browsers ask for. What is there already is left alone, and
nothing is ever deleted: pages of the release before are open still. Safe to interrupt and repeat.

The role needs s3:ListBucket on the bucket and s3:PutObject in it.
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

PREFIX = "static/"
WORKERS = 16
PROGRESS_S = 5

# Django names a file by its content too: `a.0123456789ab.css`; webpack's hashes are longer.
HASHED = re.compile(r"\.[0-9a-f]{12,}(\.\w+)+$")
# Seconds: a year, the most that caches heed, and what a file may be out of date.
FOREVER = "public, max-age=31536000, immutable"
SHORT = "public, max-age=300"

# Those of Python itself, whatever the machine's own list says, and what they lack.
TYPES = mimetypes.MimeTypes()
for suffix, kind in {
    ".eot": "application/vnd.ms-fontobject",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".otf": "font/otf",
    ".properties": "text/plain",
    ".ttf": "font/ttf",
    ".underscore": "text/html",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}.items():
    TYPES.add_type(kind, suffix)


@dataclass(frozen=True)
class StaticFile:
    """A file, and what it is called in the bucket."""

    path: Path
    key: str
    size: int


def main(argv: list[str]) -> int:
    """0 when everything is in the bucket."""
    folder, bucket = Path(argv[1]), argv[2]
    retries: Any = {"mode": "standard", "max_attempts": 10}
    config = Config(retries=retries, max_pool_connections=WORKERS)
    where = f"s3://{bucket}/{PREFIX}"
    try:
        upload(boto3.client("s3", config=config), bucket, folder)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return failed(f"{where}: {error.operation_name}: {code}; {remedy(code)}")
    except (BotoCoreError, boto3.exceptions.Boto3Error) as error:
        return failed(f"{where}: {error}; look at the pod's role and network, and run it again")
    except OSError as error:
        return failed(f"{folder}: {error}; run it in the image of the LMS")
    return 0


def upload(client: Any, bucket: str, folder: Path) -> None:
    """Upload what the bucket lacks. Raises what boto3 raises, and OSError, at the first fault."""
    there = listing(client, bucket)
    files = list(static_files(folder))
    if not files:
        raise FileNotFoundError(f"no files in {folder}")
    print(f"{len(files)} static files, {len(there)} objects in s3://{bucket}/{PREFIX}", flush=True)
    pool = ThreadPoolExecutor(WORKERS)
    try:
        task = partial(put_if_missing, client, bucket, there)
        tasks = [pool.submit(task, file) for file in files]
        uploaded, shown = 0, time.monotonic()
        for number, done in enumerate(as_completed(tasks), start=1):
            uploaded += done.result()
            if time.monotonic() - shown > PROGRESS_S:
                shown = time.monotonic()
                print(f"{number} of {len(files)} looked at, {uploaded} uploaded", flush=True)
    finally:
        # After a fault, the others would most likely meet the same one.
        pool.shutdown(cancel_futures=True)
    print(f"done: {uploaded} uploaded, {len(files) - uploaded} were there", flush=True)


def static_files(folder: Path) -> Iterator[StaticFile]:
    """All files below `folder`. A link, as there is one for each copy of a file, is a file too."""
    for parent, folders, names in os.walk(folder, followlinks=True, onerror=_raise):
        folders.sort()
        for path in sorted(Path(parent, name) for name in names):
            key = PREFIX + path.relative_to(folder).as_posix()
            yield StaticFile(path, key, path.stat().st_size)


def listing(client: Any, bucket: str) -> dict[str, tuple[int, str]]:
    """Key → size and MD5 sum (or whatever the bucket's encryption has in its place)."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX)
    return {
        item["Key"]: (item["Size"], item["ETag"].strip('"'))
        for page in pages
        for item in page.get("Contents", [])
    }


def put_if_missing(
    client: Any, bucket: str, there: Mapping[str, tuple[int, str]], file: StaticFile
) -> bool:
    """Whether it had to be uploaded."""
    size, checksum = there.get(file.key, (-1, ""))
    if size == file.size and HASHED.search(file.key):
        return False
    body = file.path.read_bytes()
    if checksum == hashlib.md5(body, usedforsecurity=False).hexdigest():
        return False
    client.put_object(
        Bucket=bucket,
        Key=file.key,
        Body=body,
        ContentType=content_type(file.key),
        CacheControl=FOREVER if HASHED.search(file.key) else SHORT,
    )
    return True


def content_type(key: str) -> str:
    """What browsers are told that it is. CloudFront compresses by it, too."""
    kind, encoding = TYPES.guess_type(key)
    if kind is None or encoding:
        return "application/octet-stream"
    is_text = kind.startswith("text/") or kind in ("application/json", "image/svg+xml")
    return f"{kind}; charset=utf-8" if is_text else kind


def remedy(code: str) -> str:
    """What to do about an error of S3."""
    if code in ("AccessDenied", "403"):
        return "allow the role of service account openedx s3:ListBucket and s3:PutObject there"
    if code in ("NoSuchBucket", "404"):
        return "create the bucket, or correct AWS_CDN.assets_bucket"
    return "run `tutor k8s do init --limit aws` again"


def failed(message: str) -> int:
    """1, having said why."""
    print(f"Error: {message}", file=sys.stderr, flush=True)
    return 1


def _raise(error: OSError) -> None:
    raise error


if __name__ == "__main__":
    sys.exit(main(sys.argv))
