"""Files with tokens → files with values, such that every value arrives exactly as it is.

A value is written with escapes that mean the same in Python, YAML and JSON strings. The file is
then parsed with tokens and with values. Unless the two differ by just the values, its strings
are put between double quotes; where that does not help either, or the language is unknown, only
values pass that mean nothing but themselves in any language.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tutorsecrets.rewriting.encodings import Encoding, Write, encoded
from tutorsecrets.rewriting.syntaxes import syntax_of
from tutorsecrets.tokens import TOKEN

# A token → its value.
Lookup = Callable[[str], str]

# Has whatever can go wrong in a string.
PROBE = "'\"\\{{x}}\n\t # : $x `y` \u0085 é \U0001f511 "


def filled(text: str, file: str, write: Write, lookup: Lookup) -> str:
    """`text` with values in place of its tokens.

    `write` raises DeployError for a value that cannot be where its token is.
    """
    if TOKEN.fullmatch(text):
        return write(text, Encoding.FILE, file)
    syntax = syntax_of(file)
    if syntax and syntax.parses(text):
        # As it is, if possible: then the file is byte for byte what Tutor itself would deploy.
        for form in (text, syntax.quoted(text)):
            result = _written(form, Encoding.STRING, file, write)
            if syntax.differs_only_by(text, result, _with_values(lookup)):
                return result
    return _written(text, Encoding.ANYTHING, file, write)


def template(text: str, file: str, write: Write) -> str:
    """`text` with what `write` makes of its tokens, for values that are not known here."""
    if TOKEN.fullmatch(text):
        return write(text, Encoding.FILE, file)
    syntax = syntax_of(file)
    if syntax and syntax.parses(text):
        form = syntax.quoted(text)
        probed = _written(form, Encoding.STRING, file, _write_probe)
        if syntax.differs_only_by(text, probed, _with_values(lambda _: PROBE)):
            return _written(form, Encoding.STRING, file, write)
    return _written(text, Encoding.ANYTHING, file, write)


def _written(text: str, encoding: Encoding, file: str, write: Write) -> str:
    def replacement(match: re.Match[str]) -> str:
        line = text.count("\n", 0, match.start()) + 1
        return write(match[0], encoding, f"{file}, line {line}")

    return TOKEN.sub(replacement, text)


def _with_values(lookup: Lookup) -> Callable[[str], str]:
    return lambda text: TOKEN.sub(lambda match: lookup(match[0]), text)


def _write_probe(_token: str, encoding: Encoding, _where: str) -> str:
    return encoded(PROBE, encoding) or ""
