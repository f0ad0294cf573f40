"""Edge: the OpenSearch role and user of an instance, by the domain's security API. Runs in the Job.

https://docs.opensearch.org/latest/security/access-control/api/
"""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from tutoraws.bootstrap.program.report import BootstrapError, Report

API = "_plugins/_security/api"
TIMEOUT_S = 30
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404

Document = Mapping[str, Any]
# (method, path, document, login) → (status, what was answered).
Ask = Callable[[str, str, Document | None, Mapping[str, str]], tuple[int, Any]]


def asker(domain: Mapping[str, Any]) -> Ask:
    """Asks the domain over HTTPS, whose certificate is verified with public authorities."""
    context = ssl.create_default_context()

    def ask(
        method: str, path: str, document: Document | None, login: Mapping[str, str]
    ) -> tuple[int, Any]:
        pair = f"{login['username']}:{login['password']}".encode()
        request = urllib.request.Request(
            f"https://{domain['host']}:{domain['port']}/{path}",
            data=None if document is None else json.dumps(document).encode(),
            headers={
                "Authorization": f"Basic {b64encode(pair).decode()}",
                "Content-Type": "application/json",
            },
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=context) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, {}
        except (OSError, ValueError) as error:
            raise BootstrapError(
                _name(domain),
                f"no answer ({type(error).__name__})",
                "check AWS_OPENSEARCH and the policies of namespace, VPC and domain",
            ) from None

    return ask


def bootstrap(
    domain: Mapping[str, Any],
    passwords: Mapping[str, str],
    admin: Mapping[str, str],
    report: Report,
    ask: Ask | None = None,
) -> None:
    """Make the role, the user if it has one, and the mapping from one to the other.

    Raises BootstrapError, before anything is changed if they are somebody else's too.
    """
    ask = ask or asker(domain)

    def get(kind: str, name: str) -> Any:
        path = f"{API}/{kind}/{quote(name, safe='')}"
        status, found = ask("GET", path, None, admin)
        return None if status == NOT_FOUND else _granted(domain, status, found)[name]

    def put(kind: str, name: str, document: Document) -> None:
        path = f"{API}/{kind}/{quote(name, safe='')}"
        _granted(domain, *ask("PUT", path, document, admin))

    name = domain["name"]
    role, user = get("roles", name), get("internalusers", name)
    mappings = _granted(domain, *ask("GET", f"{API}/rolesmapping", None, admin))
    mapping = mappings.get(name)
    _require_own(domain, user or {}, mappings)
    what = f"OpenSearch role {name}"
    if role is not None and _has(role, domain["role"]):
        report.there(what)
    else:
        put("roles", name, domain["role"])
        report.did(what, "made" if role is None else "got its rights")
    if "password" in domain:
        _user(domain, user, passwords[domain["password"]], ask, put, report)
    what = f"OpenSearch role {name} for {', '.join(_holders(domain['mapping']))}"
    if mapping is not None and _has(mapping, domain["mapping"]):
        report.there(what)
    else:
        put("rolesmapping", name, domain["mapping"])
        report.did(what, "given")


def _user(
    domain: Mapping[str, Any],
    found: Any,
    password: str,
    ask: Ask,
    put: Callable[[str, str, Document], None],
    report: Report,
) -> None:
    name, what = domain["name"], f"OpenSearch user {domain['name']}"
    if found is not None:
        login = {"username": name, "password": password}
        status, _ = ask("GET", "_plugins/_security/authinfo", None, login)
        if status != UNAUTHORIZED:
            report.there(what)
            return
    put("internalusers", name, {"password": password})
    report.did(what, "made" if found is None else "got the instance's password")


def _require_own(domain: Mapping[str, Any], user: Document, mappings: Document) -> None:
    """What has our name has nothing of others: no other roles, no other holders."""
    name = domain["name"]
    own = _holders(domain["mapping"])
    more = [
        *user.get("backend_roles", []),
        *user.get("opendistro_security_roles", []),
        *(each for each in _holders(mappings.get(name, {})) if each not in own),
        *(
            f"role {role}"
            for role, mapping in mappings.items()
            if role != name and name in mapping.get("users", [])
        ),
    ]
    if more:
        raise BootstrapError(
            f"OpenSearch user or role {name}",
            f"is not of this instance alone ({', '.join(more)}), so nothing was changed",
            "take these away, or delete user and role, and run this again",
        )


def _holders(mapping: Document) -> list[str]:
    kinds = ("users", "backend_roles", "hosts", "and_backend_roles")
    return [holder for kind in kinds for holder in mapping.get(kind) or []]


def _has(found: Document, wanted: Document) -> bool:
    """Whether `found` says what `wanted` does: OpenSearch adds keys that were left out."""
    return all(_plain(found.get(key)) == _plain(value) for key, value in wanted.items())


def _plain(value: Any) -> Any:
    # Field security and masked fields come back empty where nobody asked for any.
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _granted(domain: Mapping[str, Any], status: int, answer: Any) -> Any:
    if status == UNAUTHORIZED:
        raise BootstrapError(
            _name(domain),
            "the administrator is refused",
            "see that AWS_BOOTSTRAP.opensearch_admin is that of this domain, and is up to date",
        )
    if status == FORBIDDEN:
        raise BootstrapError(
            _name(domain),
            "the administrator may not do this",
            "make it a master user of fine-grained access control; the domain's access policy must "
            "let in unsigned requests, too",
        )
    if status >= 300:
        raise BootstrapError(
            _name(domain),
            f"error {status}",
            "see the domain's log; it may want longer passwords",
        )
    return answer


def _name(domain: Mapping[str, Any]) -> str:
    return f"OpenSearch {domain['host']}:{domain['port']}"
