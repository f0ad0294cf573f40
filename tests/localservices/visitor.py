"""Whom edx-platform takes a request to come from: its own code, with a setting of ours.

    python -m tests.localservices.visitor <CLOSEST_CLIENT_IP_FROM_HEADERS> <X-Forwarded-For> <peer>

As a program, since Django can be configured only once in a process. The setting is JSON.
"""

from __future__ import annotations

import json
import sys
import warnings

from django.conf import settings
from django.test import RequestFactory
from edx_django_utils import ip


def main(position: str, forwarded_for: str, peer: str) -> None:
    # It warns of every request that did not come through all proxies.
    warnings.simplefilter("ignore")
    settings.configure(CLOSEST_CLIENT_IP_FROM_HEADERS=json.loads(position))
    headers = {"X-Forwarded-For": forwarded_for}
    request = RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers)
    print(ip.get_safest_client_ip(request))


if __name__ == "__main__":
    main(*sys.argv[1:])
