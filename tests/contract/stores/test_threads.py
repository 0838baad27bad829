"""Many threads read while one writes."""

import threading
from concurrent.futures import ThreadPoolExecutor

from callboard.store.records import RunQuery
from tests.contract.stores.made import created, ended, listed, run


def test_readers_see_whole_writes_while_more_are_written(store):
    done = threading.Event()
    store.write([created(0)])

    def read():
        seen = 0
        while not done.is_set():
            found = len(store.find_runs(RunQuery(limit=1000)).items)
            assert found % 10 == 1
            assert found >= seen
            assert len(store.read_outline(run(0))) % 10 == 1
            seen = found
        return seen

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        try:
            for first in range(1, 300, 10):
                numbers = range(first, first + 10)
                store.write([*(created(n, 0) for n in numbers), *(ended(n) for n in numbers)])
                # What has been written is seen by whoever looks thereafter.
                assert len(listed(store, limit=1000)) == first + 10
        finally:
            done.set()
        assert all(reader.result() for reader in readers)
