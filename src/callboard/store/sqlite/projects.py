"""Projects: their keys in the file, and their records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import apsw

from callboard import ids
from callboard.clock import now_us
from callboard.errors import NameTakenError
from callboard.query.entries import entries_of
from callboard.store.records import Project, ProjectQuery
from callboard.store.sqlite.deleting import delete_runs
from callboard.store.sqlite.values import id_or_none, json_of, json_text, only_known, sql_id

__all__ = [
    "DEFAULT_PROJECT",
    "ProjectKeys",
    "create_project",
    "delete_project",
    "find_projects",
    "keys_of",
    "update_project",
]

DEFAULT_PROJECT = "default"
"""Where runs are whose client names no project."""

_COLUMNS = "id, name, start_us, end_us, description, extra, reference_dataset_id, address"
_SELECT = f"SELECT {_COLUMNS} FROM projects"  # noqa: S608 - a constant
_INSERT = f"INSERT INTO projects ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608


class ProjectKeys:
    """The keys of projects, for the writer: found by what operations call them, made if new."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._keys: dict[tuple[str, str], int] = {}
        self._starts: dict[int, int] = {}

    def resolve(self, named: Mapping[str, str]) -> int:
        """Return the key of a project.

        Args:
            named: Any of ``session_id``, ``session_name`` and ``address``, of which the first
                counts most; with none of them it is the default project.
        """
        if session_id := named.get("session_id"):
            return self._key("id", session_id, named.get("session_name"))
        if name := named.get("session_name"):
            return self._key("name", name, name)
        if address := named.get("address"):
            return self._key("address", address, address)
        return self._key("name", DEFAULT_PROJECT, DEFAULT_PROJECT)

    def note_starts(self, starts: Iterable[tuple[int | None, int | None]]) -> None:
        """See to it that projects start no later than their runs.

        Args:
            starts: Of runs: the project's key, and the start.
        """
        for key, start_us in starts:
            if key is not None and start_us is not None and start_us < self._start(key):
                self._starts[key] = start_us
                self._db.execute("UPDATE projects SET start_us = ? WHERE pid = ?", (start_us, key))

    def clear(self) -> None:
        """Forget what it remembers."""
        self._keys.clear()
        self._starts.clear()

    def _start(self, key: int) -> int:
        start = self._starts.get(key)
        if start is None:
            found = self._db.execute("SELECT start_us FROM projects WHERE pid = ?", (key,)).get
            start = self._starts[key] = found
        return start

    def _key(self, column: str, named: str, name: str | None) -> int:
        asked = column, named
        if asked not in self._keys:
            if len(self._keys) > 10_000:
                self._keys.clear()
            self._keys[asked] = self._found(column, named) or self._made(column, named, name)
        return self._keys[asked]

    def _found(self, column: str, named: str) -> int | None:
        value = UUID(named).bytes if column == "id" else named
        # The column is one of three.
        sql = f"SELECT pid FROM projects WHERE {column} = ?"  # noqa: S608
        row = self._db.execute(sql, (value,)).fetchone()
        return None if row is None else row[0]

    def _made(self, column: str, named: str, name: str | None) -> int:
        project_id = UUID(named) if column == "id" else ids.new_id()
        # An id that nobody made a project for: under its name if that is free, else as what it is.
        if name is None or self._found("name", name) is not None:
            name = named if self._found("name", named) is None else str(project_id)
        address = named if column == "address" else None
        self._db.execute(_INSERT, _values(Project(project_id, name, now_us(), address=address)))
        return self._db.last_insert_rowid()


def create_project(db: apsw.Connection, project: Project) -> Project | None:
    """Make a project; None if there is another of its name or its id."""
    taken = db.execute(
        "SELECT 1 FROM projects WHERE id = ? OR name = ? OR address = ?",
        (project.id.bytes, project.name, project.address),
    ).fetchone()
    if taken is not None:
        return None
    db.execute(_INSERT, _values(project))
    return project


_CHANGES = {
    "name": "name",
    "start_us": "start_us",
    "end_us": "end_us",
    "description": "description",
    "extra": "extra",
    "reference_dataset_id": "reference_dataset_id",
    "address": "address",
}


