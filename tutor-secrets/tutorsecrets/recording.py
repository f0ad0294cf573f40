"""What a template does to a secret, noted on the token: the value itself is not there.

A template can only put a token somewhere, or text around it. Whatever would look into the value
(`SECRET[:8]`, `SECRET|urlencode`, `SECRET.upper()`) would get the token instead, and the result
would be no secret at all. So filters note themselves on a token, and are applied to the value
when that is known; what cannot be noted is refused.
"""

from __future__ import annotations

import functools
import json
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import BuiltinMethodType
from typing import Any

import jinja2
from jinja2 import runtime
from jinja2.defaults import DEFAULT_FILTERS
from tutorplatform.errors import ConfigError

from tutorsecrets.tokens import SUFFIX, TOKEN, TRACE, keys_in

Filter = Callable[..., Any]

# Values that differ from tokens in every way. What does the same to a token and to both of these
# only cares for the text around it.
PROBES = (f"{string.ascii_letters}{string.digits} {string.punctuation}é", "7")

# Its quotes and escapes are made anew when the value is written.
QUOTING = "tojson"


class Text(str):
    """Text with a token in it, which cannot be looked into."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> str:
        part: str = _same_for_any("[…]", lambda text: str.__getitem__(text, key), self)
        return part

    def __contains__(self, part: str) -> bool:  # type: ignore[override]
        return bool(_same_for_any("in", lambda text: str.__contains__(text, part), self))

    def __iter__(self) -> Iterator[str]:
        raise _refusal("for", self)


class Token(Text):
    """A token whose attributes, read in a template, are tokens again."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Token:
        if name.startswith("_"):
            raise AttributeError(name)
        return _with_step(self, f"a_{name}")


class RecordingContext(runtime.Context):
    """Variables that note what is done to them, and calls that see no token."""

    def resolve_or_missing(self, key: str) -> Any:
        return watched(super().resolve_or_missing(key))

    def call(__self, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        def call(operands: Any) -> Any:
            owner, args, kwargs = operands
            function = __obj if owner is None else getattr(owner, __obj.__name__)
            return super(RecordingContext, __self).call(function, *args, **kwargs)

        owner = getattr(__obj, "__self__", None)
        owner = owner if isinstance(owner, str) else None
        operands = (owner, args, {k: v for k, v in kwargs.items() if not k.startswith("_")})
        if _keeps_texts(__obj) or not _traced(operands):
            return super().call(__obj, *args, **kwargs)
        name = getattr(__obj, "__name__", type(__obj).__name__)
        if owner is None:
            raise _refusal(f"{name}()", operands)
        return _same_for_any(f"{name}()", call, operands)


def recording_filters(filters: Iterable[tuple[str, Filter]]) -> list[tuple[str, Filter]]:
    """The same template filters, which note themselves on a token instead of changing it."""
    return [(name, _of_plugin(name, function)) for name, function in filters]


def watched(value: Any) -> Any:
    """Text with a token in it as Token or Text; everything else as it is."""
    if type(value) is not str or not TRACE.search(value):
        return value
    return Token(value) if TOKEN.fullmatch(value) else Text(value)


@functools.cache
def _of_plugin(name: str, function: Filter) -> Filter:
    # Jinja hands its context to some filters, as first argument. It is full of tokens.
    with_context = hasattr(function, "jinja_pass_arg")

    @functools.wraps(function)
    def apply(*args: Any, **kwargs: Any) -> Any:
        value, *rest = args[1:] if with_context else args
        if not _traced((value, rest, kwargs)):
            return function(*args, **kwargs)
        if with_context:
            raise _refusal(f"filter {name}", value)
        return _recorded(name, value, rest, kwargs)

    return apply


def _own(name: str, function: Filter) -> Filter:
    # What Jinja passes first, if anything, is its own.
    passed = getattr(function, "jinja_pass_arg", None)
    first = 0 if passed is None else 1
    # `map` and `select` apply other filters, which look after themselves.
    applies_others = passed is not None and passed.name == "context"

    @functools.wraps(function)
    def apply(*args: Any, **kwargs: Any) -> Any:
        before, operands = args[:first], (args[first:], kwargs)
        if applies_others or not _traced(operands):
            return function(*args, **kwargs)
        try:
            return _same(lambda given: function(*before, *given[0], **given[1]), operands)
        except Exception:
            if name == QUOTING:
                return function(*args, **kwargs)
            value, *rest = operands[0]
            return _recorded(name, value, rest, kwargs)

    return apply


OWN_FILTERS = {name: _own(name, function) for name, function in DEFAULT_FILTERS.items()}


class RecordingEnvironment(jinja2.Environment):
    """A mixin: Jinja's own filters note themselves, as those of plugins do."""

    context_class = RecordingContext

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters |= OWN_FILTERS

    def getattr(self, obj: Any, attribute: str) -> Any:
        return watched(super().getattr(obj, attribute))

    def getitem(self, obj: Any, argument: Any) -> Any:
        return watched(super().getitem(obj, argument))


def _recorded(name: str, value: Any, args: list[Any], kwargs: Mapping[str, Any]) -> Token:
    if not TOKEN.fullmatch(str(value)) or _traced((args, kwargs)):
        raise _refusal(f"filter {name}", (value, args, kwargs))
    try:
        arguments = json.dumps([args, kwargs]).encode().hex() if args or kwargs else ""
    except TypeError:
        raise _refusal(f"filter {name}", value) from None
    return _with_step(value, f"f_{name}" + (f"-{arguments}" if arguments else ""))


def _with_step(token: str, step: str) -> Token:
    return Token(f"{str(token).removesuffix(SUFFIX)}.{step}{SUFFIX}")


def _same_for_any(what: str, operation: Callable[[Any], Any], operands: Any) -> Any:
    try:
        return _same(operation, operands)
    except Exception:
        raise _refusal(what, operands) from None


def _same(operation: Callable[[Any], Any], operands: Any) -> Any:
    # ValueError if the result depends on what stands in place of the tokens.
    result = _settled(operation(operands))
    for probe in PROBES:
        if _settled(operation(_with_probe(operands, probe))) != _with_probe(result, probe):
            raise ValueError("depends on the value")
    return watched(result)


def _with_probe(value: Any, probe: str) -> Any:
    if isinstance(value, str):
        return TOKEN.sub(lambda _: probe, value)
    if isinstance(value, dict):
        return {_with_probe(key, probe): _with_probe(item, probe) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_with_probe(item, probe) for item in value)
    return value


def _settled(value: Any) -> Any:
    return list(value) if isinstance(value, Iterator) else value


def _keeps_texts(function: Any) -> bool:
    # Macros and containers: what they are given comes out of them as it is.
    kept = type(function).__module__.startswith("jinja2") or isinstance(function, type)
    owner = getattr(function, "__self__", None)
    return kept or (
        isinstance(function, BuiltinMethodType) and isinstance(owner, (list, dict, set))
    )


def _traced(value: Any) -> bool:
    return bool(TRACE.search(repr(value)))


def _refusal(what: str, value: Any) -> ConfigError:
    keys = ", ".join(sorted(keys_in(value))) or "a part of one"
    return ConfigError(
        f"template, {what}",
        f"would look into a secret ({keys}), which is not there yet",
        "apply filters to the secret's setting alone, and put other text around the result",
    )
