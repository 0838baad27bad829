from __future__ import annotations

import errno
import os
import stat
from collections import deque

import pytest

from callboard.errors import BadOptionError
from callboard.export import Spool
from callboard.export.spool.records import operation_from, record_of
from callboard.wire.operations import Attachment, Operation
from tests.unit.export.made import identities, operation, operations


def drain(spool):
    """Take everything, as if it were sent; return it and how much was lost."""
    taken, lost = [], 0
    while (parcel := spool.take(7, 10**6)) is not None:
        taken += parcel.operations
        lost += parcel.lost
        spool.done(parcel)
    return taken, lost


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "spool", segment_bytes=3000)
    yield spool
    spool.close()


@pytest.fixture
def left(spool):
    """Fills a spool and leaves it; returns what is in there."""
    made = operations(40)
    spool.append(made)
    spool.close()
    return made


def segments(spool):
    return sorted(spool.directory.glob("*/*"))


def test_a_record_is_the_operation_with_its_fields_as_json():
    before = Operation(
        "update",
        operation().run_id,
        {"name": "a run", "tags": ["x"]},
        {"outputs": {"text": "naïve\n"}, "error": None, "events": b"[]"},
        {"a": Attachment("text/plain", b"\n\0"), "b": Attachment("x/y", b"")},
    )
    after = operation_from(record_of(before))
    assert (after.kind, after.run_id, after.head) == ("update", before.run_id, before.head)
    assert after.parts == {"outputs": '{"text":"naïve\\n"}'.encode(), "events": b"[]"}
    assert after.attachments == before.attachments
    assert operation_from(record_of(after)) == after


@pytest.mark.parametrize("record", [b"", b"{}\n", b"[]\nx", b'{"kind": "create"', b"\xff\n"])
def test_what_is_no_record_is_refused(record):
    with pytest.raises(ValueError, match=r".+"):
        operation_from(record)


def test_a_record_cut_short_is_refused():
    with pytest.raises(ValueError, match="not as long"):
        operation_from(record_of(operation())[:-1])


def test_what_goes_in_comes_out_in_order_and_leaves_nothing(spool):
    made = operations(40)
    assert spool.append(made).written == 40
    assert not spool.is_empty
    taken, lost = drain(spool)
    assert identities(taken) == identities(made)
    assert lost == 0
    assert spool.is_empty
    assert segments(spool) == []


def test_nothing_is_made_before_it_is_needed(spool):
    assert spool.is_empty
    assert spool.adopt() == 0
    assert spool.take(1, 1) is None
    spool.close()
    assert not spool.directory.exists()


def test_an_empty_spool_leaves_no_files(spool):
    spool.append(operations(3))
    drain(spool)
    spool.close()
    assert list(spool.directory.iterdir()) == []


def test_traces_are_private(spool, left):
    for path in [spool.directory, *spool.directory.rglob("*")]:
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_another_process_adopts_what_was_left_and_only_then(spool):
    made = operations(40)
    spool.append(made)
    other = Spool(spool.directory)
    assert other.adopt() == 0
    spool.close()
    assert other.adopt() == 40
    assert other.adopt() == 0
    third = Spool(spool.directory)
    assert third.adopt() == 0
    assert identities(drain(other)[0]) == identities(made)
    other.close()
    assert list(spool.directory.iterdir()) == []


def test_a_segment_sent_in_part_leaves_the_rest(spool, left):
    other = Spool(spool.directory)
    other.adopt()
    parcel = other.take(3, 10**6)
    other.done(parcel)
    other.close()
    last = Spool(spool.directory)
    assert last.adopt() == 37
    assert identities(drain(last)[0]) == identities(left[3:])  # In order, too.
    assert identities(parcel.operations) == identities(left[:3])
    last.close()


@pytest.mark.parametrize("cut", [1, 5, 100])
def test_a_tail_cut_short_is_skipped_and_said(tmp_path, cut, caplog):
    spool = Spool(tmp_path)
    made = operations(5)
    spool.append(made)
    spool.after_fork()  # As if it had been killed: nothing is completed.
    (part,) = tmp_path.glob("*/*.part")
    with part.open("r+b") as file:
        file.truncate(part.stat().st_size - cut)
    other = Spool(tmp_path)
    assert other.adopt() == 4
    assert identities(drain(other)[0]) == identities(made[:4])
    assert sum("can't be read" in each for each in caplog.messages) == 1
    other.close()


