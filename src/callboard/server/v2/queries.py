"""What all queries of the second API have in common: their arguments, and the form of a page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from callboard.clock import now_us
from callboard.server.answers import answer
from callboard.server.arguments import Arguments
from callboard.server.columns import moment_shown
from callboard.server.faults import Invalid, NotThereYet
from callboard.store.records import Page, RunQuery

__all__ = ["page_answer", "query_of"]

MAX_PAGE = 1_000
_DAY_US = timedelta(days=1) // timedelta(microseconds=1)


def query_of(arguments: Arguments, *, page_size: int = 100, **fields: Any) -> RunQuery:
    """Return the query that a body of the second API describes.

    Args:
        arguments: The body.
        page_size: How many a page has if it does not say.
        **fields: Fields of the query that hold whatever it says.

    Raises:
        Invalid: An argument has a value that it does not take.
        NotThereYet: It asks for a search by meaning.
        FilterError: A filter is not in the form of one.
    """
    for name in ("ai_search", "sem_filter"):
        if arguments.text(name):
            raise NotThereYet(f"{name} (search by meaning)")
    run_type = arguments.text("run_type")
    since_us = arguments.moment("min_start_time")
    told: dict[str, Any] = {
        "ids": arguments.ids("ids"),
        "trace_id": arguments.id("trace_id"),
        "run_type": None if run_type is None else run_type.lower(),
        "is_root": arguments.flag("is_root"),
        "has_error": arguments.flag("has_error"),
        # The protocol's default: a day.
        "since_us": now_us() - _DAY_US if since_us is None else since_us,
        "until_us": arguments.moment("max_start_time"),
        "reference_example_ids": arguments.ids("reference_examples"),
        "filter": arguments.filter("filter"),
        "trace_filter": arguments.filter("trace_filter"),
        "tree_filter": arguments.filter("tree_filter"),
        "limit": _page_size(arguments, page_size),
        "cursor": arguments.text("cursor"),
    }
    return RunQuery(**(told | fields))


def _page_size(arguments: Arguments, usual: int) -> int:
    size = arguments.count("page_size", usual)
    if not 1 <= size <= MAX_PAGE:
        raise Invalid(f"page_size is {size}; it takes 1 to {MAX_PAGE}.")
    return size


def page_answer(request: Request, page: Page[Any], show: Callable[[Any], Any]) -> Response:
    """Return a page as the client wants it: JSON, or a stream of server-sent events.

    Args:
        request: Whose answer it is.
        page: The page.
        show: Returns an item of it as JSON has it.
    """
    content: dict[str, Any] = {
        "items": [show(item) for item in page.items],
        "next_cursor": page.next,
    }
    if page.stopped_at_us is not None:
        content["search_stopped_at"] = moment_shown(page.stopped_at_us)
    if "text/event-stream" not in request.headers.get("accept", ""):
        return answer(content)
    return Response(_as_stream(content), media_type="text/event-stream")


def _as_stream(content: dict[str, Any]) -> bytes:
    """Return a page as the JSON patches that build it (LangSmith protocol: v2 streaming)."""
    empty = {"op": "add", "path": "", "value": {**content, "items": []}}
    items = [{"op": "add", "path": "/items/-", "value": item} for item in content["items"]]
    return b"event: data\ndata: %s\n\nevent: end\ndata: {}\n\n" % orjson.dumps([empty, *items])
