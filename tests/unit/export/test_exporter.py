"""The exporter with its threads, and a sink in memory."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
import tracemalloc
from itertools import chain

import pytest

from callboard import environment
from callboard.errors import BadOptionError, SinkUnavailableError
from callboard.export import (
    Counters,
    Exporter,
    MemorySink,
    Spool,
    flush_all,
    install_signal_handlers,
    lifecycle,
)
from callboard.export.bell import Bell
from callboard.export.pace import Pace
from callboard.export.serverless import PLACES, is_serverless
from callboard.export.worker import Worker
from callboard.wire.operations import Attachment, Operation
from tests.unit.export.made import identities, operation, operations, quick_exporter

NEVER = Pace(linger=3600)


@pytest.fixture(autouse=True)
def nothing_is_left():
    before = set(threading.enumerate())
    yield
    lifecycle.shutdown_all(5)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)  # One that a sink held up ends when that lets go of it.
        assert not thread.is_alive()


class Gate:
    """An answer that does not come until the gate is opened."""

    def __init__(self):
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, _):
        self.reached.set()
        assert self.opened.wait(30)


def submit(exporter, some):
    for each in some:
        exporter.submit(each)


def test_nothing_runs_before_something_is_submitted():
    before = threading.active_count()
    exporter = Exporter(MemorySink())
    assert threading.active_count() == before
    assert exporter.flush(0)
    assert exporter.shutdown(0)


def test_operations_arrive_in_order_without_being_asked_for():
    exporter = quick_exporter(sink := MemorySink())
    submit(exporter, made := operations(250))
    assert sink.wait_for(250, 10)
    assert sink.operations == made
    assert exporter.flush(10)
    assert exporter.counters == Counters(emitted=250, sent=250)


def test_flush_sends_at_once_and_says_when_it_could_not():
    exporter = Exporter(sink := MemorySink(), pace=NEVER)
    submit(exporter, operations(3))
    assert exporter.flush(10)
    assert len(sink.operations) == 3
    sink.answer = gate = Gate()
    exporter.submit(operation())
    assert not exporter.flush(0.01)
    gate.opened.set()
    assert exporter.flush(10)


async def test_flush_for_event_loops():
    exporter = Exporter(sink := MemorySink(), pace=NEVER)
    submit(exporter, operations(3))
    assert await exporter.aflush(10)
    assert len(sink.operations) == 3


def test_shutdown_sends_what_is_left_and_takes_no_more(caplog):
    exporter = Exporter(sink := MemorySink(), pace=NEVER)
    submit(exporter, operations(150))
    assert exporter.shutdown()
    assert len(sink.operations) == 150
    exporter.submit(operation())
    assert exporter.counters == Counters(emitted=151, sent=150, dropped=1)
    assert "Operations were dropped" in caplog.text
    assert exporter.shutdown()
    assert exporter.flush(0)


def test_that_there_is_no_room_is_said_once(caplog):
    exporter = quick_exporter(MemorySink(gate := Gate()), max_bytes=1000)
    submit(exporter, operations(20))
    assert sum("no room for more than 1000 bytes" in each for each in caplog.messages) == 1
    gate.opened.set()
    exporter.shutdown(5)


def test_shutdown_drops_what_nobody_takes_in_time_and_says_so(caplog):
    exporter = quick_exporter(MemorySink(gate := Gate()))
    submit(exporter, operations(150))
    assert gate.reached.wait(10)
    assert not exporter.shutdown(0.01)
    assert exporter.counters == Counters(emitted=150, dropped=150)
    assert "dropped 150" in caplog.text
    gate.opened.set()


def test_shutdown_spools_what_nobody_takes_in_time(tmp_path):
    exporter = quick_exporter(MemorySink(gate := Gate()), spool=Spool(tmp_path))
    submit(exporter, made := operations(150))
    assert gate.reached.wait(10)
    assert exporter.shutdown(0.01)
    assert exporter.counters == Counters(emitted=150, spooled=150)
    gate.opened.set()
    after = quick_exporter(sink := MemorySink(), spool=Spool(tmp_path))
    after.submit(last := operation())
    assert sink.wait_for(151, 10)
    assert {*identities(sink.operations)} == {*identities([*made, last])}


def test_while_the_sink_is_slow_the_spool_takes_what_is_too_much(tmp_path):
    sink = MemorySink(gate := Gate())
    exporter = quick_exporter(sink, spool=Spool(tmp_path), max_bytes=400_000)
    exporter.submit(operation())
    assert gate.reached.wait(10)
    for _ in range(20):  # Ten times what there is room for.
        submit(exporter, operations(100, size=1000))
        with (intake := exporter._intake)._settled:
            assert intake._settled.wait_for(lambda: intake.size <= 200_000, 10)
    assert exporter.counters.dropped == 0
    assert exporter.counters.spooled > 1500
    gate.opened.set()
    assert sink.wait_for(2001, 10)
    assert len({*identities(sink.operations)}) == 2001


def test_the_bound_holds_for_any_number_of_operations():
    exporter = quick_exporter(MemorySink(gate := Gate()), max_bytes=2_000_000)
    exporter.submit(operation())
    assert gate.reached.wait(10)
    submit(exporter, (Operation("create", None, {"name": "a run"}) for _ in range(198_000)))
    gc.collect()
    tracemalloc.start()
    submit(exporter, (Operation("create", None, {"name": "a run"}) for _ in range(2_000)))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    counters = exporter.counters
    assert counters.emitted == 200_001
    assert counters.queued + counters.dropped == 200_001
    assert exporter._intake.size <= 2_000_000
    assert sum(type(each) is Operation for each in gc.get_objects()) <= counters.queued + 10
    assert grown < 10_000
    gate.opened.set()


def test_eight_threads_lose_nothing():
    exporter = quick_exporter(sink := MemorySink())
    made = [operations(500) for _ in range(8)]
    threads = [threading.Thread(target=submit, args=(exporter, some)) for some in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert exporter.flush(10)
    assert {*identities(sink.operations)} == {*identities(chain(*made))}
    assert len(sink.operations) == 4000
    assert exporter.counters == Counters(emitted=4000, sent=4000)


def test_a_finalizer_may_submit_while_something_is_submitted():
    exporter = quick_exporter(sink := MemorySink())

    class Abandoned:
        def __init__(self):
            self.cycle = self

        def __del__(self):
            exporter.submit(operation())

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(200):
            Abandoned()
            exporter.submit(operation())
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert exporter.flush(10)
    assert len(sink.operations) == exporter.counters.emitted == 400


def test_a_log_handler_that_traces_does_not_wait_for_itself():
    def answer(_):
        raise SinkUnavailableError("It is down.")

    class Handler(logging.Handler):
        def emit(self, record):
            exporter.submit(operation())
            exporter.flush(60)

    exporter = quick_exporter(sink := MemorySink(answer))
    logger, handler = logging.getLogger("callboard.export"), Handler()
    logger.addHandler(handler)
    try:
        exporter.submit(operation())
        assert not exporter.flush(0.1)
        sink.answer = None
        assert exporter.flush(10)
    finally:
        logger.removeHandler(handler)


@pytest.mark.parametrize("name", PLACES.values())
def test_serverless_places_are_known(name, monkeypatch):
    for each in PLACES.values():
        monkeypatch.delenv(each, raising=False)
    environment.reload_environment()
    assert not is_serverless()
    monkeypatch.setenv(name, "mine")
    environment.reload_environment()
    assert is_serverless()
    exporter = Exporter(sink := MemorySink(), pace=NEVER)
    exporter.submit(operation())
    assert not sink.operations
    exporter.submit(operation("update"), urgent=True)
    assert len(sink.operations) == 2  # It is out when submit returns: the process may freeze.
    monkeypatch.undo()
    environment.reload_environment()


def test_elsewhere_nothing_is_urgent():
    exporter = Exporter(sink := MemorySink(), pace=NEVER, serverless=False)
    exporter.submit(operation(), urgent=True)
    assert not sink.operations


@pytest.mark.parametrize(
    "options",
    [
        {"max_bytes": 0},
        {"batch_count": 0},
        {"batch_bytes": -1},
        {"linger": -1},
        {"exit_timeout": float("nan")},
    ],
)
def test_options_that_make_no_sense(options):
    (name,) = options
    with pytest.raises(BadOptionError, match=f"{name} is "):
        Exporter(MemorySink(), **options)


def test_all_exporters_are_flushed_at_once_and_go_on():
    sinks = [MemorySink(), MemorySink()]
    for sink in sinks:
        Exporter(sink, pace=NEVER).submit(operation())
    assert flush_all(5)
    assert [len(sink.operations) for sink in sinks] == [1, 1]


def test_whoever_flushes_all_is_told_if_something_is_left():
    def answer(_):
        raise SinkUnavailableError("not now")

    exporter = Exporter(MemorySink(answer), pace=NEVER)
    exporter.submit(operation())
    assert not flush_all(0.05)
    exporter.shutdown(0)


def test_where_no_thread_can_be_started_the_end_sends_what_there_is(monkeypatch):
    def start(_):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    exporter = quick_exporter(sink := MemorySink())
    monkeypatch.setattr(threading.Thread, "start", start)
    submit(exporter, operations(150))
    assert not sink.operations
    lifecycle.shutdown_all()
    assert len(sink.operations) == 150


def test_an_operation_that_is_none_harms_nobody(caplog):
    def answer(some):
        len(some[0].attachments["film"].data)

    exporter = quick_exporter(MemorySink(answer))
    exporter.submit(operation(attachments={"film": Attachment("video/mp4", 17)}))
    assert not exporter.flush(0.05)
    exporter.shutdown(0)
    assert exporter.counters == Counters(emitted=1, dropped=1)


def test_it_shows_what_it_has_done():
    exporter = quick_exporter(MemorySink())
    assert "emitted 0" in repr(exporter)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_child_begins_with_nothing():
    exporter = Exporter(sink := MemorySink(), pace=NEVER)
    submit(exporter, operations(5))
    child = os.fork()
    if child == 0:
        exporter.submit(operation())
        in_order = exporter.flush(10) and exporter.counters == Counters(emitted=1, sent=1)
        os._exit(0 if in_order and len(sink.operations) == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert exporter.flush(10)
    assert len(sink.operations) == 5


def test_signal_handlers_chain_and_can_be_taken_back():
    heard = []
    number = signal.SIGTERM
    before = signal.signal(number, lambda *args: heard.append(args[0]))
    try:
        host = signal.getsignal(number)
        restore = install_signal_handlers([number], timeout=10)
        exporter = Exporter(sink := MemorySink(), pace=NEVER)
        exporter.submit(operation())
        signal.raise_signal(number)
        assert heard == [number]
        assert len(sink.operations) == 1
        exporter.submit(operation())  # The host's handler did not end it: it goes on.
        assert exporter.flush(10)
        restore()
        assert signal.getsignal(number) is host
    finally:
        signal.signal(number, before)


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        install_signal_handlers([signal.SIGTERM])
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_signal_handlers_are_for_the_main_thread():
    raised = []

    def work():
        try:
            install_signal_handlers()
        except BadOptionError as error:
            raised.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "main thread only" in raised[0]


def test_a_bell_rung_often_is_heard_once():
    bell = Bell()
    assert not bell.wait(0)
    bell.ring()
    bell.ring()
    assert bell.wait(0)
    assert not bell.wait(0)


def test_importing_it_loads_no_http_client():
    code = "import sys, callboard.export; sys.exit('urllib3' in sys.modules)"
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0


def test_a_worker_outlives_a_bug_and_says_so_once(caplog):
    steps = iter([ZeroDivisionError("oops"), ZeroDivisionError("oops"), None])
    done = threading.Event()

    def step():
        error = next(steps)
        if error is not None:
            worker.wake()  # It would sleep a second: after a bug it must not spin.
            raise error
        done.set()
        return 0.0

    worker = Worker("test", step, done.is_set)
    assert worker.start()
    assert worker.join(10)
    assert sum("goes on" in each for each in caplog.messages) == 1
