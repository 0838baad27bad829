"""Many threads start and end runs while their sink is slow and fails: each arrives whole, once."""

import random
import sys
import threading
import time
from collections import Counter

import pytest

from callboard.callbacks import CallbackManager
from callboard.errors import SinkUnavailableError
from callboard.export import MemorySink, Spool
from callboard.export.pace import Pace
from callboard.export.retry import Backoff
from callboard.langsmith.tracer import LangChainTracer
from callboard.wire.operations import merge
from tests.unit.export.made import quick_exporter

THREADS = 6
RUNS = 150
PACE = Pace(0.002, Backoff(0.001, 0.003))


class Program:
    """Threads with runs inside runs, some of which flush and seal meanwhile."""

    def __init__(self, seed, **options):
        chance = random.Random(seed)

        def answer(_):
            time.sleep(chance.random() / 1000)
            if chance.random() < 0.3:
                raise SinkUnavailableError("not now")

        self.sink = MemorySink(answer)
        self.exporter = quick_exporter(self.sink, pace=PACE, **options)
        tracer = LangChainTracer(destination=self.exporter)
        self.manager = CallbackManager([tracer], [tracer])
        self.ended = set()

    def run(self, seed):
        names = [f"{seed} {number}" for number in range(THREADS)]
        threads = [threading.Thread(target=self._work, args=(name,)) for name in names]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    def _work(self, name):
        chance = random.Random(name)
        running = []
        for number in range(RUNS):
            manager = running[-1].get_child() if running else self.manager
            running.append(manager.on_chain_start({}, {"given": number}, name=name))
            while running and chance.random() < 0.6:
                self._end(running.pop(), name)
            self._meanwhile(chance)
        while running:
            self._end(running.pop(), name)

    def _end(self, run, name):
        run.on_chain_end({"returned": str(run.run_id) + "x" * len(name) * 20})
        self.ended.add(run.run_id)

    def _meanwhile(self, chance):
        what = chance.random()
        if what < 0.03:
            self.exporter.flush(0.002)
        elif what < 0.06:
            self.exporter.seal()  # Nothing is told anew across it.
        elif what < 0.2:
            time.sleep(0.001)


@pytest.fixture(autouse=True)
def threads_take_turns_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(params=["memory", "spool", "little room", "little room and a spool"])
def options(request, tmp_path):
    spool = {"spool": Spool(tmp_path)} if "spool" in request.param else {}
    return spool | ({"max_bytes": 60_000} if "room" in request.param else {})


@pytest.mark.parametrize("seed", range(3))
def test_each_arrives_whole_and_once_or_is_counted(seed, options):
    program = Program(seed, **options)
    program.run(seed)
    program.exporter.shutdown(10)
    counters = program.exporter.counters
    told = program.sink.operations
    assert counters.queued == 0
    assert counters.emitted == counters.sent + counters.spooled + counters.dropped
    assert counters.sent == len(told)
    assert max(Counter((each.kind, each.run_id) for each in told).values()) == 1
    assert program.exporter._intake.size == 0
    whole = {}
    for each in told:
        known = whole.get(each.run_id)
        whole[each.run_id] = each if known is None else merge(known, each)
    ended = [each for each in whole.values() if "end_time" in each.head]
    complete = [each for each in ended if "inputs" in each.parts]
    for each in complete:
        assert str(each.run_id) in str(each.parts["outputs"])  # Bytes, if it was spooled.
    missing = len(program.ended) - len(complete)
    assert len(program.ended) == THREADS * RUNS
    assert missing <= counters.spooled + counters.dropped
