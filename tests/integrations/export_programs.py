"""Programs for the tests of export: processes that send, and end in all the ways there are.

    python export_programs.py <program> <endpoint> <spool directory>

Each prints the operations that it emitted, a line each: kind and run id.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
from uuid import UUID

from callboard import ids
from callboard.export import Exporter, HttpSink, Spool, install_signal_handlers
from callboard.export.pace import Pace
from callboard.export.retry import Backoff
from callboard.wire.operations import Operation

SOON = Pace(linger=0.01, backoff=Backoff(0.01, 0.05))
LATE = Pace(linger=3600, backoff=Backoff(0.01, 0.05))
"""Nothing goes out by itself: whatever arrives was flushed."""


def exporter(pace: Pace = SOON, **options: object) -> Exporter:
    sink = HttpSink(sys.argv[2], connect_timeout=1, read_timeout=1)
    return Exporter(sink, spool=Spool(sys.argv[3]), pace=pace, **options)


def operations(count: int) -> list[Operation]:
    return [operation() for _ in range(count)]


def operation(run_id: UUID | None = None) -> Operation:
    run_id = run_id or ids.uuid7()
    head = {"id": str(run_id), "trace_id": str(run_id), "name": "a run", "run_type": "chain"}
    return Operation("create", run_id, head, {"inputs": {"input": "x" * 200}})


def tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # In one piece: threads and children do this too.


def emit(to: Exporter, count: int) -> None:
    for each in operations(count):
        to.submit(each)
        tell(f"{each.kind} {each.run_id}")


def exits() -> None:
    """Ends like most programs: without a word to the exporter."""
    emit(exporter(LATE), 250)


def raises() -> None:
    emit(exporter(LATE), 50)
    raise SystemExit(3)


def is_killed() -> None:
    """Goes on until it is killed; says how many operations are in the spool for sure."""
    to = exporter()
    while True:
        for each in operations(20):
            to.submit(each)
        to.flush(10)
        tell(f"spooled {to.counters.spooled}")


def is_terminated() -> None:
    install_signal_handlers()
    emit(exporter(LATE), 50)
    tell("ready")
    threading.Event().wait(20)


def is_interrupted() -> None:
    """Has a handler of its own, which must be called too."""

    def handler(number: int, frame: object) -> None:
        tell("handled")
        os._exit(7)

    signal.signal(signal.SIGTERM, handler)
    install_signal_handlers()
    emit(exporter(LATE), 50)
    tell("ready")
    threading.Event().wait(20)


def forks() -> None:
    to = exporter(LATE)
    emit(to, 50)
    child = os.fork()
    if child == 0:
        assert to.counters.emitted == 0, to.counters
        emit(to, 30)
        to.shutdown()
        assert to.counters.sent == 30, to.counters
        os._exit(0)
    emit(to, 20)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
    to.shutdown()
    assert to.counters.sent == 70, to.counters


def forks_while_sending() -> None:
    to = exporter(batch_count=5)
    for _ in range(10):
        emit(to, 20)
        child = os.fork()
        if child == 0:
            emit(to, 5)
            os._exit(0 if to.shutdown() else 1)
        _, status = os.waitpid(child, 0)
        assert status == 0, status


def in_child(to: Exporter) -> None:
    emit(to, 10)


def multiprocesses() -> None:
    to = exporter(LATE)
    emit(to, 10)
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=in_child, args=(to,)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()


def asynchronous() -> None:
    to = exporter(LATE)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(asyncio.to_thread(emit, to, 10))
        emit(to, 10)
        raise asyncio.CancelledError

    try:
        asyncio.run(main())
    except asyncio.CancelledError:
        sys.exit(0)


def emits_at_exit() -> None:
    import atexit

    to = exporter(LATE)
    emit(to, 1)
    atexit.register(emit, to, 5)


def starts_at_exit() -> None:
    import atexit

    to = exporter(LATE)
    atexit.register(emit, to, 5)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
