"""Traces go into a file with no server: a tracer, an exporter, and the store as its sink."""

import logging
import os
from datetime import UTC, datetime
from functools import partial

import pytest

from callboard import ids
from callboard.errors import SinkUnavailableError
from callboard.export import Exporter
from callboard.store.local import StoreSink
from callboard.store.records import PAYLOADS, RunQuery
from callboard.store.sqlite import SqliteStore
from callboard.wire.operations import Attachment, Operation


@pytest.fixture
def path(tmp_path):
    return tmp_path / "traces.db"


@pytest.fixture
def sink(path):
    made = StoreSink(partial(SqliteStore.open, path))
    yield made
    made.close()


def operation(kind="create", run_id=None, **head):
    run_id = run_id or ids.new_id()
    started = datetime(2026, 11, 21, tzinfo=UTC)
    usual = {"name": "a run", "run_type": "llm", "start_time": started, "parent_run_id": None}
    parts = {"inputs": {"when": started, "n": {1, 2}}, "outputs": None}
    files = {"photo": Attachment("image/png", b"\x89")}
    return Operation(kind, run_id, usual | head, parts, files)


def found(path):
    store = SqliteStore.open(path)
    items = store.find_runs(RunQuery(fields=frozenset({*PAYLOADS, "attachments"}))).items
    store.close()
    return items


def test_what_a_tracer_tells_is_in_the_file(sink, path):
    exporter = Exporter(sink)
    told = operation(tags=["a"])
    exporter.submit(told)
    assert exporter.flush(10)
    assert exporter.shutdown(10)
    [run] = found(path)
    assert (run.id, run.name, run.tags, run.run_type) == (told.run_id, "a run", ["a"], "llm")
    assert run.payloads == {"inputs": b'{"when":"2026-11-21T00:00:00+00:00","n":[1,2]}'}
    assert run.attachments == {"photo": "image/png"}


def test_what_no_store_takes_is_said_and_the_rest_is_kept(sink, path, caplog):
    with caplog.at_level(logging.WARNING, "callboard.store.local"):
        sink.send([operation(run_type="agent"), operation()])
    assert "run_type" in caplog.text
    assert len(found(path)) == 1


def test_a_store_that_can_not_be_written_is_tried_again(tmp_path):
    folder = tmp_path / "later"
    sink = StoreSink(partial(SqliteStore.open, folder / "traces.db"))
    with pytest.raises(SinkUnavailableError, match="can't be read or written"):
        sink.send([operation()])
    folder.mkdir()
    sink.send([operation()])
    sink.close()
    assert len(found(folder / "traces.db")) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_of_a_fork_opens_the_file_for_itself(sink, path):
    sink.send([operation(name="before")])
    child = os.fork()
    if not child:
        status = 1
        try:
            sink.after_fork()
            sink.send([operation(name="in the child")])
            sink.close()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    sink.send([operation(name="after")])
    assert {run.name for run in found(path)} == {"before", "in the child", "after"}
