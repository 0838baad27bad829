"""The commands as a shell runs them: pipes that close, narrow terminals, Ctrl+C."""

import os
import signal
import subprocess
import sys

import pytest

from callboard.clock import now
from callboard.ids import new_id
from callboard.store.sqlite import SqliteStore
from callboard.tracing.dotted_order import segment
from callboard.wire.operations import Operation

CALLBOARD = [sys.executable, "-m", "callboard"]


def created(name, root=None):
    run_id, begun = new_id(), now()
    place = segment(begun, run_id)
    head = {
        "id": str(run_id),
        "trace_id": str(run_id) if root is None else root.head["trace_id"],
        "dotted_order": place if root is None else f"{root.head['dotted_order']}.{place}",
        "name": name,
        "run_type": "chain",
        "start_time": begun.isoformat(),
    }
    return Operation("create", run_id, head, {})


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A file with a trace of 12,001 runs, and a later one of a single run."""
    path = tmp_path_factory.mktemp("shown") / "traces.db"
    store = SqliteStore.open(path)
    root = created("root")
    store.write([root, *(created(f"run {number}", root) for number in range(12_000))])
    store.write([created("caf\u00e9 \u2615")])
    store.close()
    return path, str(root.run_id)


def show(database, *options, **environment):
    command = [*CALLBOARD, "show", "--db", str(database), *options]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, **environment},
    )


def test_a_pipe_that_closes_ends_it_without_a_word(database):
    path, trace = database
    with subprocess.Popen(
        [*CALLBOARD, "show", trace, "--db", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as shown:
        assert shown.stdout.readline().startswith("root (chain)")
        shown.stdout.close()
        assert shown.stderr.read() == ""
        assert shown.wait(20) == 1


def test_a_trace_that_is_not_shown_whole_says_so(database):
    path, trace = database
    shown = show(path, trace)
    assert len(shown.stdout.splitlines()) == 10_000
    assert shown.stderr == "These are the first 10000 of its runs; there are more.\n"


def test_a_name_that_the_terminal_can_not_show_is_escaped(database):
    path, _ = database
    shown = show(path, PYTHONIOENCODING="ascii")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout == "caf\\xe9 \\u2615 (chain), running\n"


def test_control_c_stops_the_server_without_a_traceback(tmp_path):
    with subprocess.Popen(
        [*CALLBOARD, "serve", "--port", "0", "--db", str(tmp_path / "traces.db")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert "Callboard is at" in server.stdout.readline()
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=20)
    assert server.returncode == 130
    assert "Traceback" not in errors
