"""Tokens in a container's `env`, `command` and `args` → variables that are fed by a Secret."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tutorsecrets.rewriting import scripts
from tutorsecrets.rewriting.encodings import Encoding
from tutorsecrets.rewriting.pods import PodSpec, containers
from tutorsecrets.tokens import TOKEN, stored_name

# A token → the name of the Secret that has its value.
SecretOf = Callable[[str], str]


@dataclass(frozen=True)
class Use:
    """What a variable holds: the value of a token, written for what is around it."""

    token: str
    encoding: Encoding


def name(use: Use) -> str:
    """The variable, and the key of its Secret, for a use of a token."""
    plain = f"TUTOR_SECRET_{stored_name(use.token)}"
    if use.encoding is Encoding.VARIABLE:
        return plain
    # No setting's name ends like this.
    return f"{plain}__{use.encoding.value}"


def with_variables(pod: PodSpec, secret_of: SecretOf) -> tuple[PodSpec, list[Use]]:
    """The pod with variables in place of its tokens, and what these hold.

    Each Secret must have the values of its uses under their names.
    """
    pod = copy.deepcopy(pod)
    filling = [_Filling(container, secret_of) for container in containers(pod)]
    for each in filling:
        each.run()
    return pod, list(dict.fromkeys(use for each in filling for use in each.uses))


@dataclass
class _Filling:
    """One container, changed in place, and the variables that it needs."""

    container: dict[str, Any]
    secret_of: SecretOf
    uses: list[Use] = field(default_factory=list)
    referred: list[Use] = field(default_factory=list)

    def run(self) -> None:
        environment = [self._entry(entry) for entry in self.container.get("env") or []]
        self._fill_words()
        # First, because a variable can only refer to those before it.
        front = [self._fed(name(use), use) for use in sorted(set(self.referred), key=name)]
        if front or environment:
            self.container["env"] = [*front, *environment]

    def _fill_words(self) -> None:
        command, arguments = (self.container.get(part) or [] for part in ("command", "args"))
        words = [*command, *arguments]
        script = scripts.position(words)
        filled = [
            scripts.with_variables(word, self._variable)
            if position == script and TOKEN.search(word)
            else self._pasted(word)
            for position, word in enumerate(words)
        ]
        if command:
            self.container["command"] = filled[: len(command)]
        if arguments:
            self.container["args"] = filled[len(command) :]

    def _entry(self, entry: dict[str, Any]) -> dict[str, Any]:
        value = str(entry.get("value", ""))
        if TOKEN.fullmatch(value):
            return self._fed(entry["name"], Use(value, Encoding.VARIABLE))
        return {**entry, "value": self._pasted(value)} if TOKEN.search(value) else entry

    def _pasted(self, text: str) -> str:
        return TOKEN.sub(
            lambda match: scripts.pasted(self._variable(match[0], Encoding.VARIABLE)), text
        )

    def _variable(self, token: str, encoding: Encoding) -> str:
        self.referred.append(Use(token, encoding))
        self.uses.append(self.referred[-1])
        return name(self.referred[-1])

    def _fed(self, variable: str, use: Use) -> dict[str, Any]:
        self.uses.append(use)
        reference = {"name": self.secret_of(use.token), "key": name(use)}
        return {"name": variable, "valueFrom": {"secretKeyRef": reference}}
