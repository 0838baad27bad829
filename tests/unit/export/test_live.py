from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from callboard import ids
from callboard.errors import BadBodyError, BodyTooLargeError
from callboard.export import MemorySink
from callboard.export.live import Live, LiveCounters
from callboard.wire.progress import MAX_BODY, MAX_MESSAGES, MAX_TEXT, Progress, decode, encode
from tests.unit.export.made import Bench

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def begun(live):
    run_id = ids.new_id()
    live.begin(run_id, run_id, NOON, "mine")
    return run_id


@pytest.fixture
def live():
    return Live(lambda: None, wanted=True)


def test_a_body_is_read_as_it_was_written():
    one = Progress(ids.new_id(), ids.new_id(), 0, 0, "naïve\n\u2028\N{PARTY POPPER}", NOON, "mine")
    two = Progress(one.run_id, one.trace_id, 1, 9, "", NOON, "")
    body = encode([one, two])
    assert body.count(b"\n") == 2
    assert decode(body) == [one, two]


def test_half_a_character_is_told_as_one_that_is_unknown():
    one = Progress(ids.new_id(), ids.new_id(), 0, 0, "a\ud83d", NOON, "mine")
    assert decode(encode([one]))[0].text == "a\ufffd"


@pytest.mark.parametrize(
    "line",
    [b"{}", b"[]", b"7", b"{", b'{"run_id": "x"}'],
)
def test_what_is_no_message_is_refused(line):
    with pytest.raises(BadBodyError):
        decode(line)


@pytest.mark.parametrize("change", [{"sequence": -1}, {"offset": True}, {"text": None}])
def test_a_message_with_a_wrong_value_is_refused_and_its_line_named(change):
    good = Progress(ids.new_id(), ids.new_id(), 0, 0, "a", NOON, "mine")
    bad = Progress(**{name: getattr(good, name) for name in Progress.__slots__} | change)
    with pytest.raises(BadBodyError, match="Line 2"):
        decode(encode([good, bad]))


def test_a_body_is_bounded():
    good = Progress(ids.new_id(), ids.new_id(), 0, 0, "x" * (MAX_TEXT + 1), NOON, "mine")
    for body in (b" " * (MAX_BODY + 1), b"\n" * (MAX_MESSAGES + 1), encode([good])):
        with pytest.raises(BodyTooLargeError):
            decode(body)


def test_what_is_said_at_once_is_one_piece_and_the_thread_is_woken_once():
    woken = []
    live = Live(lambda: woken.append(1), wanted=True)
    run = begun(live)
    for token in "abc":
        live.add(run, token)
    assert len(woken) == 1
    assert [each.text for each in live.take()] == ["abc"]
    assert not live.waits
    live.add(run, "d")
    assert [(each.sequence, each.offset, each.text) for each in live.take()] == [(1, 3, "d")]
    assert len(woken) == 2


def test_offsets_count_on_over_what_was_dropped(live):
    run = begun(live)
    live.add(run, "abc")
    live.drop()
    live.add(run, "d")
    assert [(each.sequence, each.offset, each.text) for each in live.take()] == [(1, 3, "d")]
    assert live.counters == LiveCounters(dropped=1)


def test_whatever_is_said_it_fits_into_a_body(live):
    for _ in range(60):
        run = begun(live)
        live.add(run, "\x00" * 100_000)
    bodies = 0
    while live.waits:
        assert decode(encode(live.take()))
        bodies += 1
    assert bodies > 10


def test_what_nobody_takes_is_bounded(live):
    run = begun(live)
    for _ in range(25_000):
        live.add(run, "x")
    [piece] = live.take()
    assert piece.offset + len(piece.text) == 25_000
    assert len(piece.text) <= 10_000
    assert live.counters.dropped == 2
    for _ in range(10_001):
        begun(live)
    live.add(run, "x")  # It has been the oldest for long.
    assert not live.waits


class Undecided(MemorySink):
    """A sink that does not know yet whether it takes progress."""

    interval = None

    def __init__(self):
        super().__init__()
        self.told = []

    def progress_interval(self):
        return self.interval

    def send_progress(self, pieces):
        self.told += pieces


def test_what_is_said_before_it_is_known_whether_anybody_listens_is_kept():
    sink = Undecided()
    bench = Bench(sink)
    run = begun(bench.live)
    bench.live.add(run, "early ")
    bench.settle(5)
    assert bench.live.waits
    sink.interval = 0.1
    bench.live.add(run, "late")
    bench.settle(5)
    assert [each.text for each in sink.told] == ["early late"]
    assert bench.live.counters == LiveCounters(sent=1)


def test_it_is_told_no_more_often_than_the_sink_asks_for():
    sink = Undecided()
    sink.interval = 2.0
    bench = Bench(sink)
    run = begun(bench.live)
    for _ in range(100):
        bench.live.add(run, "x")
        bench.settle(0.1)
    assert 5 <= len(sink.told) <= 6


def test_nothing_is_lost_between_the_threads(live):
    run = begun(live)
    done = threading.Event()

    def say():
        for number in range(20_000):
            live.add(run, f"{number} ")
        done.set()

    thread = threading.Thread(target=say)
    thread.start()
    pieces = []
    while not done.is_set():
        pieces += live.take()
    thread.join()
    pieces += live.take()
    whole = "".join(f"{number} " for number in range(20_000))
    for each in pieces:
        assert whole[each.offset : each.offset + len(each.text)] == each.text
    said = sum(len(each.text) for each in pieces)
    assert said == len(whole) or live.counters.dropped
