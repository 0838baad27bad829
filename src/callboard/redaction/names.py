"""Names of values that are not sent: passwords, keys, headers that hold them.

A value has a name where it stands in a dictionary, and also where it stands in a text that
looks like one: the arguments of a tool call come as JSON in a string, a setting as
``password=...``, a URL with ``?api_key=...``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from callboard.errors import BadOptionError
from callboard.redaction.rules import Rule

__all__ = ["PASSWORDS", "Names"]

PASSWORDS = (
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "api_key",
    "secret_key",
    "private_key",
    "access_key",
    "api_token",
    "access_token",
    "auth_token",
    "id_token",
    "refresh_token",
    "session_token",
    "authorization",
    "credentials",
    "connection_string",
    "cookie",
)
"""The names of the rule ``passwords``."""

WITHHELD = "<redacted>"
"""What is told in place of such a value."""

_LONGEST = 100
"""Of a longer key, this much of its end is looked at."""

_SEPARATORS = re.compile(r"[\W_]+")
# The end of a name, then a value: in quotes, in quotes that are in a text of JSON themselves, or
# up to where it may end. Closing quotes are left alone, and so is what was redacted already.
_SIGN = r"\\*+[\"']?\s{0,4}+[:=]\s{0,4}+"
_VALUE = (
    r"(?:(\"){0}(?:[^\"\\]|\\[\s\S])*+|('){0}(?:[^'\\]|\\[\s\S])*+|(\\++\"){0}[^\"\\]*+"
    r"|{0}(?:(?:[Bb]earer|[Bb]asic|[Tt]oken) )?+[^\s\"',;&}}\])\\]++)"
).format(r"(?!<\w{1,64}>)")


class Names:
    """Names, which a longer one may end with: ``db-Password`` and ``OPENAI_API_KEY`` do.

    Attributes:
        name: What the rule is called where it is said what was redacted.
    """

    def __init__(self, name: str, names: Iterable[str]) -> None:
        """Take names.

        Args:
            name: What the rule is called.
            names: Upper and lower case are the same, and so is what separates words.

        Raises:
            BadOptionError: A name has no letter and no digit.
        """
        words = [_words(each) for each in names]
        if not all(words):
            raise BadOptionError(
                "One of the names whose values are not to be sent has no letter and no digit."
            )
        self.name = name
        self._endings = tuple("".join(parts) for parts in words)
        self._are_asked = lru_cache(1024)(self._ends_with_one)
        self._hints = {parts[-1] for parts in words}
        joined = "|".join(r"[_\s.-]?".join(map(re.escape, parts)) for parts in words)
        self._rule = Rule(
            name, f"(?i:((?:{joined}){_SIGN})){_VALUE}", rf"\1\2\3\4{WITHHELD}", is_linear=True
        )

    def apply(self, text: str) -> tuple[str, int]:
        """Return a text as it may be told, and how many values it had with one of the names.

        Args:
            text: Any text.
        """
        folded = text.lower()
        if not any(hint in folded for hint in self._hints):
            return text, 0
        return self._rule.apply(text)

    def hold(self, key: str) -> bool:
        """Whether what has that name is not to be sent.

        Args:
            key: A key of a dictionary.
        """
        return self._are_asked(key[-_LONGEST:])

    def _ends_with_one(self, key: str) -> bool:
        return "".join(_words(key)).endswith(self._endings)


def _words(name: str) -> list[str]:
    return [word for word in _SEPARATORS.split(str(name).lower()) if word]
