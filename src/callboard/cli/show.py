"""``callboard show``: a trace's tree, in the terminal."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from callboard.errors import BadOptionError, MissingExtraError

if TYPE_CHECKING:
    from callboard.store.base import Store
    from callboard.store.records import Outline

__all__ = ["add_to", "tree"]

_MOST_RUNS = 10_000
# What would move the cursor, or colour the terminal: names are what somebody sent.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def add_to(commands: Any) -> None:
    """Add the command to a parser's."""
    parser = commands.add_parser(
        "show",
        help="print a trace",
        description="Print a trace's tree: what ran, how long it took, what it used.",
    )
    parser.add_argument("trace", nargs="?", help="id of the trace, or of a run in it; the latest")
    parser.add_argument("--db", type=Path, help="file to read (CALLBOARD_DB, as callboard serve)")
    parser.set_defaults(run=_run)


def _run(told: argparse.Namespace) -> int:
    try:
        from callboard.store.database import default_database
        from callboard.store.sqlite import SqliteStore
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"Reading traces needs the package {error.name}: pip install 'callboard[server]'."
        ) from None
    database = told.db or default_database()
    if not database.exists():
        raise BadOptionError(f"There is no file {database}; name another with --db.")
    store = SqliteStore.open(database)
    try:
        outlines = store.read_outline(_trace_id(store, told.trace), limit=_MOST_RUNS + 1)
    finally:
        store.close()
    for line in tree(outlines[:_MOST_RUNS]):
        print(_printable(line))
    if len(outlines) > _MOST_RUNS:
        print(f"These are the first {_MOST_RUNS} of its runs; there are more.", file=sys.stderr)
    return 0


def _printable(line: str) -> str:
    """Return a line with what the terminal has no characters for escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    return line.encode(encoding, "backslashreplace").decode(encoding)


def _trace_id(store: Store, told: str | None) -> UUID:
    from callboard.store.records import RunQuery

    if told is None:
        latest = store.find_runs(RunQuery(is_root=True, limit=1)).items
        if not latest:
            raise BadOptionError("There are no traces in it yet.")
        return latest[0].trace_id
    try:
        run = store.read_run(UUID(told))
    except ValueError:
        raise BadOptionError(f"A trace is named by a UUID, got {told!r}.") from None
    if run is None:
        raise BadOptionError(f"There is no trace {told}, and no run of that id.")
    return run.trace_id


def tree(outlines: Sequence[Outline]) -> Iterator[str]:
    """Yield a trace as lines, each run under the one that it is part of.

    Args:
        outlines: The runs of the trace, in the order of its tree.
    """
    depths: dict[UUID, int] = {}
    for run in outlines:
        above = -1 if run.parent_run_id is None else depths.get(run.parent_run_id, -1)
        depths[run.id] = above + 1
        yield "  " * (above + 1) + _line(run)


def _line(run: Outline) -> str:
    told = [f"{_plain(run.name)} ({run.run_type})"]
    told.append("running" if run.latency is None else f"{run.latency:.2f} s")
    if run.first_token_us is not None and run.start_us is not None:
        told.append(f"first token {(run.first_token_us - run.start_us) / 1e6:.2f} s")
    if run.tokens is not None and run.tokens.total is not None:
        told.append(f"{run.tokens.total} tokens")
    if run.cost is not None and run.cost.total is not None:
        told.append(f"${run.cost.total:.6f}")
    if run.status == "error":
        told.append(f"error: {_plain(_message(run.error_preview or ''))}")
    return ", ".join(told)


def _message(error: str) -> str:
    """Return an error without its traceback, which clients put behind it, or its first line."""
    message = error.partition("Traceback (most recent call last):")[0].strip() or error
    return message.partition("\n")[0]


def _plain(text: str) -> str:
    return _UNPRINTABLE.sub("�", text)
