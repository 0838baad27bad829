"""Writing: operations into rows, all of one write in one transaction."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import apsw

from callboard.clock import now_us
from callboard.prices import PriceList
from callboard.store.merging import Draft, drafts, outweighs
from callboard.store.records import Rejection
from callboard.store.sqlite.codec import FIRST_DICTIONARY, Packer, Reader, Trainer
from callboard.store.sqlite.counting import count_models
from callboard.store.sqlite.marks import marks_of
from callboard.store.sqlite.placing import place_all
from callboard.store.sqlite.projects import ProjectKeys
from callboard.store.sqlite.rows import COLUMNS, Row, Sources
from callboard.store.sqlite.schema import payload_key
from callboard.wire.operations import Operation

__all__ = ["RunWriter"]

MANY_RUNS = 50_000
"""From how many on a second dictionary is worth while: the first runs may be unlike the others."""

MAX_BYTES = 512 * 1024 * 1024
"""How many bytes a part or a file may have: half of what SQLite takes."""

# Names of columns, from the table of them: nothing that comes from outside.
_KNOWN = f"SELECT {', '.join(COLUMNS)} FROM runs WHERE id IN carray(?)"  # noqa: S608
_INSERT = f"INSERT INTO runs VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
_PAYLOAD = "INSERT OR REPLACE INTO payloads VALUES (?, ?, ?)"
_TRACE_MARK = "INSERT OR IGNORE INTO trace_marks VALUES (?, ?)"
_ROOT_MARK = "INSERT OR IGNORE INTO root_marks VALUES (?, ?, ?, ?)"
_NO_ROOT_MARK = "DELETE FROM root_marks WHERE project = ? AND mark = ? AND start_us = ? AND rid = ?"
_ATTACHED = "SELECT weight FROM attachments WHERE rid = ? AND name = ?"
_ATTACH = "INSERT OR REPLACE INTO attachments VALUES (?, ?, ?, ?, ?)"
_MARKED_BY = ("metadata", "tags", "project", "start_us", "trace_id", "is_root")


class RunWriter:
    """Writes what is told of runs. It remembers a little of what it wrote, to write less."""

    def __init__(self, db: apsw.Connection, prices: PriceList) -> None:
        self._db = db
        self._payloads = Reader(db)
        self._packer = Packer()
        self._trainer = Trainer()
        self._marks = _RecentMarks()
        self._projects = ProjectKeys(db)
        self._sources = Sources(self._projects.resolve, self._read_payload, prices)
        self._state: int | None = None

    def write(self, operations: Iterable[Operation]) -> list[Rejection]:
        """Take operations. The connection is in a transaction, which may still be rolled back.

        Returns:
            Those that were not taken.
        """
        self._notice_others()
        fitting: list[Operation] = []
        rejections: list[Rejection] = []
        for operation in operations:
            reason = _too_big(operation)
            if reason is None:
                fitting.append(operation)
            else:
                rejections.append(Rejection(operation.run_id, reason))
        self._take({draft.run_id.bytes: draft for draft in drafts(fitting)})
        return rejections

    def _take(self, told: Mapping[bytes, Draft]) -> None:
        rows = self._rows_of(told)
        for run_id, draft in told.items():
            rows[run_id].tell(draft, self._sources)
        place_all(self._db, rows)
        self._write_rows(rows.values())
        self._write_payloads(rows.values())
        self._write_marks(rows.values())
        count_models(self._db, rows.values())
        self._write_attachments(told, rows)
        self._projects.note_starts(
            (row.values["project"], row.values["start_us"]) for row in rows.values()
        )

    def forget(self) -> None:
        """Forget what it remembers: a write was rolled back, or something was deleted."""
        self._state = None

    def train(self) -> None:
        """Keep a new dictionary, if one is ready. The connection is in a transaction."""
        dictionary = self._trainer.take()
        if dictionary is not None:
            number = self._db.execute(
                "INSERT INTO dictionaries (number, data) VALUES "
                "((SELECT ifnull(max(number) + 1, ?) FROM dictionaries), ?) RETURNING number",
                (FIRST_DICTIONARY, dictionary),
            ).get
            self._packer.use(number, dictionary)

    def close(self) -> None:
        """Wait until nothing goes on beside it."""
        self._trainer.close()

    def _notice_others(self) -> None:
        """Read anew what another process may have changed since."""
        state = self._db.pragma("data_version")
        if state != self._state:
            self._state = state
            self._marks.clear()
            self._projects.clear()
            self._use_newest_dictionary()

    def _use_newest_dictionary(self) -> None:
        newest = self._db.execute(
            "SELECT number, data FROM dictionaries ORDER BY number DESC LIMIT 1"
        ).fetchone()
        if newest is None:
            self._packer = Packer()
            return
        self._packer.use(*newest)
        runs = self._db.execute("SELECT ifnull(max(rid), 0) FROM runs").get
        if newest[0] > FIRST_DICTIONARY or runs < MANY_RUNS:
            self._trainer.stop()

    def _read_payload(self, rid: int, part: str) -> bytes | None:
        return self._payloads.read(payload_key(rid, part))

    def _rows_of(self, told: Mapping[bytes, Draft]) -> dict[bytes, Row]:
        """Return the rows of the runs that something is told of, new ones too, by id."""
        rows: dict[bytes, Row] = {}
        if told:
            for values in self._db.execute(_KNOWN, (apsw.carray(tuple(told)),)):
                row = Row.known(values)
                rows[row.values["id"]] = row
        if len(rows) < len(told):
            received_us = now_us()
            rid: int = self._db.execute("SELECT ifnull(max(rid), 0) FROM runs").get
            for run_id in told:
                if run_id not in rows:
                    rid += 1
                    rows[run_id] = Row.new(rid, run_id, received_us)
        return rows

    def _write_rows(self, rows: Iterable[Row]) -> None:
        new: list[tuple[Any, ...]] = []
        changed: defaultdict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
        for row in rows:
            if row.before is None:
                new.append(tuple(row.values.values()))
            elif changes := row.changes():
                changed[tuple(changes)].append((*changes.values(), row.values["rid"]))
        self._db.executemany(_INSERT, new)
        for columns, values in changed.items():
            self._db.executemany(_update(columns), values)

    def _write_payloads(self, rows: Iterable[Row]) -> None:
        packed: list[tuple[int, int, bytes]] = []
        for row in rows:
            rid = row.values["rid"]
            for name, data in row.payloads.items():
                self._trainer.see(data)
                packed.append((payload_key(rid, name), *self._packer.pack(data)))
        self._db.executemany(_PAYLOAD, packed)

    def _write_marks(self, rows: Iterable[Row]) -> None:
        of_traces: list[tuple[int, bytes]] = []
        of_roots: list[tuple[int, int, int, int]] = []
        gone: list[tuple[int, int, int, int]] = []
        for row in rows:
            values = row.values
            if row.before is not None and not any(
                values[name] != row.before[name] for name in _MARKED_BY
            ):
                continue
            marks = marks_of(values["tags"], values["metadata"])
            trace_id = values["trace_id"]
            of_traces.extend((mark, trace_id) for mark in self._marks.unseen(trace_id, marks))
            now, before = _root_marks(values), _root_marks(row.before)
            of_roots.extend(now - before)
            gone.extend(before - now)
        self._db.executemany(_TRACE_MARK, of_traces)
        self._db.executemany(_NO_ROOT_MARK, gone)
        self._db.executemany(_ROOT_MARK, of_roots)

    def _write_attachments(self, told: Mapping[bytes, Draft], rows: dict[bytes, Row]) -> None:
        for run_id, draft in told.items():
            rid = rows[run_id].values["rid"]
            for name, (weight, attachment) in draft.attachments.items():
                known = self._db.execute(_ATTACHED, (rid, name)).fetchone()
                if outweighs(weight, 0 if known is None else known[0]):
                    self._db.execute(
                        _ATTACH, (rid, name, weight, attachment.mime_type, attachment.data)
                    )


def _too_big(operation: Operation) -> str | None:
    """Return why an operation can't be taken, if it can't: a row has room for no more."""
    for name, part in operation.parts.items():
        if part is not None and len(part) > MAX_BYTES:
            return f"{name} has {len(part)} bytes; a store takes {MAX_BYTES} of a field."
    for name, attachment in operation.attachments.items():
        if len(attachment.data) > MAX_BYTES:
            return f"The file {name} has more than the {MAX_BYTES} bytes that a store takes of one."
    return None


@cache
def _update(columns: tuple[str, ...]) -> str:
    settings = ", ".join(f"{name} = ?" for name in columns)
    return f"UPDATE runs SET {settings} WHERE rid = ?"  # noqa: S608 - names of columns


_NO_MARKS: frozenset[tuple[int, int, int, int]] = frozenset()


def _root_marks(values: dict[str, Any] | None) -> frozenset[tuple[int, int, int, int]]:
    """Return the rows of the table of marks that belong to a run's row."""
    if values is None or not values["is_root"]:
        return _NO_MARKS
    project, start_us, rid = values["project"], values["start_us"], values["rid"]
    if project is None or start_us is None:
        return _NO_MARKS
    marks = marks_of(values["tags"], values["metadata"])
    return frozenset((project, mark, start_us, rid) for mark in marks)


class _RecentMarks:
    """Which marks the traces written last have already: most runs have those of their siblings."""

    _MAX_TRACES = 4096

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, set[int]] = OrderedDict()

    def unseen(self, trace_id: bytes, marks: frozenset[int]) -> Iterable[int]:
        """Return those marks that a trace did not have, and note that it has them."""
        seen = self._seen.get(trace_id)
        if seen is None:
            self._seen[trace_id] = set(marks)
            if len(self._seen) > self._MAX_TRACES:
                self._seen.popitem(last=False)
            return marks
        unseen = marks - seen
        seen |= unseen
        return unseen

    def clear(self) -> None:
        """Forget all of it."""
        self._seen.clear()
