"""Rules: what is looked for in texts, and what is written in its place."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from callboard.errors import BadOptionError

__all__ = ["MAX_SEARCHED", "Rule"]

MAX_SEARCHED = 1_000_000
"""How many characters a text may have to be searched by a rule of one's own. A longer one is
withheld: nobody knows how long such a search takes."""

_NAME = re.compile(r"[\w.-]{1,64}")


def _always(_: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Rule:
    """A regular expression, and what is written where it matches.

    Attributes:
        name: What the rule is called where it is said what was redacted.
        pattern: What to look for. Python's ``re`` has no time limit: where something may
            repeat, prefer ``++`` and ``{1,64}+`` to ``+``.
        replacement: What to write there, as `re.sub` has it; ``<name>`` if not given.
        hints: If there are any, a text without any of them is not searched.
        accepts: Looks at what was found, and says whether it is what was looked for.
        is_linear: Whether a search takes no longer than the text, so that it may be of any
            length.
    """

    name: str
    pattern: str | re.Pattern[str]
    replacement: str | None = None
    hints: tuple[str, ...] = ()
    accepts: Callable[[str], bool] = _always
    is_linear: bool = False
    _compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the rule.

        Raises:
            BadOptionError: It has no name, or its pattern is none, or matches everywhere.
        """
        if not _NAME.fullmatch(str(self.name)):
            raise BadOptionError(
                f"A rule is called {self.name!r}; a name takes letters, digits, dots and hyphens."
            )
        compiled = _compiled(self.name, self.pattern)
        object.__setattr__(self, "_compiled", compiled)
        if self.replacement is None:
            object.__setattr__(self, "replacement", f"<{self.name}>")
        try:
            compiled.sub(self.replacement or "", "")
        except (re.error, IndexError) as error:
            raise BadOptionError(
                f"The replacement of the rule {self.name!r} is {self.replacement!r}, which is "
                f"none for its pattern: {error}."
            ) from None

    def apply(self, text: str) -> tuple[str, int]:
        """Return a text as it may be told, and how often the rule had something to do.

        Args:
            text: Any text.
        """
        if self.hints and not any(hint in text for hint in self.hints):
            return text, 0
        if not self.is_linear and len(text) > MAX_SEARCHED:
            return f"<withheld: {len(text)} characters, too long for the rule {self.name}>", 1
        if self.accepts is _always:
            return self._compiled.subn(self.replacement or "", text)
        return self._apply_where_accepted(text)

    def _apply_where_accepted(self, text: str) -> tuple[str, int]:
        pieces: list[str] = []
        at = told = 0
        while found := self._compiled.search(text, at):
            if self.accepts(found[0]):
                pieces += (text[told : found.start()], self.replacement or "")
                at = told = found.end()
            else:
                at = found.start() + 1
        return "".join((*pieces, text[told:])), len(pieces) // 2


def _compiled(name: str, pattern: Any) -> re.Pattern[str]:
    try:
        compiled: re.Pattern[Any] = re.compile(pattern)
    except (re.error, TypeError) as error:
        raise BadOptionError(
            f"The pattern of the rule {name!r} is {pattern!r}, which is no regular expression: "
            f"{error}."
        ) from None
    if not isinstance(compiled.pattern, str):
        raise BadOptionError(f"The pattern of the rule {name!r} is one of bytes; it takes text.")
    if compiled.search(""):
        raise BadOptionError(
            f"The pattern of the rule {name!r} is {compiled.pattern!r}, which matches nothing at "
            "all, and so everywhere; it takes one that matches something."
        )
    return compiled
