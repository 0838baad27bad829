"""Too much at once, no room, files that are none, clocks that go wrong: said, and nothing lost."""

import os
import resource
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.request import urlopen

import apsw
import pytest
from langsmith import traceable, tracing_context

from callboard import ids
from callboard.clock import clock_from, now
from callboard.export import Exporter, HttpSink
from callboard.export.pace import Pace
from callboard.export.retry import Backoff
from callboard.server import RunningServer, Settings, start
from callboard.tracing.dotted_order import segment
from callboard.wire import batch
from callboard.wire.operations import Operation
from tests.integrations.board import BoardProcess
from tests.integrations.langsmith_reading import client_of
from tests.integrations.receiver import until

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def operation(size=100):
    run_id, begun = ids.new_id(), now()
    head = {
        "id": str(run_id),
        "trace_id": str(run_id),
        "dotted_order": segment(begun, run_id),
        "name": "a run",
        "run_type": "chain",
        "start_time": begun.isoformat(),
        "session_name": "faults",
    }
    return Operation("create", run_id, head, {"inputs": {"text": os.urandom(size // 2).hex()}})


# Too much at once.


@pytest.fixture
def busy(tmp_path):
    """A server that lets little wait, and a way to hold its file up as another process may."""
    settings = Settings(port=0, database=tmp_path / "callboard.db", max_queued_bytes=30_000)

    @contextmanager
    def held():
        # Not sqlite3: two copies of SQLite in one process don't see each other's locks.
        other = apsw.Connection(str(settings.database))
        other.set_busy_timeout(1000)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            other.close()

    with RunningServer(settings) as server:
        yield server, held


def send(url, told):
    """Send an operation; return the status, and the headers of the answer."""
    try:
        with urlopen(f"{url}/runs/batch", data=batch.encode([told]), timeout=20) as answer:
            return answer.status, answer.headers
    except HTTPError as error:
        return error.code, error.headers


def test_more_than_may_wait_is_turned_away_and_nothing_else_is(busy):
    server, held = busy
    told = [operation(10_000) for _ in range(12)]
    with ThreadPoolExecutor(len(told)) as pool:
        with held():
            answers = [pool.submit(send, server.url, each) for each in told]
            until(lambda: sum(each.done() for each in answers) >= 8)
        statuses = [each.result()[0] for each in answers]
    turned_away = [each.result()[1] for each in answers if each.result()[0] == 429]
    assert turned_away
    assert {headers["Retry-After"] for headers in turned_away} == {"1"}
    assert set(statuses) == {202, 429}
    for each, status in zip(told, statuses, strict=True):
        if status == 202:
            assert urlopen(f"{server.url}/runs/{each.run_id}", timeout=5).status == 200
        else:
            with pytest.raises(HTTPError, match="404"):
                urlopen(f"{server.url}/runs/{each.run_id}", timeout=5)
            assert send(server.url, each)[0] == 202


def test_reads_go_on_while_writes_wait(busy):
    server, held = busy
    told = operation()
    assert send(server.url, told)[0] == 202
    with ThreadPoolExecutor(1) as pool, held():
        waiting = pool.submit(send, server.url, operation())
        assert urlopen(f"{server.url}/runs/{told.run_id}", timeout=5).status == 200
        assert not waiting.done()


def test_the_langsmith_client_gets_through(busy, project):
    server, held = busy

    @traceable
    def work(number):
        return "x" * 8_000

    with client_of(server.url) as client:
        with tracing_context(enabled=True, client=client, project_name=project), held():
            for number in range(40):
                work(number)
                time.sleep(0.04)  # So that it takes more than one request.
        client.flush()
        runs = list(client.list_runs(project_name=project))
    assert sorted(run.inputs["number"] for run in runs) == list(range(40))
    assert {run.status for run in runs} == {"success"}


def test_our_exporter_gets_through(busy):
    server, held = busy
    told = [operation(5_000) for _ in range(60)]
    pace = Pace(linger=0.01, backoff=Backoff(0.01, 0.05))
    exporters = [Exporter(HttpSink(server.url), batch_count=2, pace=pace) for _ in range(6)]
    with held():
        for number, each in enumerate(told):
            exporters[number % len(exporters)].submit(each)
        time.sleep(0.3)
    for exporter in exporters:
        until(lambda exporter=exporter: exporter.counters.queued == 0)
        assert exporter.shutdown(10)
        assert exporter.counters.dropped == 0
    for each in told:
        assert urlopen(f"{server.url}/runs/{each.run_id}", timeout=5).status == 200


# No room.


def post(board, told):
    return board.ask("POST", "/runs/batch", body=batch.encode([told]))


def limit_files(board, size):
    """Let a server's files grow to a size and no further: its disk is full."""
    _, hard = resource.prlimit(board.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(board.pid, resource.RLIMIT_FSIZE, (size, hard))


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of other processes")
def test_a_disk_that_is_full_loses_nothing_that_was_acknowledged(tmp_path):
    database = tmp_path / "callboard.db"
    board = BoardProcess(database)
    acknowledged = []
    limit_files(board, 2_000_000)
    for _ in range(100):
        told = operation(60_000)
        answer = post(board, told)
        if answer.status != 202:
            break
        acknowledged.append(told)
    assert acknowledged
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert str(database) in answer.content["detail"]
    for each in acknowledged:
        assert board.ask("GET", f"/runs/{each.run_id}").status == 200
    assert board.ask("GET", f"/runs/{told.run_id}").status == 404
    limit_files(board, resource.RLIM_INFINITY)
    assert post(board, told).status == 202
    board.kill()
    with BoardProcess(database) as again:
        for each in [*acknowledged, told]:
            assert again.ask("GET", f"/runs/{each.run_id}").status == 200


# Files that are none.


def refusal(database):
    """Return what a server says that does not start."""
    with pytest.raises(RuntimeError) as raised:
        BoardProcess(database)
    said = str(raised.value)
    assert "Traceback" not in said
    assert str(database) in said
    return said


def test_a_file_of_text_is_refused_and_left_alone(tmp_path):
    database = tmp_path / "notes.txt"
    database.write_text("not a database at all\n" * 500)
    assert "no store of Callboard's" in refusal(database)
    assert database.read_text().startswith("not a database")


def test_another_programs_database_is_refused_and_left_alone(tmp_path):
    database = tmp_path / "other.db"
    other = sqlite3.connect(database)
    other.execute("CREATE TABLE mine (a)")
    other.commit()
    other.close()
    before = database.read_bytes()
    assert "no store of Callboard's" in refusal(database)
    assert database.read_bytes() == before


def test_a_folder_is_refused(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    refusal(folder)


def test_a_file_that_can_not_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    refusal(tmp_path / "file" / "callboard.db")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_may_only_be_read_is_refused(tmp_path):
    database = tmp_path / "callboard.db"
    start(database=database).stop()
    database.chmod(0o400)
    refusal(database)


@pytest.fixture
def damaged(tmp_path):
    """Returns a file in which runs were kept and of which a part is overwritten, and the runs."""

    def make(since, until):
        database = tmp_path / "callboard.db"
        told = [operation(40_000) for _ in range(60)]
        with BoardProcess(database) as board:
            for each in told:
                assert post(board, each).status == 202
        with database.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(int(size * since))
            file.write(os.urandom(int(size * (until - since))))
        return database, told

    return make


def test_a_file_that_is_damaged_is_refused(damaged):
    database, _ = damaged(0.01, 0.5)
    assert "damaged" in refusal(database)


def test_a_file_of_which_a_part_is_damaged_gives_the_rest(damaged):
    database, told = damaged(0.7, 0.9)
    with BoardProcess(database) as board:
        answers = [board.ask("GET", f"/runs/{each.run_id}") for each in told]
        bad = [answer for answer in answers if answer.status != 200]
        assert bad
        assert len(bad) < len(answers)
        assert {answer.status for answer in bad} == {503}
        assert all("damaged" in answer.content["detail"] for answer in bad)
        assert board.ask("GET", "/ok").status == 200


# Clocks that go wrong.


def test_a_clock_that_goes_back_loses_nothing(tmp_path, project):
    moments = [datetime(2026, 5, 1, tzinfo=UTC)]

    @traceable
    def work(number):
        return number

    with (
        clock_from(lambda: moments[-1]),
        start(database=tmp_path / "callboard.db") as server,
        client_of(server.url) as client,
    ):
        for hour in (5, 3, -9000, 0):
            moments.append(moments[0] + timedelta(hours=hour))
            with tracing_context(enabled=True, client=client, project_name=project):
                work(hour)
            client.flush()
            assert client.read_project(project_name=project, include_stats=True).run_count
        runs = list(client.list_runs(project_name=project))
        # The application's clock, which goes on, says when its runs started.
        assert [run.inputs["number"] for run in runs] == [0, -9000, 3, 5]
        assert {run.status for run in runs} == {"success"}


def test_requests_at_once_while_it_stops_are_answered_or_refused(tmp_path):
    """What was answered for is there; whoever was not can tell."""
    database = tmp_path / "callboard.db"
    server = start(database=database)
    acknowledged, stop = [], threading.Event()

    def go_on():
        while not stop.is_set():
            told = operation(5_000)
            try:
                if send(server.url, told)[0] == 202:
                    acknowledged.append(told.run_id)
            except OSError:
                return

    senders = [threading.Thread(target=go_on) for _ in range(4)]
    for sender in senders:
        sender.start()
    until(lambda: len(acknowledged) > 20)
    server.stop()
    stop.set()
    for sender in senders:
        sender.join(timeout=20)
    with start(database=database) as again:
        for run_id in acknowledged:
            assert urlopen(f"{again.url}/runs/{run_id}", timeout=5).status == 200
