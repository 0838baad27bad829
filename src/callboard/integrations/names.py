"""Names that tell series apart: a platform keeps a series for each, so they are bounded."""

from __future__ import annotations

__all__ = ["OTHER", "Names"]

OTHER = "other"


class Names:
    """The names of series: the first so many, and one for the rest."""

    def __init__(self, limit: int) -> None:
        """Know no name yet.

        Args:
            limit: How many there may be.
        """
        self._limit = limit
        self._known: set[str] = set()

    def known(self, name: str) -> str:
        """Return a name, or `OTHER` if there are too many already.

        Args:
            name: The name.
        """
        if name in self._known:
            return name
        if len(self._known) >= self._limit:
            return OTHER
        self._known.add(name)
        return name
