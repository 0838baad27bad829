"""A sink that fails over some operations, and a sink that fails: which of them it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callboard.errors import SinkUnavailableError
from callboard.export import Counters, MemorySink, Spool
from callboard.wire.operations import Operation
from tests.unit.export.made import Bench, identities, operation, operations


class Bad:
    """An answer that fails over some operations, and over all while the sink is down."""

    def __init__(self, *bad):
        self.bad = {*identities(bad)}
        self.down = False
        self.asked = 0

    def __call__(self, some):
        self.asked += 1
        if self.down or self.bad & {*identities(some)}:
            raise SinkUnavailableError("It broke.", suspicious=True)


def runs(count):
    """Creates and updates: the creates first, then their updates."""
    made = operations(count)
    return made, [Operation("update", each.run_id, dict(each.head)) for each in made]


def traffic(bench, rounds, seconds=5.0):
    """Let time pass in which other things are sent; return them."""
    made = []
    for _ in range(rounds):
        made += bench.submit(operations(2))
        bench.settle(seconds)
    return made


@pytest.fixture(params=["spool", "memory"])
def spool(request, tmp_path):
    spool = Spool(tmp_path / "spool") if request.param == "spool" else None
    yield spool
    if spool is not None:
        spool.close()


@pytest.mark.parametrize("place", [0, 4, 9])
def test_the_one_to_blame_is_found_and_all_others_are_sent_once(spool, place, caplog):
    made = operations(10)
    bad = made.pop(place)
    bench = Bench(MemorySink(Bad(bad)), spool)
    bench.submit([*made[:place], bad, *made[place:]])
    bench.settle(10)
    others = traffic(bench, 40, 20)
    assert sorted(identities(bench.sink.operations)) == sorted(identities(made + others))
    assert bench.counters == Counters(emitted=90, sent=89, dropped=1)
    assert sum(repr(bad) in each for each in caplog.messages) == 1
    assert not bench.shipping._doubts


def test_those_that_came_with_it_get_through_though_nothing_else_is_sent(spool):
    made = operations(10)
    bench = Bench(MemorySink(Bad(made[3])), spool)
    bench.submit(made)
    bench.settle(300)
    assert bench.counters.sent == 9
    assert bench.counters.dropped == 0


def test_it_holds_nobody_up_for_long(spool):
    bad = operation()
    bench = Bench(MemorySink(Bad(bad)), spool)
    bench.submit([bad])
    bench.settle(20)
    made = bench.submit(operations(30))
    bench.settle(1)
    assert identities(bench.sink.operations) == identities(made)


def test_two_in_a_row_do_not_look_like_an_outage_for_long(spool):
    bad = operations(20)
    bench = Bench(MemorySink(Bad(*bad)), spool)
    bench.submit(bad)
    bench.settle(30)
    made = bench.submit(operations(30))
    bench.settle(120)
    assert identities(bench.sink.operations) == identities(made)


def test_in_an_outage_nobody_is_blamed_however_long_it_takes(spool):
    bad = Bad()
    bad.down = True
    bench = Bench(MemorySink(bad), spool)
    made = bench.submit(operations(40))
    bench.settle(100_000)
    assert bench.counters.dropped == 0
    assert bad.asked < 3000
    bad.down = False
    bench.settle(200)
    assert sorted(identities(bench.sink.operations)) == sorted(identities(made))
    assert bench.counters == Counters(emitted=40, sent=40)
    assert max(bench.sink.batches) == 10  # What was not to blame is not sent in pieces.


def test_a_single_operation_with_nothing_beside_it_waits_as_in_an_outage(spool):
    bad = operation()
    answer = Bad(bad)
    bench = Bench(MemorySink(answer), spool)
    bench.submit([bad])
    bench.settle(100_000)
    assert bench.counters.dropped == 0
    answer.bad.clear()
    bench.settle(200)
    assert bench.counters == Counters(emitted=1, sent=1)


def test_what_fails_alone_for_an_hour_is_dropped_though_little_else_is_sent(spool):
    bad = operation()
    bench = Bench(MemorySink(Bad(bad)), spool)
    bench.submit([bad])
    bench.settle(20)
    traffic(bench, 1)
    bench.settle(3000)
    assert bench.counters.dropped == 0
    bench.settle(2000)
    assert bench.counters.dropped == 1


def test_what_fails_for_a_while_is_sent_when_that_is_over(spool):
    bad = operation()
    answer = Bad(bad)
    bench = Bench(MemorySink(answer), spool)
    bench.submit([bad, *operations(4)])
    bench.settle(20)
    traffic(bench, 1)
    answer.bad.clear()
    traffic(bench, 20, 10)
    assert bench.counters.dropped == 0
    assert identities([bad])[0] in identities(bench.sink.operations)


def test_what_is_told_of_a_run_in_doubt_waits_behind_it(spool):
    (create, *others), (update, *updates) = runs(5)
    answer = Bad(create)
    bench = Bench(MemorySink(answer), spool)
    bench.submit([create, *others])
    bench.settle(20)
    bench.submit([update, *updates])
    traffic(bench, 1)
    assert identities([update])[0] not in identities(bench.sink.operations)
    answer.bad.clear()
    traffic(bench, 40, 20)
    sent = identities(bench.sink.operations)
    for one, two in zip([create, *others], [update, *updates], strict=True):
        assert sent.index(identities([one])[0]) < sent.index(identities([two])[0])


def test_an_update_is_sent_though_its_create_had_to_be_dropped(spool):
    (create,), (update,) = runs(1)
    bench = Bench(MemorySink(Bad(create)), spool)
    bench.submit([create, update])
    bench.settle(20)
    traffic(bench, 40, 20)
    assert identities([update])[0] in identities(bench.sink.operations)
    assert bench.counters.dropped == 1


def test_what_is_dropped_is_kept_beside_the_spool(tmp_path, caplog):
    bad = operation()
    spool = Spool(tmp_path / "spool")
    bench = Bench(MemorySink(Bad(bad)), spool)
    bench.submit([bad])
    bench.settle(20)
    traffic(bench, 40, 20)
    assert f"It is kept in {tmp_path / 'spool' / 'quarantine'}" in caplog.text
    spool.close()
    kept = Spool(tmp_path / "spool" / "quarantine")
    assert kept.adopt() == 1
    parcel = kept.take(10, 10**6)
    assert identities(parcel.operations) == identities([bad])
    kept.close()
    assert Spool(tmp_path / "spool").adopt() == 0  # Nobody sends it again by chance.


def test_what_is_too_big_for_the_quarantine_is_not_kept_and_that_is_said(tmp_path, caplog):
    bad = operation(size=40_000)
    spool = Spool(tmp_path, max_bytes=200_000)
    bench = Bench(MemorySink(Bad(bad)), spool)
    bench.submit([bad])
    bench.settle(20)
    traffic(bench, 40, 20)
    assert bench.counters.dropped == 1
    assert "has no room for it" in caplog.text
    spool.close()


def test_the_next_process_gets_what_is_in_doubt_and_nothing_twice(tmp_path):
    bad = operation()
    spool = Spool(tmp_path)
    bench = Bench(MemorySink(Bad(bad)), spool)
    made = bench.submit([*operations(4), bad, *operations(4)])
    made.remove(bad)
    bench.settle(20)
    made += traffic(bench, 1)
    assert bench.counters.spooled >= 1
    spool.close()
    second = Bench(MemorySink(), Spool(tmp_path))
    second.settle(1)
    both = identities(bench.sink.operations) + identities(second.sink.operations)
    assert sorted(both) == sorted(identities([*made, bad]))


def test_what_is_told_of_a_run_in_the_spool_goes_there_too_and_the_rest_does_not(tmp_path):
    creates, updates = runs(30)
    answer = Bad()
    answer.down = True
    bench = Bench(MemorySink(answer), Spool(tmp_path))
    bench.submit(creates)
    bench.settle(20)
    assert bench.counters.spooled == 30
    answer.down = False
    fresh = bench.submit(operations(5))
    bench.submit(updates)
    bench.settle(100)
    sent = identities(bench.sink.operations)
    assert sorted(sent) == sorted(identities([*creates, *updates, *fresh]))
    for one, two in zip(identities(creates), identities(updates), strict=True):
        assert sent.index(one) < sent.index(two)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_whoever_is_to_blame_and_however_it_goes_on(tmp_path_factory, data):
    """Everything is sent once and in order, or dropped; and only what is to blame is dropped."""
    creates, updates = runs(data.draw(st.integers(1, 25)))
    every = data.draw(st.permutations([*creates, *updates]))
    # A run is told of in order.
    order = {
        each.run_id: iter(pair)
        for each, pair in zip(creates, zip(creates, updates, strict=True), strict=True)
    }
    every = [next(order[each.run_id]) for each in every]
    bad = data.draw(st.lists(st.sampled_from(every), unique_by=id, max_size=6))
    answer = Bad(*bad)
    spool = Spool(tmp_path_factory.mktemp("spool")) if data.draw(st.booleans()) else None
    bench = Bench(MemorySink(answer), spool)
    rest = list(every)
    others = []
    while rest:
        count = data.draw(st.integers(1, 12))
        bench.submit(rest[:count])
        del rest[:count]
        answer.down = data.draw(st.booleans())
        bench.settle(data.draw(st.floats(0, 10)))
    answer.down = False
    bench.settle(300)
    others = traffic(bench, 60, 30)
    sent = identities(bench.sink.operations)
    good = {*identities(every)} - {*identities(bad)}
    assert sorted(sent) == sorted([*good, *identities(others)])
    assert bench.counters.dropped == len(bad)
    for create, update in zip(identities(creates), identities(updates), strict=True):
        if create in good and update in good:
            assert sent.index(create) < sent.index(update)
    if spool is not None:
        spool.close()
