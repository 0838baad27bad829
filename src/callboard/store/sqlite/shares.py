"""Shares: which runs may be read by a token."""

from __future__ import annotations

from uuid import UUID, uuid4

import apsw

from callboard.store.records import Share

__all__ = ["find_share", "share_run", "unshare_run"]


def share_run(db: apsw.Connection, run_id: UUID, trace_id: UUID) -> Share:
    """Let a run be read by a token; the same token if it is shared already."""
    share = find_share(db, None, run_id)
    if share is None:
        # A random one, unlike other ids: whoever guesses it may read the run.
        share = Share(uuid4(), run_id, trace_id)
        values = (share.token.bytes, run_id.bytes, trace_id.bytes)
        db.execute("INSERT INTO shares VALUES (?, ?, ?)", values)
    return share


def find_share(db: apsw.Connection, token: UUID | None, run_id: UUID | None) -> Share | None:
    """Return the share of a token, or of a run; of both, if both are given."""
    row = db.execute(
        "SELECT token, run_id, trace_id FROM shares "
        "WHERE ifnull(token = ?1, ?2 IS NOT NULL) AND ifnull(run_id = ?2, ?1 IS NOT NULL)",
        (None if token is None else token.bytes, None if run_id is None else run_id.bytes),
    ).fetchone()
    return None if row is None else Share(*(UUID(bytes=each) for each in row))


def unshare_run(db: apsw.Connection, run_id: UUID) -> bool:
    """End the sharing of a run; False if it is not shared."""
    db.execute("DELETE FROM shares WHERE run_id = ?", (run_id.bytes,))
    return db.changes() > 0
