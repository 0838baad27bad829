from __future__ import annotations

import sys
from uuid import uuid4

import pytest

from callboard.export.counters import Counters, Fate, Ledger
from callboard.export.intake import OVERHEAD, Added, Intake
from callboard.wire.operations import LateOperation
from tests.unit.export.made import operation, operations

SIZE = 1000 - OVERHEAD


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def intake(ledger):
    return Intake(ledger, max_bytes=10_000, mark=5_000, batch_count=3, batch_bytes=4_000)


def add(intake, count):
    return [intake.add(operation(), SIZE) for _ in range(count)]


def test_it_says_when_somebody_has_to_look(intake):
    quiet, due, high, refused = Added
    assert add(intake, 11) == [
        due,  # The first.
        quiet,
        due,  # Enough operations.
        due,  # Enough bytes.
        quiet,
        high,
        *[quiet] * 4,
        refused,
    ]


def test_what_is_refused_is_counted(intake, ledger):
    add(intake, 12)
    assert ledger.counters == Counters(emitted=12, queued=10, dropped=2)


def test_what_is_under_way_takes_room_until_it_is_settled(intake, ledger):
    add(intake, 10)
    batch = intake.take(3, 10**6)
    assert add(intake, 1) == [Added.REFUSED]
    intake.settle(batch, Fate.SENT, 2)
    assert add(intake, 1) == [Added.REFUSED]
    intake.settle(batch, Fate.SPOOLED, 1)
    assert add(intake, 1) != [Added.REFUSED]
    assert ledger.counters == Counters(emitted=13, queued=8, sent=2, spooled=1, dropped=2)


def test_batches_are_bounded_by_count_and_bytes_but_never_empty(intake):
    added = operations(6)
    for each in added[:5]:
        intake.add(each, SIZE)
    assert intake.take(2, 10**6).operations == added[:2]
    assert intake.take(100, 2_500).operations == added[2:4]
    assert intake.take(100, 1).operations == added[4:5]
    assert intake.take(100, 1) is None


def test_waiting_ends_when_all_before_a_position_is_settled(intake):
    add(intake, 2)
    first, second = intake.take(1, 10**6), intake.take(1, 10**6)
    position = intake.hurry()
    add(intake, 1)
    intake.settle(second, Fate.SENT, 1)
    assert not intake.wait_past(position, 0, lambda: False)
    intake.settle(first, Fate.SENT, 1)
    assert intake.wait_past(position, 0, lambda: False)
    assert not intake.wait_past(intake.hurry(), 60, lambda: True)


def test_what_was_seized_can_not_be_settled_by_who_had_it(intake, ledger):
    added = operations(4)
    for each in added:
        intake.add(each, SIZE)
    batch = intake.take(2, 10**6)
    assert intake.seize() == added
    intake.settle(batch, Fate.SENT, 2)
    assert not batch.groups
    assert ledger.counters.queued == 4
    assert intake.size == 0


def test_once_closed_it_takes_nothing(intake, ledger):
    intake.close()
    assert add(intake, 1) == [Added.REFUSED]
    assert ledger.counters == Counters(emitted=1, dropped=1)


def test_counters_read_well():
    assert str(Counters(3, 0, 1, 2)) == "emitted 3, queued 1, sent 2, spooled 0, dropped 0"
    assert str(Counters(3, 1)).startswith("emitted 3, recovered 1, queued 0")


def late(told="start", size=SIZE):
    return LateOperation("create", uuid4(), lambda told: ({"name": told}, {}), told, size)


def test_what_waits_can_be_told_anew_and_goes_out_once(intake, ledger):
    start = late()
    intake.add(start, SIZE)
    assert intake.retell(start, "whole", 300) is Added.QUIETLY
    assert intake.take(3, 10**6).operations == [start]
    assert start.head == {"name": "whole"}
    assert ledger.counters.emitted == 1


