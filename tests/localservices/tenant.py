"""An instance's Redis clients, with the settings that Tutor rendered for it.

    python -m tests.localservices.tenant <Tutor root> cache | clear | send <n> | work <seconds>
        | events [<topic>]

As a program, since the libraries take the server's authority from SSL_CERT_FILE, in a pod from
the system. Prints JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from celery import Celery
from celery.contrib.testing.worker import start_worker
from django.conf import settings
from django.core.cache import caches
from walrus import Database

from demo.tutor import TutorRoot
from tests.render.edx_platform import platform_settings

QUEUE = "edx.lms.core.default"


def with_platform_settings(root: Path) -> dict[str, Any]:
    found = platform_settings(TutorRoot(root), "lms")
    names = [name for name in found if name.startswith("DJANGO_REDIS_")]
    names += ["CACHES", "SECRET_KEY"]
    settings.configure(**{name: found[name] for name in names})
    return found


def use_caches(found: dict[str, Any]) -> dict[str, Any]:
    """What each alias does with the usual calls."""
    redis = [name for name, cache in found["CACHES"].items() if "redis" in cache["BACKEND"]]
    return {name: _use(name) for name in redis}


def _use(name: str) -> list[Any]:
    cache: Any = caches[name]
    cache.set("a", {"value": [1, "ä"]}, timeout=60)
    cache.set_many({"b": 1, "c": 2})
    cache.incr("b")
    cache.touch("b", 60)
    cache.delete("c")
    with cache.lock("lock", timeout=5):
        pass
    return [cache.get("a"), cache.get_many(["b", "c"]), cache.add("b", 7), 0 < cache.ttl("b") <= 60]


def celery(found: dict[str, Any]) -> Celery:
    app = Celery("platform")
    # As the LMS does: settings with Celery's old names, without a prefix.
    app.config_from_object(SimpleNamespace(**{k: v for k, v in found.items() if k.isupper()}))
    return app


def send(app: Celery, count: int) -> int:
    for number in range(count):
        app.send_task("note", (number,), queue=QUEUE)
    return count


def work(app: Celery, seconds: float) -> list[int]:
    done: list[int] = []

    @app.task(name="note")  # type: ignore[untyped-decorator]
    def note(number: int) -> None:
        done.append(number)

    with start_worker(app, pool="solo", perform_ping_check=False, queues=[QUEUE]):
        time.sleep(seconds)
    return done


def events(found: dict[str, Any], topic: str) -> list[list[str]]:
    """What a consumer reads of a topic after a producer has written; as edx-event-bus-redis does.

    That one itself asks for a newer Python than ours; these are its calls, of the same library.
    """
    client = Database.from_url(found["EVENT_BUS_REDIS_CONNECTION_URL"])
    group = client.consumer_group("learning", [topic], consumer="one")
    group.create(mkstream=True)
    group.set_id("$")
    client.Stream(topic).add({b"event": "ä"}, maxlen=10_000, approximate=True)
    stream = group.streams[topic]
    read = stream.read(count=1, block=1000)
    pending = [stream[each["message_id"]] for each in stream.pending(count=1, consumer="one")]
    stream.autoclaim("one", min_idle_time=0, count=1)
    stream.ack(read[0][0])
    return [[data[b"event"].decode() for _id, data in each] for each in (read, pending)]


def main() -> None:
    root, command, *arguments = sys.argv[1:]
    found = with_platform_settings(Path(root))
    if command == "cache":
        result: Any = use_caches(found)
    elif command == "clear":
        result = caches["default"].clear()
    elif command == "send":
        result = send(celery(found), int(arguments[0]))
    elif command == "events":
        own = f"{found['EVENT_BUS_TOPIC_PREFIX']}-enrollments"
        result = events(found, arguments[0] if arguments else own)
    else:
        result = work(celery(found), float(arguments[0]))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
