"""Links: where a run can be looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from callboard.errors import BadOptionError
from callboard.export.notices import Notices
from callboard.integrations.alerts.alert import Example

__all__ = ["Link", "check_link", "link_to"]

Link: TypeAlias = str | Callable[[Example], str | None]
"""A URL with ``{run_id}`` or ``{trace_id}`` in it, or what makes one of an example."""


def check_link(link: Link) -> None:
    """Refuse a link that would never be one.

    Args:
        link: The link.

    Raises:
        BadOptionError: It has other places than those, or is neither text nor function.
    """
    if not isinstance(link, str):
        if not callable(link):
            raise BadOptionError(f"link is {link!r}; it takes a text or a function.")
        return
    try:
        link.format(run_id="", trace_id="")
    except (LookupError, ValueError, AttributeError):
        raise BadOptionError(
            f"link is {link!r}; of places, it takes {{run_id}} and {{trace_id}} alone."
        ) from None


def link_to(link: Link, example: Example, notices: Notices) -> str | None:
    """Return where a run can be looked at; None if nobody can tell.

    Args:
        link: How to make it.
        example: The run.
        notices: Tells, once, that it can't be made.
    """
    try:
        if isinstance(link, str):
            return link.format(run_id=example.id, trace_id=example.trace_id or example.id)
        return link(example)
    except Exception as error:  # noqa: BLE001 - an alert without a link is better than none
        notices.once("link", "Alerts have no link, for making it raised %r.", error)
        return None
