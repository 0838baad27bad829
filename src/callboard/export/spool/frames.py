"""Frames: how records stand in a segment, so that one half written is told from a whole one.

A segment begins with a line that names its format; then, for each record, its length and its
CRC-32, four bytes each, and the record itself. A process that is killed leaves at most one frame
that is cut short, at the end.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

__all__ = ["HEADER", "VERSION", "Content", "content_of", "frame", "version_of"]

VERSION = 1
_MAGIC = b"callboard spool "
HEADER = _MAGIC + b"%d\n" % VERSION
"""How a segment begins."""

_PREFIX = struct.Struct(">II")


class Content(NamedTuple):
    """What a segment holds.

    Attributes:
        records: The whole ones, in order.
        wasted: How many bytes at the end can't be read.
    """

    records: list[bytes]
    wasted: int


def frame(record: bytes) -> bytes:
    """Return a record as it stands in a segment."""
    return _PREFIX.pack(len(record), zlib.crc32(record)) + record


def version_of(data: bytes) -> int | None:
    """Return which format a segment has, or None if it is no segment.

    Args:
        data: The segment, or its first bytes; a header cut short counts as none.
    """
    line, end, _ = data[:64].partition(b"\n")
    digits = line.removeprefix(_MAGIC)
    return int(digits) if end and line.startswith(_MAGIC) and digits.isdigit() else None


def content_of(data: bytes) -> Content:
    """Return what a segment holds.

    Behind a frame that is cut short or whose checksum is wrong nothing is read: where the next
    one would begin can't be known.

    Args:
        data: The segment, of this version.
    """
    records: list[bytes] = []
    at = len(HEADER)
    while at + _PREFIX.size <= len(data):
        length, checksum = _PREFIX.unpack_from(data, at)
        record = data[at + _PREFIX.size : at + _PREFIX.size + length]
        if len(record) < length or zlib.crc32(record) != checksum:
            break
        records.append(record)
        at += _PREFIX.size + length
    return Content(records, len(data) - at)