def test_what_is_damaged_is_counted(spool, left, caplog):
    first = segments(spool)[0]
    data = bytearray(first.read_bytes())
    data[len(data) // 2] ^= 1
    first.write_bytes(data)
    other = Spool(spool.directory)
    assert other.adopt() == 40
    taken, lost = drain(other)
    assert lost > 0
    assert len(taken) + lost == 40
    other.close()


def test_a_process_killed_before_it_wrote_anything_leaves_no_trace(tmp_path):
    spool = Spool(tmp_path)
    spool.append(operations(1))
    spool.after_fork()
    (part,) = tmp_path.glob("*/*.part")
    part.write_bytes(b"call")
    other = Spool(tmp_path)
    assert other.adopt() == 0
    other.close()
    assert list(tmp_path.iterdir()) == []


def test_a_newer_version_is_left_alone_and_said(spool, left, caplog):
    first, *_ = segments(spool)
    first.write_bytes(b"callboard spool 2\nwho knows")
    (first.parent / "9-1.segment").write_bytes(b"something else altogether")
    other = Spool(spool.directory)
    found = other.adopt()
    other.adopt()
    taken, lost = drain(other)
    assert (len(taken), lost) == (found, 0)
    other.close()
    assert first.read_bytes() == b"callboard spool 2\nwho knows"
    assert len(segments(spool)) == 2
    assert sum("another version of Callboard" in each for each in caplog.messages) == 1
    assert sum("no part of a spool" in each for each in caplog.messages) == 1
    again = Spool(spool.directory)
    assert again.adopt() == 0
    assert again.is_empty


def test_it_is_bounded_and_the_oldest_go_first(tmp_path, caplog):
    spool = Spool(tmp_path, max_bytes=20_000)
    made = operations(200)
    evicted = 0
    for each in made:
        appended = spool.append([each])
        assert appended.written == 1
        evicted += appended.evicted
        held = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
        assert held <= 20_000
    taken, _ = drain(spool)
    assert 0 < evicted < 200
    assert identities(taken) == identities(made[evicted:])
    assert sum("reached 20000 bytes" in each for each in caplog.messages) == 1
    spool.close()


def test_one_that_is_larger_than_the_spool_is_refused(tmp_path, caplog):
    spool = Spool(tmp_path, max_bytes=20_000)
    made = [operation(), operation(size=30_000), operation()]
    appended = spool.append(made)
    assert (appended.written, appended.refused) == (2, 1)
    assert "is full" in caplog.text
    spool.close()


def test_what_other_processes_have_counts_and_is_theirs(tmp_path):
    first = Spool(tmp_path, max_bytes=20_000)
    assert first.append(operations(60)).written == 60
    second = Spool(tmp_path, max_bytes=20_000)
    assert second.append(operations(60)).refused > 0
    assert len(drain(first)[0]) == 60
    first.close()
    second.close()


def test_what_can_not_be_encoded_costs_itself(spool, caplog):
    bad = operation(attachments={"x": Attachment("a/b", 17)})
    appended = spool.append([operation(), bad, operation()])
    assert (appended.written, appended.refused) == (2, 1)
    assert repr(bad) in caplog.text


def test_a_full_disk_is_said_once_and_leaves_whole_records(spool, monkeypatch, caplog):
    made = operations(30)
    spool.append(made[:10])
    write = os.write

    def full(descriptor, data):
        if len(data) > 10:
            return write(descriptor, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        for _ in range(3):
            appended = spool.append(made[10:20])
            assert (appended.written, appended.refused) == (0, 0)
            assert appended.error.errno == errno.ENOSPC
    assert spool.append(made[20:]).written == 10
    assert identities(drain(spool)[0]) == identities(made[:10] + made[20:])
    assert sum("No space left" in each for each in caplog.messages) == 1


def test_a_disk_that_can_not_synchronise_keeps_what_it_has(spool, monkeypatch):
    def fails(_):
        raise OSError(errno.EIO, "Input/output error")

    made = operations(40)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        assert spool.append(made).written == 40
        assert identities(drain(spool)[0]) == identities(made)


def test_closed_it_can_be_used_again(spool, left):
    spool.append(operations(2))
    assert spool.adopt() == 40
    assert len(drain(spool)[0]) == 42


def test_after_a_fork_the_child_leaves_the_parents_files_alone(spool):
    made = operations(20)
    spool.append(made)
    child = Spool(spool.directory)
    child._own, child._adopted = None, []
    child.after_fork()
    assert child.is_empty
    assert child.adopt() == 0
    assert len(drain(spool)[0]) == 20


@pytest.mark.parametrize("option", ["max_bytes", "segment_bytes"])
def test_a_size_must_be_positive(tmp_path, option):
    with pytest.raises(BadOptionError, match=f"{option} is 0"):
        Spool(tmp_path, **{option: 0})


def test_segments_take_turns(spool):
    sent = deque()
    for _ in range(20):
        made = operations(3)
        sent.extend(identities(made))
        spool.append(made)
        parcel = spool.take(2, 10**6)
        for each in identities(parcel.operations):
            assert each == sent.popleft()
        spool.done(parcel)
    assert identities(drain(spool)[0]) == list(sent)
