"""Export over HTTP to a real server, in a process of its own, that has every trouble there is.

At the end of each test every operation has arrived exactly once, by kind and run id, or its
loss is counted and said.
"""

from __future__ import annotations

import gc
import logging
import threading

import pytest

from callboard import ids
from callboard.export import Exporter, HttpSink, Spool
from callboard.export.pace import Pace
from callboard.export.retry import Backoff
from callboard.wire.operations import Attachment, Operation
from tests.integrations.receiver import INFO, until

QUICK = Pace(linger=0.01, backoff=Backoff(0.01, 0.05))


@pytest.fixture
def made():
    """Makes exporters that are shut down at the end, and leave nothing open."""
    before = set(threading.enumerate())
    exporters = []

    def make(receiver, spool=None, key=None, read_timeout=5.0, **options):
        sink = HttpSink(receiver.url, key, read_timeout=read_timeout)
        spool = spool and Spool(spool)
        exporters.append(Exporter(sink, spool=spool, **{"pace": QUICK} | options))
        return exporters[-1]

    yield make
    for exporter in exporters:
        exporter.shutdown(10)
    exporters.clear()
    gc.collect()
    until(lambda: set(threading.enumerate()) <= before)


def operation(kind="create", run_id=None, size=200, **more):
    run_id = run_id or ids.new_id()
    head = {"id": str(run_id), "trace_id": str(run_id), "name": "a run", "run_type": "chain"}
    field = "inputs" if kind == "create" else "outputs"
    return Operation(kind, run_id, head, {field: {"text": "x" * size}}, **more)


def runs(count):
    for _ in range(count):
        run_id = ids.new_id()
        yield operation("create", run_id)
        yield operation("update", run_id)


def submit(exporter, operations):
    names = set()
    for each in operations:
        exporter.submit(each)
        names.add((each.kind, str(each.run_id)))
    return names


def is_settled(exporter):
    counters = exporter.counters
    return counters.queued == counters.spooled == 0


def test_runs_arrive_once(receiver, made):
    exporter = made(receiver)
    names = submit(exporter, runs(250))
    assert exporter.flush(10)
    assert receiver.arrivals() == dict.fromkeys(names, 1)
    assert exporter.counters.sent == 500
    assert set(receiver.state()["seen"]) == {"/runs/multipart accept"}


@pytest.mark.parametrize(
    "step",
    [
        {"do": 500},
        {"do": 503},
        {"do": 408},
        {"do": 425},
        {"do": 429, "headers": {"Retry-After": "0"}},
        {"do": 429, "headers": {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}},
        {"do": 302, "headers": {"Location": "/elsewhere"}},
        {"do": "reset"},
        {"do": "hang"},
    ],
    ids=["500", "503", "408", "425", "429", "429-date", "302", "reset", "hang"],
)
@pytest.mark.parametrize("spooled", [True, False], ids=["spool", "memory"])
def test_trouble_that_passes_loses_nothing(receiver, made, tmp_path, step, spooled, caplog):
    receiver.tell(plan=[step, step, step])
    hangs = step["do"] == "hang"
    patience = 0.1 if hangs else 5.0
    exporter = made(receiver, tmp_path / "spool" if spooled else None, read_timeout=patience)
    names = submit(exporter, runs(30))
    until(lambda: is_settled(exporter))
    arrivals = receiver.arrivals()
    # With so little patience an answer may be missed, and what it was for sent again.
    assert arrivals.keys() == names if hangs else arrivals == dict.fromkeys(names, 1)
    assert exporter.counters.sent == 60
    warnings = [each for each in caplog.messages if "take" in each]
    assert len(warnings) == len({*warnings}) == 1


def test_answers_that_are_lost_cost_repetitions_and_no_more(receiver, made):
    receiver.tell(plan=[{"do": 500, "keep": True}, {"do": 409, "keep": True}])
    exporter = made(receiver)
    names = submit(exporter, runs(10))
    assert exporter.flush(10)
    assert receiver.arrivals().keys() == names
    assert exporter.counters.sent == 20


def test_a_server_that_is_killed_and_comes_back(receiver, made, tmp_path):
    exporter = made(receiver, tmp_path / "spool", batch_count=20)
    names = submit(exporter, runs(50))
    receiver.kill()
    for _ in range(10):
        names |= submit(exporter, runs(20))
        exporter.flush(10)
    assert exporter.counters.spooled > 0
    receiver.start()
    until(lambda: is_settled(exporter))
    assert receiver.arrivals().keys() == names
    assert exporter.counters.sent == 500
    assert exporter.counters.dropped == 0


def test_a_server_killed_again_and_again(receiver, made, tmp_path):
    exporter = made(receiver, tmp_path / "spool", batch_count=10)
    names = set()
    for _ in range(4):
        names |= submit(exporter, runs(50))
        receiver.kill()
        names |= submit(exporter, runs(50))
        receiver.start()
    until(lambda: is_settled(exporter))
    assert receiver.arrivals().keys() == names
    assert exporter.counters.sent == 800


