"""The tokens of a filter, taken one after the other; and what is wrong with one, in a sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from callboard.errors import FilterError
from callboard.query.tokens import Token, tokens_of

__all__ = ["Cursor", "listed"]


class Cursor:
    """Where the reading of a filter has come to.

    Attributes:
        text: The filter.
        token: The next token.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tokens_of(text)
        self.token = next(self._tokens)

    def take(self) -> Token:
        """Return the next token and go on to the one after it; the end is never left."""
        token = self.token
        if not self.is_at_end():
            self.token = next(self._tokens)
        return token

    def is_at(self, mark: str) -> bool:
        """Whether the next token is this parenthesis, bracket or comma."""
        return self.token.kind == "mark" and self.token.text == mark

    def is_at_end(self) -> bool:
        """Whether there are no more tokens."""
        return self.token.kind == "end"

    def pass_mark(self, mark: str) -> None:
        """Go past a parenthesis, bracket or comma.

        Raises:
            FilterError: The next token is not this mark.
        """
        if not self.is_at(mark):
            raise self.refusal(self.token, f"'{mark}'")
        self.take()

    def items(self, end: str) -> Iterator[None]:
        """Yield before each item of a list with commas between them, until the mark at its end."""
        if self.is_at(end):
            return
        yield
        while not self.is_at(end):
            self.pass_mark(",")
            yield

    def refusal(self, token: Token, takes: str, *, who: str = "it") -> FilterError:
        """Return the error that says that a token can't be where it is.

        Args:
            token: The token.
            takes: What belongs there.
            who: What takes it, such as a field.
        """
        message = f"The filter has {token} at column {token.column}, where {who} takes {takes}."
        return FilterError(message, self.text, token.column)

    def refusal_of_name(self, token: Token, takes: str, names: Iterable[str]) -> FilterError:
        """Return the error that says that a token is none of the names that belong there.

        Args:
            token: The token.
            takes: What belongs there.
            names: All that it may be; the one that is much like it is told, or else all.
        """
        known = list(names)
        close = difflib.get_close_matches(token.text[:64].lower(), known, n=1)
        also = f" (did you mean {close[0]}?)" if close else f": {listed(known)}"
        return self.refusal(token, takes + also)


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence lists them."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
