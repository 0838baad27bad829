"""The schema of the file, and how an older file becomes one of this version.

`runs` has what lists and filters need, and no more, so that a scan reads little. `payloads` has
the big fields, each in a row of its own: an update never writes what it does not change. Their key
is the run's with the part's number in its last three bits (`payload_key`).

`root_marks` finds roots by a tag or by an entry of their metadata, the newest first, and
`trace_marks` finds traces in which any run has one. A mark is a number made from the tag or entry
(`callboard.store.sqlite.marks`); that two have the same is possible, so rows are looked at, too.

A model run that has no model run inside it counts (`counts`): sums over those runs have each token
once, however deep it was used. The index `runs_counting` has all that is summed in it.

`placed` says whether the place of a run was told (0), or follows from its parent's (1). Roots have
`is_root`, which is also what keeps the indexes of roots small.
"""

from __future__ import annotations

from callboard.wire.operations import PARTS

__all__ = ["APPLICATION_ID", "MIGRATIONS", "PART_NUMBERS", "payload_key"]

APPLICATION_ID = 0x43_42_52_44  # CBRD
"""What tells the file from those of other programs."""

PART_NUMBERS = {name: number for number, name in enumerate(PARTS)}
"""The number of each part in the keys of payloads; what a file has in it, so it never changes."""


def payload_key(rid: int, part: str) -> int:
    """Return the key of a part of a run.

    Args:
        rid: The run's key.
        part: One of `callboard.wire.operations.PARTS`.
    """
    return rid << 3 | PART_NUMBERS[part]


_FIRST = """
CREATE TABLE projects (
    pid INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    start_us INTEGER NOT NULL,
    end_us INTEGER,
    description TEXT,
    extra TEXT NOT NULL DEFAULT '{}',
    reference_dataset_id BLOB,
    address TEXT UNIQUE
) STRICT;

CREATE TABLE runs (
    rid INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    weights INTEGER NOT NULL,
    trace_id BLOB,
    parent_id BLOB,
    dotted TEXT,
    placed INTEGER NOT NULL,
    is_root INTEGER NOT NULL,
    project INTEGER,
    name TEXT NOT NULL,
    run_type TEXT NOT NULL,
    start_us INTEGER,
    end_us INTEGER,
    status TEXT NOT NULL,
    error TEXT,
    first_token_us INTEGER,
    counts INTEGER NOT NULL,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    total_tokens INTEGER,
    prompt_cost REAL,
    completion_cost REAL,
    total_cost REAL,
    details TEXT,
    thread TEXT,
    example_id BLOB,
    received_us INTEGER NOT NULL,
    inputs_preview TEXT,
    outputs_preview TEXT,
    tags TEXT,
    metadata TEXT
) STRICT;

CREATE INDEX runs_trace ON runs (trace_id, dotted);
CREATE INDEX runs_parent ON runs (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX runs_waiting ON runs (parent_id) WHERE placed = 1;
CREATE INDEX runs_project ON runs (project, start_us);
CREATE INDEX runs_type ON runs (project, run_type, start_us);
CREATE INDEX runs_root ON runs (project, start_us, end_us, status, name, run_type)
    WHERE is_root = 1;
CREATE INDEX runs_error ON runs (project, start_us, is_root) WHERE status = 'error';
CREATE INDEX runs_thread ON runs (project, thread, start_us)
    WHERE is_root = 1 AND thread IS NOT NULL;
CREATE INDEX runs_example ON runs (example_id, start_us) WHERE example_id IS NOT NULL;
CREATE INDEX runs_models ON runs (trace_id, dotted) WHERE run_type = 'llm';
CREATE INDEX runs_counting ON runs (
    trace_id, dotted, first_token_us,
    prompt_tokens, completion_tokens, total_tokens, prompt_cost, completion_cost, total_cost
) WHERE counts = 1;

CREATE INDEX runs_spending ON runs (
    project, start_us,
    prompt_tokens, completion_tokens, total_tokens, prompt_cost, completion_cost, total_cost
) WHERE counts = 1;

CREATE TABLE payloads (
    key INTEGER PRIMARY KEY,
    coding INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;

CREATE TABLE dictionaries (
    number INTEGER PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;

CREATE TABLE attachments (
    rid INTEGER NOT NULL,
    name TEXT NOT NULL,
    weight INTEGER NOT NULL,
    mime_type TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (rid, name)
) STRICT;

CREATE TABLE root_marks (
    project INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    start_us INTEGER NOT NULL,
    rid INTEGER NOT NULL,
    PRIMARY KEY (project, mark, start_us, rid)
) STRICT, WITHOUT ROWID;

CREATE TABLE trace_marks (
    mark INTEGER NOT NULL,
    trace_id BLOB NOT NULL,
    PRIMARY KEY (mark, trace_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE feedback (
    id BLOB PRIMARY KEY,
    key TEXT NOT NULL,
    run_id BLOB,
    trace_id BLOB,
    project_id BLOB,
    score REAL,
    score_kind INTEGER NOT NULL,
    value TEXT,
    value_text TEXT,
    comment TEXT,
    correction TEXT,
    source TEXT NOT NULL,
    source_type TEXT,
    extra TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    modified_us INTEGER NOT NULL
) STRICT;

CREATE INDEX feedback_run ON feedback (run_id);
CREATE INDEX feedback_project ON feedback (project_id) WHERE project_id IS NOT NULL;
CREATE INDEX feedback_newest ON feedback (created_us);

CREATE TABLE shares (
    token BLOB PRIMARY KEY,
    run_id BLOB NOT NULL UNIQUE,
    trace_id BLOB NOT NULL
) STRICT;

CREATE TABLE settings (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
"""

MIGRATIONS = (_FIRST,)
"""What makes a file of each version from one of the version before; the first from nothing.

A row that has been released is never changed: files made with it are out there."""