def test_too_many_operations_are_sent_in_parts(receiver, made):
    receiver.tell(max_operations=7)
    exporter = made(receiver)
    names = submit(exporter, runs(50))
    assert exporter.flush(10)
    assert receiver.arrivals() == dict.fromkeys(names, 1)


def test_one_that_is_too_large_is_dropped_alone(receiver, made, caplog):
    receiver.tell(max_bytes=5000, info={**INFO, "instance_flags": {}})
    exporter = made(receiver)
    names = submit(exporter, runs(5))
    submit(exporter, [operation(size=20_000), operation(size=30_000)])
    names |= submit(exporter, runs(5))
    assert exporter.flush(10)
    assert receiver.arrivals() == dict.fromkeys(names, 1)
    assert exporter.counters.dropped == 2
    assert sum("too large on its own" in each for each in caplog.messages) == 1
    assert "Too many bytes" in caplog.text


def test_attachments_are_left_out_before_an_operation_is(receiver, made, caplog):
    receiver.tell(max_bytes=5000, info={**INFO, "instance_flags": {}})
    exporter = made(receiver)
    small = operation(attachments={"note": Attachment("text/plain", b"hello")})
    large = operation(attachments={"film": Attachment("video/mp4", b"x" * 50_000)})
    names = submit(exporter, [small, large])
    assert exporter.flush(10)
    assert receiver.arrivals() == dict.fromkeys(names, 1)
    assert receiver.attachments() == {str(small.run_id): ["note"], str(large.run_id): []}
    assert sum("attachments" in each for each in caplog.messages) == 1


@pytest.mark.parametrize("status", [400, 404, 422])
def test_what_will_never_be_taken_is_dropped_and_said_once(receiver, made, status, caplog):
    receiver.tell(always={"do": status, "detail": "no such\nrun_type"})
    exporter = made(receiver, batch_count=10)
    submit(exporter, runs(50))
    assert exporter.flush(10)
    assert exporter.counters.dropped == 100
    said = [each for each in caplog.messages if "no such run_type" in each]
    assert len(said) == 1
    assert str(status) in said[0]


@pytest.mark.parametrize("key", [None, "wrong-and-secret"])
def test_a_key_that_is_not_accepted_keeps_operations_in_the_spool(
    receiver, made, tmp_path, key, caplog
):
    receiver.tell(key="right")
    exporter = made(receiver, tmp_path / "spool", key)
    names = submit(exporter, runs(20))
    exporter.flush(10)
    names |= submit(exporter, runs(20))
    exporter.flush(10)
    assert exporter.counters.spooled == 80
    said = [each for each in caplog.records if "API key" in each.message]
    assert len(said) == 1
    assert said[0].levelno == logging.ERROR
    assert ("refused" if key else "none was given") in said[0].message
    assert "secret" not in caplog.text
    assert "secret" not in repr(exporter)
    exporter.shutdown(5)
    with_the_right_one = made(receiver, tmp_path / "spool", "right")
    submit(with_the_right_one, [])
    with_the_right_one.submit(operation())
    receiver.wait_for(names)
    until(lambda: is_settled(with_the_right_one))
    assert with_the_right_one.counters.recovered == 80


def test_one_that_can_not_be_encoded_is_dropped_alone(receiver, made, caplog):
    exporter = made(receiver, pace=Pace(linger=3600))
    bad = operation(attachments={"film": Attachment("video/mp4", 17)})
    names = submit(exporter, runs(10))
    exporter.submit(bad)
    names |= submit(exporter, runs(10))
    assert exporter.flush(10)
    assert receiver.arrivals() == dict.fromkeys(names, 1)
    assert exporter.counters.dropped == 1
    assert f"{bad!r} can't be encoded" in caplog.text


def test_an_answer_without_an_end_in_sight_is_not_read_to_it(receiver, made, caplog):
    receiver.tell(plan=[{"do": 400, "detail": "no " * 100_000}])
    exporter = made(receiver)
    submit(exporter, [operation()])
    assert exporter.flush(10)
    names = submit(exporter, runs(10))
    assert exporter.flush(10)
    assert receiver.arrivals() == dict.fromkeys(names, 1)
    assert len(caplog.text) < 5000


