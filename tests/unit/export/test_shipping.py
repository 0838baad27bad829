"""What the export thread does, step by step, by a clock that the test moves."""

from __future__ import annotations

import pytest

from callboard.errors import (
    BatchRejectedError,
    BatchTooLargeError,
    KeyRefusedError,
    SinkUnavailableError,
)
from callboard.export import Counters, MemorySink, Spool
from callboard.export.sinks.base import Limits
from callboard.wire.operations import Attachment
from tests.unit.export.made import Bench, identities, operation, operations


class Moody:
    """An answer that raises what it is told to, once each."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.always = None

    def __call__(self, _):
        error = self.errors.pop(0) if self.errors else self.always
        if error is not None:
            raise error


def fails_over(*bad, error=None):
    """An answer that raises whenever one of these operations is sent."""
    error = error or SinkUnavailableError("It broke.", suspicious=True)

    def answer(some):
        if {*identities(bad)} & {*identities(some)}:
            raise error

    return answer


def down(retry_after=None):
    return SinkUnavailableError("It is down.", retry_after=retry_after)


def test_a_batch_waits_to_grow_and_no_longer():
    bench = Bench(MemorySink())
    bench.submit(operations(3))
    assert bench.settle() == 0.5
    assert bench.settle(0.49) == pytest.approx(0.01)
    bench.submit(operations(2))
    bench.settle(0.02)
    assert bench.sink.batches == [5]


def test_a_full_batch_goes_at_once():
    bench = Bench(MemorySink())
    made = bench.submit(operations(25))
    bench.settle()
    assert bench.sink.batches == [10, 10]
    bench.settle(0.5)
    assert bench.sink.batches == [10, 10, 5]
    assert bench.sink.operations == made


def test_bytes_fill_a_batch_too():
    bench = Bench(MemorySink(), limits=Limits(100, 5000))
    bench.submit(operations(5, size=2000))
    bench.settle()
    assert bench.sink.batches == [1] * 4  # Two are more than is taken at once.
    bench.settle(0.5)
    assert bench.sink.batches == [1] * 5


def test_a_sink_that_takes_less_gets_less():
    bench = Bench(MemorySink(limits=Limits(4, 10**6)))
    bench.submit(operations(8))
    bench.settle()
    assert bench.sink.batches == [4, 4]


def test_who_flushes_waits_for_no_batch_to_grow():
    bench = Bench(MemorySink())
    bench.submit(operations(2))
    bench.intake.hurry()
    bench.settle()
    assert bench.sink.batches == [2]


def test_after_a_failure_it_waits_as_it_was_asked():
    bench = Bench(MemorySink(Moody(down(retry_after=20))))
    bench.submit(operations(10))
    assert bench.settle() == 21  # And the jitter, which is all of a second here.
    assert bench.settle(20.5) == 0.5
    assert bench.sink.batches == []
    bench.settle(0.5)
    assert bench.sink.batches == [10]


def test_waits_double_while_failures_follow_each_other():
    moody = Moody()
    moody.always = down()
    bench = Bench(MemorySink(moody))
    bench.submit(operations(10))
    waits = []
    for _ in range(8):
        waits.append(bench.settle())
        bench.time.now += waits[-1]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    moody.always = None
    bench.settle(60)
    moody.errors = [down()]
    bench.submit(operations(10))
    assert bench.settle() == 1


def test_without_a_spool_it_waits_in_memory_and_drops_what_has_no_room(caplog):
    moody = Moody()
    moody.always = down()
    bench = Bench(MemorySink(moody), max_bytes=50_000)
    made = bench.submit(operations(100))
    bench.settle(100)
    held = bench.counters.queued
    assert 40 < held < 100
    assert bench.counters == Counters(emitted=100, queued=held, dropped=100 - held)
    moody.always = None
    bench.settle(200)
    assert bench.sink.operations == made[:held]
    assert sum("Operations were dropped" in each for each in caplog.messages) == 1
    assert sum("It is down" in each for each in caplog.messages) == 1


def test_with_a_spool_it_holds_one_batch_for_one_failure(tmp_path, caplog):
    moody = Moody(down())
    bench = Bench(MemorySink(moody), Spool(tmp_path / "spool"))
    bench.submit(operations(10))
    bench.settle(1.1)
    assert bench.counters == Counters(emitted=10, sent=10)
    assert not (tmp_path / "spool").exists()
    moody.errors = [down(), down()]
    made = bench.submit(operations(30))
    bench.settle(1.5)
    assert bench.counters.spooled == 30
    bench.settle(120)
    assert bench.counters == Counters(emitted=40, sent=40)
    assert identities(bench.sink.operations[10:]) == identities(made)
    assert not list((tmp_path / "spool").glob("*/*"))
    assert sum("to be sent later" in each for each in caplog.messages) == 1


def test_an_outage_is_told_of_each_time(caplog):
    bench = Bench(MemorySink(Moody(down(), down(), None, down())))
    bench.submit(operations(10))
    bench.settle(10)
    bench.submit(operations(10))
    bench.settle(10)
    assert sum("It is down" in each for each in caplog.messages) == 2


def test_a_key_that_is_refused_is_not_tried_again_soon(tmp_path, caplog):
    moody = Moody()
    moody.always = KeyRefusedError("No such key.")
    bench = Bench(MemorySink(moody), Spool(tmp_path))
    bench.submit(operations(20))
    bench.settle(29)
    assert bench.counters.spooled == 20
    moody.always = None
    bench.settle(0.5)
    assert bench.counters.sent == 0
    bench.settle(60)
    assert bench.counters.sent == 20
    assert sum("No such key" in each for each in caplog.messages) == 1


def test_what_is_too_large_is_halved_down_to_the_one(caplog):
    big = operation()

    def answer(some):
        if big in some:
            raise BatchTooLargeError("Too large.")

    bench = Bench(MemorySink(answer))
    small = operations(9)
    bench.submit([*small[:4], big, *small[4:]])
    bench.settle()
    assert bench.sink.operations == small
    assert bench.counters == Counters(emitted=10, sent=9, dropped=1)
    assert repr(big) in caplog.text


def test_progress_in_a_split_batch_outlives_a_failure():
    moody = Moody(BatchTooLargeError("Too large."), None, down())
    bench = Bench(MemorySink(moody))
    made = bench.submit(operations(10))
    bench.settle(5)
    assert bench.sink.operations == made
    assert bench.sink.batches == [5, 5]


def test_attachments_go_first():
    def answer(some):
        if any(each.attachments for each in some):
            raise BatchTooLargeError("Too large.")

    bench = Bench(MemorySink(answer))
    whole = operation(attachments={"film": Attachment("video/mp4", b"x" * 1000)})
    bench.submit([whole])
    bench.settle(1)
    (bare,) = bench.sink.operations
    assert bare.attachments == {}
    assert (bare.head, bare.parts) == (whole.head, whole.parts)
    assert whole.attachments


def test_of_a_batch_that_is_rejected_the_one_to_blame_is_dropped(caplog):
    bad = operation()
    bench = Bench(MemorySink(fails_over(bad, error=BatchRejectedError("Never."))))
    made = operations(19)
    bench.submit([*made[:7], bad, *made[7:]])
    bench.settle()
    assert bench.sink.operations == made
    assert bench.counters == Counters(emitted=20, sent=19, dropped=1)
    assert sum("Never." in each for each in caplog.messages) == 1
    assert "not kept, as there is no spool" in caplog.text


def test_of_a_sink_that_rejects_everything_not_much_is_asked():
    moody = Moody()
    moody.always = BatchRejectedError("Never.")
    asked = []
    bench = Bench(MemorySink(lambda some: (asked.append(some), moody(some))), max_bytes=10**7)
    bench.submit(operations(1000))
    bench.settle()
    assert bench.counters == Counters(emitted=1000, dropped=1000)
    assert len(asked) < 150
    moody.always = None
    bench.submit(made := operations(10))
    bench.settle()
    assert bench.sink.operations == made


def test_a_bug_in_a_sink_loses_nothing(caplog):
    bench = Bench(MemorySink(Moody(ZeroDivisionError("oops"))))
    bench.submit(operations(10))
    bench.settle(5)
    assert bench.counters == Counters(emitted=10, sent=10)
    assert "oops" in caplog.text


def test_at_the_end_nothing_waits(tmp_path):
    moody = Moody()
    moody.always = down()
    bench = Bench(MemorySink(moody), Spool(tmp_path))
    bench.submit(operations(25))
    bench.intake.close()
    bench.shipping.closing = True
    while not bench.shipping.is_done:
        assert bench.shipping.step() == 0
    assert bench.counters == Counters(emitted=25, spooled=25)


def test_a_spool_that_can_not_be_written_keeps_operations_in_memory(tmp_path, caplog):
    (tmp_path / "spool").write_text("a file, where a directory should be")
    moody = Moody()
    moody.always = down()
    bench = Bench(MemorySink(moody), Spool(tmp_path / "spool"))
    made = bench.submit(operations(25))
    bench.settle(100)
    assert bench.counters == Counters(emitted=25, queued=25)
    moody.always = None
    bench.settle(100)
    assert bench.sink.operations == made
    assert sum("can't be used" in each for each in caplog.messages) == 1


def test_the_next_process_sends_what_this_one_leaves(tmp_path):
    moody = Moody()
    moody.always = down()
    first = Bench(MemorySink(moody), spool := Spool(tmp_path))
    made = first.submit(operations(25))
    first.settle(10)
    spool.close()
    second = Bench(MemorySink(), Spool(tmp_path))
    second.settle()
    assert identities(second.sink.operations) == identities(made)
    assert second.counters == Counters(recovered=25, sent=25)


def test_a_process_that_ends_later_is_found_later(tmp_path):
    living = Spool(tmp_path)
    living.append(operations(5))
    bench = Bench(MemorySink(), Spool(tmp_path))
    bench.settle(100)
    assert bench.counters == Counters()
    living.close()
    bench.settle(60)
    assert bench.counters == Counters(recovered=5, sent=5)
