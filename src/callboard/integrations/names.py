"""Names that tell series apart: a platform keeps a series for each, so they are bounded."""

from __future__ import annotations

from callboard.integrations.holds import Hold

__all__ = ["OTHER", "Names"]

OTHER = "other"


class Names:
    """The names of series: the first so many, and one for the rest."""

    def __init__(self) -> None:
        """Know no name yet."""
        self._known: set[str] = set()
        self._naming = Hold()

    def known(self, name: str, limit: int) -> str:
        """Return a name, or `OTHER` if there are too many already.

        Args:
            name: The name.
            limit: How many there may be.
        """
        if name in self._known:
            return name
        with self._naming:
            if len(self._known) >= limit:
                return OTHER
            self._known.add(name)
        return name