@pytest.mark.parametrize(
    "step",
    [{"do": 500}, {"do": 502}, {"do": "reset"}, {"do": "hang"}, {"do": 422}, {"do": 400}],
    ids=["500", "502", "reset", "hang", "422", "400"],
)
@pytest.mark.parametrize("spooled", [True, False], ids=["spool", "memory"])
def test_what_a_server_fails_over_is_dropped_alone_and_said_once(
    receiver, made, tmp_path, step, spooled, caplog
):
    spool = tmp_path / "spool" if spooled else None
    exporter = made(receiver, spool, read_timeout=0.1 if step["do"] == "hang" else 5.0)
    create, update = runs(1)
    receiver.tell(poison={f"create {create.run_id}": step})
    names = submit(exporter, runs(10))
    exporter.submit(create)
    names |= submit(exporter, [update, *runs(10)])

    def is_found_out():
        submit_more()
        return exporter.counters.dropped

    def submit_more():
        if exporter.counters.queued < 50:
            names.update(submit(exporter, runs(1)))

    until(is_found_out)
    until(lambda: is_settled(exporter))
    assert exporter.counters.dropped == 1
    arrivals = receiver.arrivals()
    if step["do"] == "hang":  # With so little patience an answer may be missed.
        assert arrivals.keys() == names
    else:
        assert arrivals == dict.fromkeys(names, 1)
    [said] = [each for each in caplog.messages if "is dropped" in each or "are dropped" in each]
    assert ("It is kept in" if spooled else "not kept, as there is no spool") in said
    if spooled:
        exporter.shutdown(5)
        kept = Spool(spool / "quarantine")
        assert kept.adopt() == 1
        assert [each.run_id for each in kept.take(9, 10**6).operations] == [create.run_id]
        kept.close()


@pytest.mark.parametrize("step", [{"do": 500}, {"do": "reset"}], ids=["500", "reset"])
@pytest.mark.parametrize("spooled", [True, False], ids=["spool", "memory"])
def test_a_server_that_fails_over_everything_for_a_while_loses_nothing(
    receiver, made, tmp_path, step, spooled
):
    receiver.tell(always=step)
    exporter = made(receiver, tmp_path / "spool" if spooled else None, batch_count=10)
    names = submit(exporter, runs(50))
    until(lambda: len(receiver.state()["seen"]) > 30)
    names |= submit(exporter, runs(50))
    until(lambda: len(receiver.state()["seen"]) > 60)
    receiver.tell(always=None)
    until(lambda: is_settled(exporter))
    assert receiver.arrivals() == dict.fromkeys(names, 1)
    assert exporter.counters.dropped == 0


def test_a_server_killed_in_the_middle_of_a_request(receiver, made, tmp_path):
    receiver.tell(always={"do": "hang"})
    exporter = made(receiver, tmp_path / "spool")
    names = submit(exporter, runs(50))
    until(lambda: receiver.state()["hanging"] == 1)
    receiver.kill()
    receiver.start()
    until(lambda: is_settled(exporter))
    assert receiver.arrivals() == dict.fromkeys(names, 1)


def test_servers_that_take_less(receiver, made):
    receiver.tell(missing=["/runs/multipart"], info=None)
    exporter = made(receiver)
    names = submit(exporter, runs(20))
    assert exporter.flush(10)
    names |= submit(exporter, runs(20))
    assert exporter.flush(10)
    assert receiver.arrivals() == dict.fromkeys(names, 1)
    assert sum("multipart" in each for each in receiver.state()["seen"]) == 1


def test_limits_of_the_server_are_kept(receiver, made):
    config = {"use_multipart_endpoint": False, "size_limit": 5}
    receiver.tell(info={"batch_ingest_config": config}, max_operations=5)
    exporter = made(receiver, pace=Pace(linger=3600))
    names = submit(exporter, runs(10))
    assert exporter.flush(10)
    assert receiver.arrivals() == dict.fromkeys(names, 1)
    assert receiver.state()["seen"] == ["/runs/batch accept"] * 4


def test_a_server_that_hangs_does_not_hold_the_application_up(receiver, made, tmp_path):
    receiver.tell(always={"do": "hang"})
    exporter = made(receiver, tmp_path / "spool", max_bytes=100_000, read_timeout=20)
    names = submit(exporter, runs(10))
    until(lambda: receiver.state()["hanging"] == 1)
    for _ in range(10):  # Far more than there is room for in memory.
        names |= submit(exporter, runs(25))
        until(lambda: exporter._intake.size <= 60_000)
    assert exporter.counters.dropped == 0
    assert exporter.counters.spooled > 300
    assert not exporter.flush(0.01)
    assert exporter.shutdown(0.05)
    assert exporter.counters.spooled == 520
    receiver.kill()  # Now the thread that hangs ends.
    receiver.start()
    another = made(receiver, tmp_path / "spool")
    another.submit(operation())
    receiver.wait_for(names)
    until(lambda: is_settled(another))
    assert another.counters.recovered == 520


def test_eight_threads(receiver, made):
    exporter = made(receiver)
    names = [set() for _ in range(8)]

    def work(mine):
        mine |= submit(exporter, runs(100))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert exporter.flush(10)
    assert receiver.arrivals() == dict.fromkeys(set.union(*names), 1)
    assert exporter.counters.sent == exporter.counters.emitted == 1600
