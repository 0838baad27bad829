"""The headers that carry a trace from one process to another, as the LangSmith SDK has them.

``langsmith-trace`` is the parent's dotted order. ``baggage`` (W3C Baggage) has the trace's
metadata, tags and project as members ``langsmith-metadata``, ``langsmith-tags`` and
``langsmith-project``, percent-encoded. What comes from outside is bounded, and what is not in
this form is left out without a word to the caller.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote
from uuid import UUID

__all__ = ["MAX_BAGGAGE", "MAX_DOTTED_ORDER", "Carried", "read_headers", "written_headers"]

logger = logging.getLogger(__name__)

MAX_BAGGAGE = 8192
"""How long a ``baggage`` header may be, in characters (W3C Baggage: what all must take)."""
MAX_DOTTED_ORDER = 8192
"""How long a ``langsmith-trace`` header may be, in characters: over a hundred runs deep."""

_TRACE = "langsmith-trace"
_METADATA, _TAGS, _PROJECT = "langsmith-metadata", "langsmith-tags", "langsmith-project"
_SEGMENT = re.compile(r"\d{8}T\d{6,12}Z([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})")


class Carried(NamedTuple):
    """A parent run as headers tell of it.

    Attributes:
        dotted_order: Its place in its trace.
        ancestry: The ids that this names: the trace first, the run itself last.
        metadata: The trace's metadata.
        tags: The trace's tags.
        project_name: The trace's project, if told.
    """

    dotted_order: str
    ancestry: list[UUID]
    metadata: dict[str, Any]
    tags: list[str]
    project_name: str | None


def written_headers(
    dotted_order: str,
    metadata: Mapping[str, Any],
    tags: Iterable[str],
    project_name: str | None,
) -> dict[str, str]:
    """Return the headers for a run; baggage that would be too long for others is left out.

    Args:
        dotted_order: Its place in its trace.
        metadata: Its metadata.
        tags: Its tags.
        project_name: Its project, if known.
    """
    members = {
        _PROJECT: project_name,
        _TAGS: ",".join(tags),
        _METADATA: json.dumps(dict(metadata), default=str) if metadata else None,
    }
    baggage = ""
    for name, value in members.items():
        longer = f"{baggage},{name}={quote(value)}" if value else baggage
        if len(longer) <= MAX_BAGGAGE:
            baggage = longer
    return {_TRACE: dotted_order, "baggage": baggage.removeprefix(",")}


def read_headers(headers: Mapping[Any, Any]) -> Carried | None:
    """Return the parent run that headers tell of; None if they tell of none.

    Args:
        headers: Names, in any case, and values; either may be bytes.
    """
    found = {
        name: value
        for key, text in headers.items()
        if (name := _text(key).lower()) in (_TRACE, "baggage") and (value := _text(text))
    }
    dotted_order = found.get(_TRACE, "").strip()
    ancestry = _ancestry(dotted_order)
    if not ancestry:
        return None
    metadata, tags, project = _members(found.get("baggage", ""))
    return Carried(dotted_order, ancestry, metadata, tags, project)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def _ancestry(dotted_order: str) -> list[UUID]:
    """Return the ids that a dotted order names; none if it is not one."""
    if not dotted_order or len(dotted_order) > MAX_DOTTED_ORDER:
        return []
    segments = [_SEGMENT.fullmatch(part) for part in dotted_order.split(".")]
    return [UUID(segment[1]) for segment in segments if segment] if all(segments) else []


def _members(baggage: str) -> tuple[dict[str, Any], list[str], str | None]:
    """Return the metadata, tags and project that baggage has; other members are others'."""
    if len(baggage) > MAX_BAGGAGE:
        logger.debug("A baggage header of %d characters is left out.", len(baggage))
        return {}, [], None
    members: dict[str, str] = {}
    for member in baggage.split(","):
        name, _, value = member.partition("=")
        members[name.strip()] = unquote(value.partition(";")[0].strip())
    tags = [tag for tag in members.get(_TAGS, "").split(",") if tag]
    return _metadata(members.get(_METADATA, "")), tags, members.get(_PROJECT) or None


def _metadata(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        logger.debug("Metadata in a baggage header is left out: it is no JSON.")
        return {}
    return told if isinstance(told, dict) else {}
