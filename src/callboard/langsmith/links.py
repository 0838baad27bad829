"""Links: where a trace is to be seen."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

__all__ = ["run_url"]

_SECONDS = 5.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def run_url(endpoint: str, api_key: str | None, project: str, run_id: UUID) -> str:
    """Return the address of a run: of its page, if there is one.

    A server is asked for the ids that its pages have in their addresses. If it can't be asked, or
    does not know the project, the address has the project's name. A file has no pages: then it is
    the file's address, and the run's id.

    Args:
        endpoint: Where the run was sent to.
        api_key: The key for that, if there is one.
        project: The name of its project.
        run_id: The run.
    """
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"}:
        return f"{endpoint}#{run_id}"
    api = endpoint.rstrip("/")
    site = api.removesuffix("/v1").removesuffix("/api")
    # LangSmith's pages are not where its API is.
    site = site.replace("api.smith.langchain.com", "smith.langchain.com")
    known = _project(api, api_key, project) if api_key or parts.hostname in _LOOPBACK else None
    if known is None:
        return f"{site}/projects/{quote(project, safe='')}/r/{run_id}"
    # LangSmith protocol: UI URLs.
    return f"{site}/o/{known['tenant_id']}/projects/p/{known['id']}/r/{run_id}"


def _project(api: str, api_key: str | None, name: str) -> dict[str, Any] | None:
    """Return what a server says of a project; None if it says nothing."""
    # Here, as few ask for a link, and it loads all that the standard library has for the web.
    from urllib.request import ProxyHandler, Request, build_opener  # noqa: PLC0415

    headers = {"Accept": "application/json", **({"x-api-key": api_key} if api_key else {})}
    url = f"{api}/sessions?limit=1&name={quote(name, safe='')}"
    request = Request(url, headers=headers)  # noqa: S310 - it is http or https
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=_SECONDS) as answer:
            (found,) = json.load(answer)
        return found if {"id", "tenant_id"} <= found.keys() else None
    except Exception:  # noqa: BLE001 - whatever it is, there is another address
        return None
