"""Locks and files as Windows has them, as far as that can be told elsewhere."""

from __future__ import annotations

import errno
import importlib.util
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from callboard import locks
from callboard.export import Spool
from callboard.export.spool import box, segment
from tests.unit.export.made import identities, operations


class Windows:
    """`msvcrt.locking`: a range of a file is locked, and whoever comes second is refused."""

    LK_NBLCK = 2

    def __init__(self):
        self.locked = {}
        self.fault = None

    def locking(self, descriptor, mode, count):
        assert (mode, count) == (self.LK_NBLCK, 1)
        if self.fault is not None:
            raise self.fault
        place = os.fstat(descriptor).st_ino
        holder = self.locked.get(place)
        # A descriptor that has the same number is another file's, opened since.
        if holder not in (None, descriptor) and self.is_open(holder, place):
            raise PermissionError(errno.EACCES, "Permission denied")
        self.locked[place] = descriptor

    def is_open(self, descriptor, place):
        try:
            return os.fstat(descriptor).st_ino == place
        except OSError:
            return False


@pytest.fixture
def windows(monkeypatch):
    """The lock's module, as it is imported there."""
    system = Windows()
    monkeypatch.setitem(sys.modules, "msvcrt", system)
    monkeypatch.setattr(sys, "platform", "win32")
    spec = importlib.util.spec_from_file_location("lock_on_windows", locks.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.undo()
    return SimpleNamespace(system=system, FileLock=module.FileLock)


def test_a_lock_on_windows_is_held_until_it_is_released(windows, tmp_path):
    held = windows.FileLock(tmp_path / "x.lock")
    with pytest.raises(BlockingIOError):
        windows.FileLock(tmp_path / "x.lock")
    held.release()
    held.release()
    windows.FileLock(tmp_path / "x.lock").release()


def test_a_lock_that_windows_can_not_give_is_an_error_and_not_taken_for_another_process(
    windows, tmp_path
):
    windows.system.fault = OSError(errno.EINVAL, "Invalid argument")
    with pytest.raises(OSError, match="Invalid argument") as raised:
        windows.FileLock(tmp_path / "x.lock")
    assert not isinstance(raised.value, BlockingIOError)


def test_a_spool_is_shared_between_processes_on_windows(windows, tmp_path, monkeypatch):
    monkeypatch.setattr(box, "FileLock", windows.FileLock)
    first, second = Spool(tmp_path), Spool(tmp_path)
    first.append(made := operations(3))
    assert second.adopt() == 0
    first.close()
    assert second.adopt() == 3
    parcel = second.take(9, 10**6)
    assert identities(parcel.operations) == identities(made)
    second.done(parcel)
    second.close()


def test_no_file_is_removed_while_it_is_open(tmp_path, monkeypatch):
    """Windows refuses that, and the lock files of emptied boxes would pile up."""
    remove = Path.unlink
    opened = Path("/proc/self/fd")
    if not opened.exists():
        pytest.skip("the open files can't be listed here")

    def careful(path, missing_ok=False):
        links = [os.path.realpath(each) for each in opened.iterdir()]
        if os.path.realpath(path) in links:
            raise PermissionError(errno.EACCES, "in use")
        remove(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", careful)
    spool = Spool(tmp_path)
    spool.append(operations(3))
    spool.done(spool.take(9, 10**6))
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_line_ends_in_records_stay_what_they_are(tmp_path, monkeypatch):
    """A file that Windows opens as text has others afterwards."""
    flags = []
    opens = os.open

    def watched(path, flag, mode=0o777):
        flags.append(flag)
        return opens(path, flag & ~binary, mode)

    binary = 1 << 29
    monkeypatch.setattr(segment, "_BINARY", binary)
    monkeypatch.setattr(os, "open", watched)
    writer = segment.SegmentWriter(tmp_path, 1)
    writer.abandon()
    assert flags[0] & binary
