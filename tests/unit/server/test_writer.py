"""The writer: what shares a commit, and who pays for what goes wrong in one."""

import asyncio
import threading

import pytest

from callboard.clock import now
from callboard.errors import StoreFullError
from callboard.ids import new_id
from callboard.server.settings import MAX_QUEUED_BYTES
from callboard.server.writer import Writer
from callboard.store.sqlite import SqliteStore
from callboard.wire.operations import Operation


def created(name):
    run_id = new_id()
    head = {"id": str(run_id), "name": name, "run_type": "chain", "start_time": now().isoformat()}
    return Operation("create", run_id, head, {})


class FaultyStore:
    """A store that has a fault: it does not bear one name. Its first write waits to be let go."""

    def __init__(self, store, fault):
        self._store = store
        self._fault = fault
        self.goes_on = threading.Event()
        self.writes = []

    def write(self, told):
        assert self.goes_on.wait(5)
        self.writes.append([each.head["name"] for each in told])
        if "odd" in self.writes[-1]:
            raise self._fault
        return self._store.write(told)


@pytest.fixture
def store(tmp_path):
    store = SqliteStore.open(tmp_path / "traces.db")
    yield store
    store.close()


async def write_together(faulty, told):
    """Have requests wait behind a first one, so that they share the next commit."""
    writer = Writer(faulty, max_queued_bytes=MAX_QUEUED_BYTES)
    try:
        answers = [asyncio.ensure_future(writer.write([each])) for each in told]
        await asyncio.sleep(0)
        faulty.goes_on.set()
        return await asyncio.gather(*answers, return_exceptions=True)
    finally:
        writer.close(5)


def test_a_fault_in_what_one_request_brought_costs_no_other(store):
    faulty = FaultyStore(store, ValueError("a fault"))
    told = [created(name) for name in ("first", "good", "odd", "better")]
    answers = asyncio.run(write_together(faulty, told))
    assert [each for each in answers if each != []] == [answers[2]]
    assert isinstance(answers[2], ValueError)
    kept = [store.read_run(each.run_id) is not None for each in told]
    assert kept == [True, True, False, True]


def test_a_store_that_is_full_is_not_asked_for_each_request_again(store):
    faulty = FaultyStore(store, StoreFullError("full"))
    told = [created(name) for name in ("odd", "odd", "odd")]
    answers = asyncio.run(write_together(faulty, told))
    assert {type(each) for each in answers} == {StoreFullError}
    assert sum(map(len, faulty.writes)) == len(told)
