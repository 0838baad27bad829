"""The text of a filter as tokens: marks, words and quoted text, each with its column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from callboard.errors import FilterError

__all__ = ["Token", "tokens_of"]


class Token(NamedTuple):
    """One token.

    Attributes:
        kind: A ``mark`` is a parenthesis, a bracket or a comma; a ``word`` is anything that has
            none of them, no quotes and no spaces; ``quoted`` is text in quotes; ``end`` comes last.
        text: The mark or word; or what the quotes hold, escapes resolved.
        source: The same as it stands in the filter, without quotes.
        column: Where it begins, from 1.
    """

    kind: Literal["mark", "word", "quoted", "end"]
    text: str
    source: str
    column: int

    @property
    def is_value(self) -> bool:
        """Whether it is a word or quoted text, which is what names and values are."""
        return self.kind in {"word", "quoted"}

    def __str__(self) -> str:
        """It, as an error shows it: cut if it is long."""
        if self.kind == "end":
            return "its end"
        quote = '"' if self.kind == "quoted" else "'"
        return quote + (self.source if len(self.source) <= 40 else f"{self.source[:40]}...") + quote


_TOKEN = re.compile(
    r"""
    (?P<space> \s+ )
    | (?P<mark> [()\[\],] )
    | "(?P<double> (?: [^"\\]++ | \\. )*+ )"
    | '(?P<single> (?: [^'\\]++ | \\. )*+ )'
    | (?P<word> [^\s()\[\],"']++ )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = dict(zip("bfnrt\\\"'/", "\b\f\n\r\t\\\"'/", strict=True))
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def tokens_of(text: str) -> Iterator[Token]:
    """Yield the tokens of a filter, and one that is its end.

    Raises:
        FilterError: Quotes are not closed, or text is half of a character.
    """
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            quote = text[at]
            raise FilterError(
                f"The filter opens a text with {quote} at column {at + 1}, and never closes it.",
                text,
                at + 1,
            )
        if found.lastgroup != "space":
            yield _token(found, text)
        at = found.end()
    yield Token("end", "", "", len(text) + 1)


def _token(found: re.Match[str], text: str) -> Token:
    kind, column = found.lastgroup, found.start() + 1
    source = found[kind or 0]
    if kind == "mark":
        return Token("mark", source, source, column)
    meant = source if kind == "word" else _unescaped(source)
    if _SURROGATE.search(meant):
        raise FilterError(
            f"The filter has half of a surrogate pair at column {column}, which is no character.",
            text,
            column,
        )
    return Token("word" if kind == "word" else "quoted", meant, source, column)


def _unescaped(source: str) -> str:
    r"""Return a text with JSON's escapes resolved, ``\'`` too; others stand for themselves."""
    if "\\" not in source:
        return source
    meant = _ESCAPE.sub(_character, source)
    # JSON writes a character beyond the first 65,536 as two halves: this joins them.
    return meant.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _character(escape: re.Match[str]) -> str:
    if escape[1]:
        return chr(int(escape[1], 16))
    return _ESCAPED.get(escape[2], escape[0])
