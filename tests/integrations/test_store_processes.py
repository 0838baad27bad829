"""What a process that is killed had written: all that was acknowledged, and an unharmed file.

The child writes batch after batch and says so after each; it is killed at a moment that nobody
chose. Then the file is opened, read and checked.
"""

import random
import subprocess
import sys
import threading
import time

import apsw
import pytest

from callboard.store.sqlite import SqliteStore
from tests.contract.stores.made import created, listed, run

CHILD = """
import sys
from callboard.store.sqlite import SqliteStore
from tests.contract.stores.made import created, ended
path, first = sys.argv[1], int(sys.argv[2])
store = SqliteStore.open(path)
for batch in range(100_000):
    numbers = range(first + batch * 20, first + batch * 20 + 20)
    told = [created(n, inputs={"n": n, "text": "some words " * 50}, tags=["t"]) for n in numbers]
    store.write([*told, *(ended(n, outputs={"n": n}) for n in numbers)])
    print(numbers[-1], flush=True)
"""
STEP = 100_000_000


def killed(path, first, seconds):
    """Let a child write for a time and kill it; return the last run that it acknowledged."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(first)], stdout=subprocess.PIPE, text=True
    )
    said = [child.stdout.readline()]  # It is under way.
    time.sleep(seconds)
    child.kill()
    rest, _ = child.communicate()
    # A line that it could not finish is no acknowledgement.
    said += [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    return int(said[-1])


def check(path, ranges):
    store = SqliteStore.open(path)
    for first, last in ranges:
        for number in range(first, last + 1):
            found = store.read_run(run(number), ["inputs", "outputs"])
            assert found is not None, f"run {number} was acknowledged and is not there"
            assert found.status == "success"
            assert found.payloads["outputs"] == b'{"n":%d}' % number
    assert store._connections.writer.pragma("integrity_check") == "ok"
    total = store._connections.writer.execute("SELECT count(*) FROM runs").get
    # Batches are taken whole or not at all.
    assert total % 20 == 0
    assert total >= sum(last + 1 - first for first, last in ranges)
    store.write([created(1)])
    assert listed(store, ids=[run(1)]) == [1]
    store.delete_traces([run(1)])
    store.close()


def kill_again_and_again(path, times):
    chance = random.Random(5)
    ranges = []
    for turn in range(times):
        first = (turn + 1) * STEP
        ranges.append((first, killed(path, first, chance.uniform(0, 0.25))))
        check(path, ranges)


def test_what_a_killed_process_had_acknowledged_is_there(tmp_path):
    kill_again_and_again(tmp_path / "board.db", 5)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_many_killed_processes_had_acknowledged_is_there(tmp_path):
    kill_again_and_again(tmp_path / "board.db", 40)


def test_a_second_process_reads_and_writes_while_the_first_has_the_file_open(tmp_path):
    path = tmp_path / "board.db"
    store = SqliteStore.open(path)
    store.write([created(1)])
    last = killed(path, STEP, 0.1)
    assert {1, *range(STEP, last + 1)} <= set(listed(store, limit=10**6))
    store.write([created(2)])
    assert listed(store, ids=[run(2)]) == [2]
    store.close()


def test_two_that_make_a_file_at_the_same_moment_wait_for_each_other(tmp_path):
    path = tmp_path / "board.db"
    begun = threading.Event()

    def write():
        quicker = apsw.Connection(str(path))
        quicker.execute("BEGIN IMMEDIATE")
        begun.set()
        time.sleep(0.2)
        quicker.execute("ROLLBACK")
        quicker.close()

    thread = threading.Thread(target=write)
    thread.start()
    begun.wait()
    store = SqliteStore.open(path)
    thread.join()
    store.write([created(1)])
    assert listed(store) == [1]
    store.close()
