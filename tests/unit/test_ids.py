"""Run ids: UUIDs of version 7, in order, never twice; and ids from elsewhere, for tests."""

import copy
import json
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import RFC_4122, UUID, SafeUUID

import pytest

from callboard import ids
from callboard.callbacks import CallbackManager
from callboard.ids import ids_from, uuid7
from callboard.testing import CountingIds


def test_an_id_is_a_uuid_of_version_7_and_the_usual_variant():
    made = uuid7()
    assert type(made) is UUID
    assert (made.version, made.variant) == (7, RFC_4122)


def test_an_id_begins_with_the_time_in_milliseconds():
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000
    assert before <= made.int >> 80 <= after


def test_ids_increase_even_when_the_clock_stands_still(monkeypatch):
    monkeypatch.setattr(ids, "time_ns", lambda: 1_700_000_000_000_000_000)
    made = [uuid7() for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000
    assert {each.int >> 80 for each in made} == {1_700_000_000_000}


def test_ids_sort_as_text_as_they_were_made():
    made = [uuid7() for _ in range(1000)]
    assert [str(each) for each in made] == sorted(str(each) for each in made)


def test_threads_never_make_the_same_id():
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: [uuid7() for _ in range(2000)], range(8)))
    assert len({each for batch in made for each in batch}) == 8 * 2000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_makes_ids_of_its_own():
    # In a process of its own: this one may have threads, which don't survive a fork.
    program = """
import json, os
from callboard import ids
ids.time_ns = lambda: 0  # So that only the rest of the id can tell them apart.
before = ids.uuid7().int
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, json.dumps([ids.uuid7().int for _ in range(20)]).encode())
    os._exit(0)
os.close(write)
mine = [ids.uuid7().int for _ in range(20)]
with open(read) as pipe:
    print(json.dumps([before, mine, json.load(pipe)]))
os.wait()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    before, parents, childs = json.loads(done.stdout)
    assert not set(parents) & set(childs)
    assert parents == sorted(parents)
    assert parents[0] == before + 1
    # Nor is the child's start near its parent's: they would meet one day.
    assert abs(childs[0] - parents[-1]) > 2**32


def test_an_id_is_like_any_other_uuid():
    made = uuid7()
    same = UUID(str(made))
    assert made == same
    assert hash(made) == hash(same)
    assert made.is_safe is SafeUUID.unknown
    assert repr(made) == repr(same)
    assert made.bytes == same.bytes
    assert {made: 1}[same] == 1


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_id_can_be_pickled_and_copied(protocol):
    made = uuid7()
    again = pickle.loads(pickle.dumps(made, protocol))
    assert again == made
    assert again.is_safe is made.is_safe
    assert copy.deepcopy(made) == made


def test_an_id_cannot_be_changed():
    made = uuid7()
    with pytest.raises(TypeError):
        made.int = 1


# --- Ids from elsewhere -------------------------------------------------------------------------


def test_ids_may_come_from_elsewhere_for_the_length_of_a_block():
    given = iter([UUID(int=7), UUID(int=8)])
    with ids_from(lambda: next(given)):
        runs = CallbackManager([]).on_llm_start({}, ["a", "b"])
    assert [run.run_id.int for run in runs] == [7, 8]
    assert CallbackManager([]).on_chain_start({}, {}).run_id.version == 7


def test_blocks_nest_and_end_with_exceptions_too():
    with ids_from(CountingIds(100)):
        with suppress(LookupError), ids_from(CountingIds()):
            assert ids.new_id() == UUID(int=1)
            raise LookupError
        assert ids.new_id() == UUID(int=100)
    assert ids.new_id().version == 7


def test_other_threads_take_them_too():
    with ids_from(CountingIds()), ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: ids.new_id().int, range(100)))
    assert sorted(made) == list(range(1, 101))


def test_a_given_id_takes_none_from_the_source():
    with ids_from(CountingIds()):
        CallbackManager([]).on_chain_start({}, {}, run_id=UUID(int=50))
        assert CallbackManager([]).on_chain_start({}, {}).run_id == UUID(int=1)
