"""Settings: JSON values under names, for other rooms."""

from __future__ import annotations

from typing import Any

import apsw

from callboard.store.sqlite.values import json_of, json_text

__all__ = ["list_settings", "read_setting", "write_setting"]


def read_setting(db: apsw.Connection, kind: str, name: str) -> Any | None:
    """Return the value of a name; None if there is none."""
    row = db.execute(
        "SELECT value FROM settings WHERE kind = ? AND name = ?", (kind, name)
    ).fetchone()
    return None if row is None else json_of(row[0])


def write_setting(db: apsw.Connection, kind: str, name: str, value: Any | None) -> None:
    """Put a value under a name; None takes it away."""
    if value is None:
        db.execute("DELETE FROM settings WHERE kind = ? AND name = ?", (kind, name))
    else:
        db.execute(
            "INSERT OR REPLACE INTO settings VALUES (?, ?, ?)", (kind, name, json_text(value))
        )


def list_settings(db: apsw.Connection, kind: str) -> dict[str, Any]:
    """Return all values of a kind, by name."""
    rows = db.execute("SELECT name, value FROM settings WHERE kind = ? ORDER BY name", (kind,))
    return {name: json_of(value) for name, value in rows}
