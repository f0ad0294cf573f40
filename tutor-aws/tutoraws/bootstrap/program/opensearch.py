"""Edge: the OpenSearch role and user of an instance, by the domain's security API. Runs in the Job.

https://docs.opensearch.org/latest/security/access-control/api/
"""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from tutoraws.bootstrap.program.passwords import Passwords
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
    passwords: Passwords,
    admin: Mapping[str, str],
    report: Report,
    ask: Ask | None = None,
) -> Iterator[None]:
    """Yield when nothing stands in the way; then make role, user if it has one, and mapping.

    Raises BootstrapError.
    """
    found = _Domain(domain, passwords, admin, ask or asker(domain), report)
    found.check()
    yield
    found.make()


class _Domain:
    def __init__(
        self,
        plan: Mapping[str, Any],
        passwords: Passwords,
        admin: Mapping[str, str],
        ask: Ask,
        report: Report,
    ) -> None:
        self._plan = plan
        self._name: str = plan["name"]
        self._passwords = passwords
        self._admin = admin
        self._ask = ask
        self._report = report
        self._found: Document = {}
        self._knows_password = False

    def check(self) -> None:
        """Look at what is there. Raises BootstrapError if it is of somebody else too."""
        user, mappings = self._get("internalusers"), self._call("GET", "rolesmapping")
        _require_own(self._plan, user or {}, mappings)
        self._found = {
            "roles": self._get("roles"),
            "internalusers": user,
            "rolesmapping": mappings.get(self._name),
        }
        if user is not None and "password" in self._plan:
            self._knows_password = _logs_in(self._ask, self._name, self._password)
            if not self._knows_password:
                self._passwords.require_reset(f"OpenSearch user {self._name}")

    def make(self) -> None:
        """Make what is missing."""
        role, mapping = self._plan["role"], self._plan["mapping"]
        self._keep("roles", role, f"OpenSearch role {self._name}", "got its rights")
        if "password" in self._plan:
            self._make_user()
        what = f"OpenSearch role {self._name} for {', '.join(_holders(mapping))}"
        self._keep("rolesmapping", mapping, what, "given")

    @property
    def _password(self) -> str:
        return self._passwords[self._plan["password"]]

    def _keep(self, kind: str, document: Document, what: str, deed: str) -> None:
        found = self._found[kind]
        if found is not None and _has(found, document):
            self._report.there(what)
            return
        self._call("PUT", f"{kind}/{quote(self._name, safe='')}", document)
        self._report.did(what, "made" if found is None and kind == "roles" else deed)

    def _make_user(self) -> None:
        what = f"OpenSearch user {self._name}"
        if self._knows_password:
            self._report.there(what)
            return
        path = f"internalusers/{quote(self._name, safe='')}"
        self._call("PUT", path, {"password": self._password})
        made = self._found["internalusers"] is None
        self._report.did(what, "made" if made else "got the instance's password")

    def _get(self, kind: str) -> Any:
        path = f"{API}/{kind}/{quote(self._name, safe='')}"
        status, found = self._ask("GET", path, None, self._admin)
        return None if status == NOT_FOUND else _granted(self._plan, status, found)[self._name]

    def _call(self, method: str, path: str, document: Document | None = None) -> Any:
        answer = self._ask(method, f"{API}/{path}", document, self._admin)
        return _granted(self._plan, *answer)


def _logs_in(ask: Ask, user: str, password: str) -> bool:
    login = {"username": user, "password": password}
    status, _ = ask("GET", "_plugins/_security/authinfo", None, login)
    return status != UNAUTHORIZED


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
