"""The expander that LangChain's handler drew with, for handlers that were built on it."""

from __future__ import annotations

from typing import Any

from callboard.errors import BadOptionError
from callboard.integrations.streamlit.boxes import Box, Element, Fit

__all__ = ["MutableExpander"]


class MutableExpander:
    """An expander of Streamlit's that can be renamed, opened, closed and copied from."""

    def __init__(self, parent_container: Any, label: str, expanded: bool) -> None:
        """Draw an empty one.

        Args:
            parent_container: The container that it is in.
            label: What it is called, in Markdown.
            expanded: Whether it is open.
        """
        self._box = Box(Fit(1, str), label, expanded=expanded, icon=None)
        self._box.draw(parent_container)

    @property
    def label(self) -> str:
        """What it is called, in Markdown."""
        return self._box.label

    @property
    def expanded(self) -> bool:
        """Whether it was last drawn open."""
        return self._box.expanded

    def clear(self) -> None:
        """Take it off the page, for good."""
        self._box.clear()
        self._box.forget()

    def append_copy(self, other: MutableExpander) -> None:
        """Draw what is in another below what is in this.

        Args:
            other: The other.
        """
        for element in other._elements:
            self._box.put(element.method, *element.given, **element.options)

    def update(self, *, new_label: str | None = None, new_expanded: bool | None = None) -> None:
        """Rename it, open or close it.

        Args:
            new_label: What it is called from now on; as before, by default.
            new_expanded: Whether it is open from now on; as before, by default.
        """
        label = self.label if new_label is None else new_label
        expanded = self.expanded if new_expanded is None else new_expanded
        if (label, expanded) != (self.label, self.expanded):
            self._box.update(label, None, expanded=expanded)

    def markdown(
        self,
        body: Any,
        unsafe_allow_html: bool = False,
        *,
        help: str | None = None,  # noqa: A002 - Streamlit's name
        index: int | None = None,
    ) -> int:
        """Draw Markdown; return its index.

        Args:
            body: The Markdown.
            unsafe_allow_html: Whether HTML in it is drawn as HTML.
            help: What is shown beside it when it is pointed at.
            index: What to draw it over; by default it is drawn below what is there.
        """
        options = {"unsafe_allow_html": unsafe_allow_html, "help": help}
        return self._draw(index, "markdown", body, **options)

    def exception(self, exception: BaseException, *, index: int | None = None) -> int:
        """Draw an exception; return its index.

        Args:
            exception: The exception.
            index: What to draw it over; by default it is drawn below what is there.
        """
        return self._draw(index, "exception", exception)

    @property
    def _elements(self) -> list[Element]:
        return [part for part in self._box.parts if isinstance(part, Element)]

    def _draw(self, index: int | None, method: str, given: Any, **options: Any) -> int:
        drawn = self._elements
        if index is None:
            self._box.put(method, given, **options)
            return len(drawn)
        if not 0 <= index < len(drawn):
            raise BadOptionError(f"index is {index}; of elements, there are {len(drawn)}.")
        drawn[index].become(method, given, **options)
        return index
