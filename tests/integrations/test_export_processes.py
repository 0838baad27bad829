"""Export from processes that end in all the ways there are: see `export_programs`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from callboard import ids
from callboard.export import Exporter, HttpSink, Spool
from callboard.export.pace import Pace
from callboard.export.retry import Backoff
from callboard.wire.operations import Operation
from tests.integrations.receiver import until

PROGRAMS = Path(__file__).parent / "export_programs.py"

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes as POSIX has them")


@contextmanager
def running(program, receiver, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-W", "error", PROGRAMS, program, receiver.url, tmp_path / "spool"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def run(program, receiver, tmp_path):
    """Run a program to its end; return its exit code, what it emitted and what it said."""
    with running(program, receiver, tmp_path) as process:
        out, said = process.communicate(timeout=30)
    emitted = {tuple(line.split()) for line in out.splitlines() if len(line.split()) == 2}
    return process.returncode, emitted, said


def drain(receiver, tmp_path):
    """Be the next process: send what the spool holds."""
    sink = HttpSink(receiver.url)
    pace = Pace(linger=0.01, backoff=Backoff(0.01, 0.05))
    exporter = Exporter(sink, spool=Spool(tmp_path / "spool"), pace=pace)
    run_id = ids.new_id()
    exporter.submit(Operation("update", run_id, {"id": str(run_id)}))
    until(lambda: exporter.counters.queued == exporter.counters.spooled == 0)
    exporter.shutdown(5)
    return exporter.counters


@pytest.mark.parametrize(
    ("program", "code", "count"),
    [
        ("exits", 0, 250),
        ("raises", 3, 50),
        ("asynchronous", 0, 60),
        ("forks", 0, 100),
        ("forks_while_sending", 0, 250),
        ("multiprocesses", 0, 30),
        ("starts_at_exit", 0, 5),
        ("emits_at_exit", 0, 6),
    ],
)
def test_a_process_that_ends_sends_all_it_had(receiver, tmp_path, program, code, count):
    returned, emitted, said = run(program, receiver, tmp_path)
    assert not said, said
    assert returned == code
    assert len(emitted) == count
    assert receiver.arrivals() == dict.fromkeys(emitted, 1)


@pytest.mark.parametrize("program", ["exits", "forks_while_sending", "multiprocesses"])
def test_without_a_server_the_next_process_sends_it(receiver, tmp_path, program):
    receiver.kill()
    returned, emitted, said = run(program, receiver, tmp_path)
    assert returned == 0
    assert "can't be reached" in said
    receiver.start()
    counters = drain(receiver, tmp_path)
    assert counters.recovered == len(emitted)
    assert emitted <= set(receiver.arrivals())
    assert set(receiver.arrivals().values()) == {1}
    assert not list((tmp_path / "spool").iterdir())


def test_what_the_spool_has_acknowledged_outlives_a_kill(receiver, tmp_path):
    receiver.kill()
    with running("is_killed", receiver, tmp_path) as process:
        for line in process.stdout:
            word, count = line.split()
            assert word == "spooled"
            if int(count) >= 200:
                break
        process.send_signal(signal.SIGKILL)
        process.wait()
    receiver.start()
    counters = drain(receiver, tmp_path)
    assert counters.recovered >= int(count)
    assert sum(receiver.arrivals().values()) >= int(count)
    assert counters.spooled == counters.dropped == 0


def test_killed_while_it_sends_from_the_spool(receiver, tmp_path):
    receiver.kill()
    _, emitted, _ = run("exits", receiver, tmp_path)
    receiver.start()
    receiver.tell(plan=[None], always={"do": "hang"})
    with running("is_killed", receiver, tmp_path) as process:
        until(lambda: receiver.state()["hanging"] == 1)
        process.send_signal(signal.SIGKILL)
        process.wait()
    receiver.tell(plan=[], always=None)
    drain(receiver, tmp_path)
    assert emitted <= set(receiver.arrivals())


@pytest.mark.parametrize(
    ("program", "code"), [("is_terminated", -signal.SIGTERM), ("is_interrupted", 7)]
)
def test_asked_to_end_it_flushes_and_then_does_what_it_would_have(
    receiver, tmp_path, program, code
):
    with running(program, receiver, tmp_path) as process:
        emitted = set()
        for line in process.stdout:
            if line == "ready\n":
                break
            emitted.add(tuple(line.split()))
        process.send_signal(signal.SIGTERM)
        out, said = process.communicate(timeout=20)
    assert process.returncode == code, said
    assert out == ("handled\n" if program == "is_interrupted" else "")
    assert receiver.arrivals() == dict.fromkeys(emitted, 1)


def test_two_processes_never_send_the_same_segment(receiver, tmp_path):
    receiver.kill()
    _, emitted, _ = run("exits", receiver, tmp_path)
    receiver.start()
    with ExitStack() as stack:
        programs = [running("exits", receiver, tmp_path) for _ in range(3)]
        for process in [stack.enter_context(program) for program in programs]:
            out, _ = process.communicate(timeout=30)
            emitted |= {tuple(line.split()) for line in out.splitlines()}
    drain(receiver, tmp_path)
    assert emitted <= set(receiver.arrivals())
    assert set(receiver.arrivals().values()) == {1}