def update_project(
    db: apsw.Connection, project_id: UUID, changes: Mapping[str, Any]
) -> Project | None:
    """Change fields of a project; None if there is none.

    Raises:
        NameTakenError: Another project has the name.
    """
    only_known("project", changes, _CHANGES)
    found = db.execute(f"{_SELECT} WHERE id = ?", (project_id.bytes,)).fetchone()
    if found is None:
        return None
    project = _record(found)
    for name, value in changes.items():
        setattr(project, name, value)
    other = db.execute(
        "SELECT name FROM projects WHERE name = ? AND id != ?", (project.name, project_id.bytes)
    ).fetchone()
    if other is not None:
        raise NameTakenError(f"There is another project named {project.name!r}.")
    db.execute(
        f"UPDATE projects SET ({_COLUMNS}) = (?, ?, ?, ?, ?, ?, ?, ?) WHERE id = ?",  # noqa: S608
        (*_values(project), project_id.bytes),
    )
    return project


def delete_project(db: apsw.Connection, project_id: UUID) -> bool:
    """Delete a project, with its runs and all that belongs to them."""
    row = db.execute("SELECT pid FROM projects WHERE id = ?", (project_id.bytes,)).fetchone()
    if row is None:
        return False
    delete_runs(db, "project = ?", row)
    db.execute("DELETE FROM feedback WHERE project_id = ?", (project_id.bytes,))
    db.execute("DELETE FROM projects WHERE pid = ?", row)
    return True


def find_projects(db: apsw.Connection, query: ProjectQuery) -> list[Project]:
    """Return projects, the one with the latest start first."""
    conditions, bindings = _conditions(query)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    sql = f"{_SELECT}{where} ORDER BY start_us DESC, id DESC LIMIT ? OFFSET ?"
    limits = (query.limit, query.offset)
    if not query.metadata:
        return [_record(row) for row in db.execute(sql, (*bindings, *limits))]
    wanted = set(entries_of(query.metadata))
    all_of_them = map(_record, db.execute(sql, (*bindings, -1, 0)))
    fitting = [each for each in all_of_them if wanted <= set(entries_of(_metadata(each)))]
    return fitting[query.offset : query.offset + query.limit]


def keys_of(db: apsw.Connection, project_ids: Iterable[UUID]) -> dict[int, UUID]:
    """Return projects by their keys: those of some ids, or all if there are none.

    Args:
        db: The store.
        project_ids: Which.
    """
    wanted = tuple(each.bytes for each in project_ids)
    if not wanted:
        rows = db.execute("SELECT pid, id FROM projects")
    else:
        rows = db.execute(
            "SELECT pid, id FROM projects WHERE id IN carray(?)", (apsw.carray(wanted),)
        )
    return {key: UUID(bytes=project_id) for key, project_id in rows}


def _conditions(query: ProjectQuery) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    bindings: list[Any] = []
    for column, some in (("id", query.ids), ("reference_dataset_id", query.reference_dataset_ids)):
        if some:
            conditions.append(f"{column} IN carray(?)")
            bindings.append(apsw.carray(tuple(each.bytes for each in some)))
    if query.name is not None:
        conditions.append("name = ?")
        bindings.append(query.name)
    if query.name_contains is not None:
        conditions.append("instr(lower(name), lower(?))")
        bindings.append(query.name_contains)
    if query.reference_free is not None:
        conditions.append("(reference_dataset_id IS NULL) = ?")
        bindings.append(int(query.reference_free))
    return conditions, bindings


def _metadata(project: Project) -> Any:
    return project.extra.get("metadata")


def _values(project: Project) -> tuple[Any, ...]:
    return (
        project.id.bytes,
        project.name,
        project.start_us,
        project.end_us,
        project.description,
        json_text(project.extra),
        sql_id(project.reference_dataset_id),
        project.address,
    )


def _record(row: tuple[Any, ...]) -> Project:
    project_id, name, start_us, end_us, description, extra, dataset_id, address = row
    return Project(
        UUID(bytes=project_id),
        name,
        start_us,
        end_us,
        description,
        json_of(extra),
        id_or_none(dataset_id),
        address,
    )
