"""A stand-in for MongoDB: as much of its protocol as a bootstrap uses, over TLS; users, no data.

MongoDB itself is no package of Debian's. pymongo, which talks to it, is the real one.
https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
https://datatracker.ietf.org/doc/html/rfc7677 (SCRAM-SHA-256)
"""

from __future__ import annotations

import hashlib
import hmac
import os
import socketserver
import ssl
import struct
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bson
from localcluster.certificates import Authority
from localcluster.model import LOOPBACK

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
ITERATIONS = 4096
AUTHENTICATION_FAILED, UNAUTHORIZED = 18, 13

Document = dict[str, Any]


@dataclass
class Mongod:
    """A replica set of one server: name → password and roles of its users."""

    port: int = 0
    authority: Path = Path()
    passwords: dict[str, str] = field(default_factory=dict)
    roles: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def hello(self) -> Document:
        me = f"{LOOPBACK}:{self.port}"
        return {
            "ok": 1,
            "ismaster": True,
            "isWritablePrimary": True,
            "helloOk": True,
            "setName": "rs0",
            "hosts": [me],
            "me": me,
            "primary": me,
            "minWireVersion": 0,
            "maxWireVersion": 21,
            "saslSupportedMechs": ["SCRAM-SHA-256"],
        }

    def carry_out(self, command: Document) -> Document:
        """A command of somebody who manages users."""
        [(name, user), *_] = command.items()
        if name == "usersInfo":
            found = [{"user": user, "roles": self.roles[user]}] if user in self.roles else []
            return {"ok": 1, "users": found}
        if name not in ("createUser", "updateUser", "grantRolesToUser"):
            return failure(59, f"no such command: {name}")
        if (name == "createUser") is (user in self.roles):
            return failure(51003 if name == "createUser" else 11, "user")
        self.passwords[user] = command.get("pwd", self.passwords.get(user, ""))
        self.roles.setdefault(user, []).extend(command.get("roles", []))
        return {"ok": 1}


def failure(code: int, message: str) -> Document:
    return {"ok": 0, "code": code, "errmsg": message}


class Conversation:
    """One connection: who it is of, once they have proved it."""

    def __init__(self, server: Mongod) -> None:
        self.server = server
        self.user = ""
        self.claimed = self.first = self.challenge = ""
        self.salt = os.urandom(16)

    def answer(self, command: Document) -> Document:
        [name, *_] = command
        if name.lower() in ("hello", "ismaster"):
            return self.server.hello()
        if name == "saslStart":
            return self.challenged(bytes(command["payload"]).decode())
        if name == "saslContinue":
            return self.proved(bytes(command["payload"]).decode())
        if name == "ping":
            return {"ok": 1}
        if not any(role["role"] == "root" for role in self.server.roles.get(self.user, [])):
            return failure(UNAUTHORIZED, "not authorized")
        return self.server.carry_out(command)

    def challenged(self, message: str) -> Document:
        self.first = message.removeprefix("n,,")
        parts = attributes(self.first)
        self.claimed = parts["n"].replace("=2C", ",").replace("=3D", "=")
        nonce = parts["r"] + b64encode(os.urandom(18)).decode()
        self.challenge = f"r={nonce},s={b64encode(self.salt).decode()},i={ITERATIONS}"
        return {"ok": 1, "conversationId": 1, "done": False, "payload": self.challenge.encode()}

    def proved(self, message: str) -> Document:
        password = self.server.passwords.get(self.claimed, "").encode()
        salted = hashlib.pbkdf2_hmac("sha256", password, self.salt, ITERATIONS)
        key = keyed(salted, b"Client Key")
        rest, _, proof = message.rpartition(",p=")
        said = ",".join((self.first, self.challenge, rest)).encode()
        signature = keyed(hashlib.sha256(key).digest(), said)
        expected = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        if self.claimed not in self.server.passwords or b64decode(proof) != expected:
            return failure(AUTHENTICATION_FAILED, "Authentication failed.")
        self.user = self.claimed
        own = b64encode(keyed(keyed(salted, b"Server Key"), said))
        return {"ok": 1, "conversationId": 1, "done": True, "payload": b"v=" + own}


def attributes(message: str) -> dict[str, str]:
    return {part[0]: part[2:] for part in message.split(",")}


def keyed(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()


@contextmanager
def mongod(folder: Path) -> Iterator[Mongod]:
    """A running server; its certificate authority is in the folder."""
    server = Mongod(authority=folder / "mongodb.pem")
    authority = Authority.new("mongod authority")
    pair = authority.issue("mongod", hosts=[LOOPBACK, "localhost"])
    server.authority.write_bytes(authority.pem)
    (folder / "server.pem").write_bytes(pair.key + pair.certificate)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem")

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            conversation = Conversation(server)
            with context.wrap_socket(self.request, server_side=True) as stream:
                while message := received(stream):
                    stream.sendall(replied(message, conversation))

    with Listener((LOOPBACK, 0), Handler) as listener:
        server.port = listener.server_address[1]
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        yield server
        listener.shutdown()


class Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Clients that trust somebody else leave at once."""


def received(stream: ssl.SSLSocket) -> bytes:
    """One message; empty at the end."""
    head = exactly(stream, 4)
    return head + exactly(stream, struct.unpack("<i", head)[0] - 4) if head else b""


def exactly(stream: ssl.SSLSocket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        part = stream.recv(length - len(found))
        if not part:
            return b""
        found += part
    return found


def replied(message: bytes, conversation: Conversation) -> bytes:
    """The answer, in the form of the question: old for the first one, then new."""
    _, number, _, form = struct.unpack("<4i", message[:16])
    if form == OP_QUERY:
        # Flags, the collection's name, two numbers.
        start = message.index(b"\0", 20) + 9
        text = bson.encode(conversation.answer(bson.decode(message[start:])))
        body, form = struct.pack("<iqii", 8, 0, 0, 1) + text, OP_REPLY
    else:
        # Flags, and the only section that is sent here.
        assert form == OP_MSG
        text = bson.encode(conversation.answer(bson.decode(message[21:])))
        body = struct.pack("<ib", 0, 0) + text
    return struct.pack("<4i", 16 + len(body), 0, number, form) + body
