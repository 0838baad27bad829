"""What handlers hear and tracers record, as text that is the same from every run of a program.

Programs import this after they have put Callboard in LangChain's place, or not. Ids and times are
left out, and what runs side by side is sorted.
"""

import re
from collections.abc import AsyncIterator, Iterable
from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b")
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+]+|0x[0-9a-f]+")

# Versions; and what LangGraph's handler adds, which with the original other handlers see, too.
UNTOLD = ("lc_versions", "tags")


def plain(value: Any) -> str:
    """Return a value as text, without its ids and times."""
    return TIME.sub("...", ID.sub("...", repr(value)))


class Heard:
    """Keeps each event with its name, tags and metadata, and where in the tree it was."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.paths: dict[Any, str] = {None: ""}

    def hear(self, event: str, kwargs: dict[str, Any], what: Any) -> None:
        run_id, parent = kwargs.get("run_id"), kwargs.get("parent_run_id")
        if event.endswith("_start"):
            self.paths[run_id] = f"{self.paths.get(parent, '?')}/{kwargs.get('name')}"
        metadata = kwargs.get("metadata") or {}
        told = {k: metadata[k] for k in sorted(metadata) if k not in UNTOLD}
        shown = plain(what) if event.endswith(("_error", "_token", "_event")) else ""
        where = self.paths.get(run_id, "?")
        tags = sorted(kwargs.get("tags") or [])
        self.lines.append(f"{where} {event} {tags} {plain(told)} {shown}")


class Inline(Heard, BaseCallbackHandler):
    run_inline = True


class InTasks(Heard, AsyncCallbackHandler):
    pass


def hears(event: str) -> Any:
    def hear(self: Any, *args: Any, **kwargs: Any) -> None:
        self.hear(event, kwargs, args[0] if args else None)

    async def ahear(self: Any, *args: Any, **kwargs: Any) -> None:
        self.hear(event, kwargs, args[0] if args else None)

    return hear, ahear


for each in [name for name in dir(BaseCallbackHandler) if name.startswith("on_")]:
    if each != "on_chat_model_start":
        sync, coroutine = hears(each)
        setattr(Inline, each, sync)
        setattr(InTasks, each, coroutine)


def tree(run: Any, depth: int = 0) -> str:
    """Return a traced run and those inside it, siblings sorted."""
    told = (
        sorted(run.tags),
        "over" if run.end_time else "pending",
        (run.error or "").partition("\n")[0].partition("Traceback")[0],
        [event["name"] for event in run.events],
        sorted(run.inputs.items()),
        sorted((run.outputs or {}).items()),
    )
    line = f"{'  ' * depth}{run.run_type} {run.name} {plain(told)}"
    below = sorted(tree(child, depth + 1) for child in run.child_runs)
    return "\n".join([line, *below])


def show(title: str, lines: Iterable[str]) -> None:
    """Print lines that have come in no order of their own."""
    print(f"== {title}", *sorted(lines), sep="\n")


def report(title: str, heard: Heard, collected: RunCollectorCallbackHandler) -> None:
    show(f"{title}: heard", heard.lines)
    print(f"== {title}: traced", *sorted(tree(run) for run in collected.traced_runs), sep="\n")


async def listed(stream: AsyncIterator[Any]) -> list[Any]:
    return [each async for each in stream]


def event_line(event: Any) -> str:
    """Return an event as text; which chunks are its data depends on who was quicker."""
    told = {k: v for k, v in event["metadata"].items() if k not in UNTOLD}
    # A custom event's data is the program's own.
    keys = sorted(event["data"]) if event["event"] != "on_custom_event" else event["data"]
    depth = len(event["parent_ids"])
    return plain((event["event"], event["name"], sorted(event["tags"]), told, keys, depth))