def test_what_is_on_its_way_stays_as_it_is(intake):
    taken, seized, refused = late(), late(), late(size=20_000)
    intake.add(taken, SIZE)
    intake.take(1, 10**6)
    intake.add(seized, SIZE)
    intake.seize()
    assert intake.add(refused, 20_000) is Added.REFUSED
    for each in (taken, seized, refused):
        assert intake.retell(each, "whole", 300) is None
        assert each.head == {"name": "start"}


def test_what_was_read_stays_as_it_is(intake):
    start = late()
    intake.add(start, SIZE)
    assert start.head == {"name": "start"}
    assert intake.retell(start, "whole", 300) is None


def test_what_is_sealed_stays_as_it_is(intake):
    start = late()
    intake.add(start, SIZE)
    intake.seal()
    assert intake.retell(start, "whole", 300) is None


def test_what_is_sealed_tells_what_it_told_then(intake):
    goes_on = {"name": "start"}
    start = LateOperation("create", uuid4(), lambda told: (dict(told), {}), goes_on, SIZE)
    intake.add(start, SIZE)
    intake.seal()
    goes_on["name"] = "later"
    assert start.head == {"name": "start"}


def unreadable():
    return LateOperation("create", uuid4(), lambda told: told.nothing, None, SIZE)


def test_what_can_not_be_put_together_is_dropped_and_the_rest_goes_on(intake, ledger, caplog):
    added = [operation(), unreadable(), operation(), unreadable()]
    for each in added:
        intake.add(each, SIZE)
    batch = intake.take(4, 10**6)
    assert batch.operations == [added[0], added[2]]
    intake.settle(batch, Fate.SENT, 2)
    assert ledger.counters == Counters(emitted=4, sent=2, dropped=2)
    assert intake.size == 0
    [said] = caplog.messages
    assert f"{added[1].run_id} can't be put together" in said


def test_a_batch_of_which_nothing_can_be_put_together_is_settled(intake, ledger):
    intake.add(unreadable(), SIZE)
    assert intake.take(1, 10**6).operations == []
    assert intake.wait_past(intake.hurry(), 0, lambda: False)
    assert ledger.counters == Counters(emitted=1, dropped=1)


def test_nor_does_it_keep_the_rest_from_being_seized(intake, ledger):
    added = [unreadable(), operation()]
    for each in added:
        intake.add(each, SIZE)
    assert intake.seize() == added[1:]
    assert ledger.counters == Counters(emitted=2, queued=1, dropped=1)


def test_who_adds_may_be_interrupted_by_somebody_who_adds(intake):
    # Where a handler of signals would run: when a function that was called has returned.
    def interrupt(_, event, called):
        if event == "c_return" and called.__name__ == "append":
            sys.setprofile(None)
            intake.add(operation(), SIZE)

    sys.setprofile(interrupt)
    try:
        intake.add(operation(), SIZE)
    finally:
        sys.setprofile(None)
    assert intake.size == 2 * (SIZE + OVERHEAD)


def test_what_is_told_anew_counts_by_its_new_size(intake):
    start = late(size=100)
    intake.add(start, 100)
    assert intake.retell(start, "whole", 5_000) is Added.HIGH
    assert intake.size == 5_000 + OVERHEAD
    assert intake.retell(start, "more", 20_000) is None
    assert intake.retell(start, "less", 200) is Added.QUIETLY
    batch = intake.take(1, 10**6)
    assert (batch.size, intake.size) == (200 + OVERHEAD, 200 + OVERHEAD)
    intake.settle(batch, Fate.SENT, 1)
    assert intake.size == 0


def test_what_is_told_anew_and_urgent_is_waited_for(intake):
    start = late()
    intake.add(start, SIZE)
    intake.add(operation(), SIZE)
    assert intake.retell(start, "whole", 300, True) is Added.DUE
    assert intake.is_hurried(intake.take(1, 10**6))
