"""Memory stays within its bound, however many runs there are and however slow the sink is."""

import gc
import tracemalloc
from pathlib import Path
from time import sleep

import pytest

from callboard.callbacks import CallbackManager
from callboard.export import Exporter, Limits
from callboard.langsmith.tracer import LangChainTracer

MIB = 1024 * 1024


class Drain:
    """A sink that keeps nothing, and may take its time."""

    def __init__(self, pause=0.0):
        self.pause = pause

    def limits(self):
        return Limits(100, 20 * MIB)

    def send(self, operations):
        sleep(self.pause)

    def close(self):
        pass


def trace(manager, count):
    """Trace runs with a run inside each: as many as asked for, and their inputs their own."""
    for number in range(count // 2):
        chain = manager.on_chain_start(None, {"question": f"why {number}?" * 10}, name="desk")
        tool = chain.get_child().on_tool_start({"name": "search"}, f"answer {number}" * 10)
        tool.on_tool_end({"found": [f"because {number}" * 10]})
        chain.on_chain_end({"answer": f"because {number}" * 10})


@pytest.fixture
def made():
    """Makes exporters, and shuts them down at the end."""
    exporters = []

    def make(sink, **options):
        exporters.append(Exporter(sink, **options))
        return exporters[-1]

    yield make
    for exporter in exporters:
        exporter.shutdown(10)


def test_nothing_is_left_of_runs_that_have_ended_and_were_sent(made):
    exporter = made(Drain())
    tracer = LangChainTracer(destination=exporter)
    # Of ended runs their places are kept, the newest of them: few enough that all are seen to
    # make room for others here.
    tracer._recorder._max_runs = 500
    manager = CallbackManager([tracer], [tracer], metadata={"tenant": "a"})

    def grown():
        trace(manager, 2000)
        assert exporter.flush(60)
        gc.collect()
        return len(gc.get_objects()), tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        objects, held = grown()
        more_objects, more_held = grown()
    finally:
        tracemalloc.stop()
    # One object, or a hundred bytes, for each run would be several times as much.
    assert more_objects - objects < 500
    assert more_held - held < 100_000
    assert not tracer.run_map
    assert exporter.counters.queued == 0
    assert exporter.counters.sent == exporter.counters.emitted >= 2 * 2000


def resident():
    """How many bytes of memory the process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory as Linux tells it")
def test_a_million_runs_stay_within_the_bound_while_the_sink_is_slow(made):
    """Takes a minute or two: ``pytest -m slow``.

    The sink takes a few thousand operations a second, and there come ten times as many: the
    queue is full nearly all the time.
    """
    bound = 32 * MIB
    exporter = made(Drain(pause=0.05), max_bytes=bound, exit_timeout=0)
    tracer = LangChainTracer(destination=exporter)
    manager = CallbackManager([tracer], [tracer], metadata={"tenant": "a"})
    before = resident()
    sizes, queued = [], []
    for _ in range(20):
        trace(manager, 50_000)
        sizes.append(resident() - before)
        queued.append(exporter._intake.size)
    counters = exporter.counters
    assert max(queued) <= bound
    assert max(queued) > bound * 0.9
    assert 1_000_000 <= counters.emitted <= 2_000_000  # A run is told of once or twice.
    assert counters.dropped > 0
    assert counters.emitted == counters.queued + counters.sent + counters.dropped
    # What Python's objects take is more than their text: about twice as much. And 10,000
    # places of ended runs are kept.
    assert max(sizes) < 3 * bound + 64 * MIB
    # After a fifth of them it grows no more, but that Python moves a big dictionary now and then.
    assert sizes[-1] - sizes[3] < 24 * MIB
