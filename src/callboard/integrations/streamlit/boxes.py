"""Boxes on a page, which make room for later ones by moving into a history.

What Streamlit has drawn can be drawn over in its place, and not moved: so a box knows what is in
it, and is drawn anew where it moves to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

__all__ = ["DONE", "FAILED", "RUNNING", "Box", "Element", "Fit", "History", "Pile"]

_Part = TypeVar("_Part", bound="Element | Box")

# What Streamlit's own status boxes show; those wait 50 ms each time that one is made.
RUNNING = "spinner"
DONE = ":material/check:"
FAILED = ":material/error:"

_MAX_HISTORY = 100


class Fit(NamedTuple):
    """How many boxes are shown at once, and what is done with earlier ones.

    Attributes:
        boxes: How many, the history being one of them. If it is 1, there is no history.
        history_label: Returns what the history is called.
    """

    boxes: int
    history_label: Callable[[], str]


class Element:
    """Something that one of Streamlit's methods draws."""

    def __init__(self, method: str, *given: Any, **options: Any) -> None:
        self.method, self.given, self.options = method, given, options
        self.place: Any = None

    def draw(self, container: Any) -> None:
        """Draw it at the end of a container, or over an element in its place.

        Args:
            container: The container, or the place; None if it is off the page.
        """
        draws = getattr(container, self.method, None)
        self.place = None if draws is None else draws(*self.given, **self.options)

    def leave(self) -> None:
        """Know that it is off the page."""
        self.place = None

    def become(self, method: str, *given: Any, **options: Any) -> None:
        """Draw something else over it."""
        self.method, self.given, self.options = method, given, options
        self.draw(self.place)


class Pile:
    """Elements and boxes, drawn below each other in a container."""

    def __init__(self, fit: Fit, inside: Any = None) -> None:
        """Make an empty one.

        Args:
            fit: How many boxes are shown at once.
            inside: The container; None if it is drawn later.
        """
        self.fit = fit
        self.parts: list[Element | Box] = []
        self._inside = inside
        self._history: History | None = None

    @property
    def boxes(self) -> list[Box]:
        """The boxes that are shown, without the history."""
        return [each for each in self.parts if isinstance(each, Box) and each is not self._history]

    def put(self, method: str, *given: Any, **options: Any) -> Element:
        """Draw an element below what is there.

        Args:
            method: The method of Streamlit's containers that draws it.
            *given: What the method is given.
            **options: The same, by keyword.
        """
        return self._add(Element(method, *given, **options))

    def open(self, label: str, *, expanded: bool) -> Box:
        """Draw a box below what is there, and make room for it.

        Args:
            label: What it is called, in Markdown.
            expanded: Whether it is open.
        """
        if self._history is None:
            self._history = self._add(History(self.fit))
        box = self._add(Box(self.fit, label, expanded=expanded, around=self))
        self.make_room()
        return box

    def make_room(self) -> None:
        """Move the earliest boxes that are done into the history, if there are too many."""
        while self._history and len(self.boxes) + self._history.is_shown > self.fit.boxes:
            earliest = next((box for box in self.boxes if box.icon != RUNNING), None)
            if earliest is None:
                return
            self._take(earliest)
            if self.fit.boxes > 1:
                self._history.keep(earliest)
            else:
                earliest.forget()

    def running(self) -> Iterator[Box]:
        """Return the boxes in it, at any depth, that are not done."""
        for part in self.parts:
            if isinstance(part, Box):
                if part.icon == RUNNING:
                    yield part
                yield from part.running()

    def _add(self, part: _Part) -> _Part:
        self.parts.append(part)
        part.draw(self._inside)
        return part

    def _take(self, box: Box) -> None:
        self.parts.remove(box)
        box.clear()

    def leave(self) -> None:
        """Know that it, and what is in it, is off the page: nothing is drawn there any more."""
        self._inside = None
        for part in self.parts:
            part.leave()

    def _draw_parts(self) -> None:
        for part in self.parts:
            part.draw(self._inside)


class Box(Pile):
    """A pile in a box that has a label, and can be opened and closed."""

    def __init__(
        self,
        fit: Fit,
        label: str,
        *,
        expanded: bool,
        icon: str | None = RUNNING,
        around: Pile | None = None,
    ) -> None:
        """Make an empty one.

        Args:
            fit: How many boxes are shown in it at once.
            label: What it is called, in Markdown.
            expanded: Whether it is open.
            icon: How it is doing; None if that is not to be seen.
            around: The pile that it is in.
        """
        super().__init__(fit)
        self.label, self.expanded, self.icon = label, expanded, icon
        self.around = around
        # What a model in it said last: a chain that returns the same need not show it again.
        self.said: str | None = None
        self._place: Any = None

    def draw(self, container: Any) -> None:
        """Draw it, and what is in it, at the end of a container.

        Args:
            container: The container; None if it is off the page.
        """
        self._place = None if container is None else container.empty()
        self._inside = self._frame()
        self._draw_parts()

    def update(self, label: str, icon: str | None, *, expanded: bool) -> None:
        """Draw how it is doing.

        Args:
            label: What it is called from now on.
            icon: `RUNNING`, `DONE` or `FAILED`; None if that is not to be seen.
            expanded: Whether it is open.
        """
        self.label, self.icon, self.expanded = label, icon, expanded
        self._frame()  # What is in it stays there, and what comes is drawn below that.
        if self.around is not None:
            self.around.make_room()

    def clear(self) -> None:
        """Take it off the page; it can be drawn anew elsewhere."""
        if self._place is not None:
            self._place.empty()
        self.leave()

    def leave(self) -> None:
        """Know that it, and what is in it, is off the page: nothing is drawn there any more."""
        super().leave()
        self._place = None

    def forget(self) -> None:
        """Let go of what is in it, which is off the page for good."""
        for part in self.parts:
            if isinstance(part, Box):
                part.forget()
        self.parts.clear()
        self._history = None

    def _frame(self) -> Any:
        if self._place is None:
            return None
        return self._place.expander(self.label, expanded=self.expanded, icon=self.icon)


class History(Box):
    """The box above others that earlier ones move into; not drawn before there is one."""

    def __init__(self, fit: Fit) -> None:
        super().__init__(fit, fit.history_label(), expanded=False, icon=None)

    @property
    def is_shown(self) -> bool:
        """Whether there is anything in it."""
        return bool(self.parts)

    def draw(self, container: Any) -> None:
        """Draw it at the end of a container, or keep its place there if there is nothing in it.

        Args:
            container: The container; None if it is off the page.
        """
        if self.is_shown:
            super().draw(container)
        else:
            self._place = None if container is None else container.empty()

    def keep(self, box: Box) -> None:
        """Draw a box in it that has been taken off the page, and let go of the earliest.

        Args:
            box: The box.
        """
        if not self.is_shown:
            self._inside = self._frame()
        box.around = self
        self._add(box)
        self.make_room()

    def make_room(self) -> None:
        """Let go of the earliest boxes, if there are very many."""
        while len(self.parts) > _MAX_HISTORY:
            earliest = self.boxes[0]
            self._take(earliest)
            earliest.forget()
