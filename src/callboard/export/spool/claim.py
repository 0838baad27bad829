"""The claim: what of a box that another process left is ours to send, and how much that is."""

from __future__ import annotations

from callboard.export.notices import Notices
from callboard.export.spool.box import Box
from callboard.export.spool.frames import HEADER, VERSION, content_of, version_of
from callboard.export.spool.segment import Segment

__all__ = ["claim", "records_of"]


def claim(box: Box, notices: Notices) -> int:
    """Count what is in a box, and take out of it, untouched, what is not to be sent.

    Args:
        box: A box that was adopted.
        notices: Tells what is left alone, and why.

    Returns:
        How many operations its segments hold.

    Raises:
        OSError: A segment can't be read.
    """
    for segment in list(box.segments):
        with segment.path.open("rb") as file:
            version = version_of(file.read(64))
        if version == VERSION:
            if segment.count is None:
                segment.count = len(records_of(segment, notices))
        elif version is None and segment.size < len(HEADER):
            segment.count = 0  # Its process was killed before it wrote anything.
        else:
            box.segments.remove(segment)
            _tell(segment, version, notices)
            continue
        if not segment.count:
            box.remove(segment)
    return sum(segment.count or 0 for segment in box.segments)


def _tell(segment: Segment, version: int | None, notices: Notices) -> None:
    if version is None:
        notices.once(
            f"foreign: {segment.path}", "%s is no part of a spool, and is left alone.", segment.path
        )
    else:
        notices.once(
            "version",
            "%s is part of a spool in format %d, which another version of Callboard wrote; this "
            "one reads format %d and leaves the others alone. This is said once.",
            segment.path,
            version,
            VERSION,
        )


def records_of(segment: Segment, notices: Notices) -> list[bytes]:
    """Return the records of a segment that can be read, in order.

    Args:
        segment: One of this version.
        notices: Tells if not all of it can.

    Raises:
        OSError: It can't be read at all.
    """
    content = content_of(segment.read())
    if content.wasted:
        notices.once(
            f"cut: {segment.path}",
            "The last %d bytes of %s can't be read, and are skipped: it was cut short or "
            "damaged, as when a process is killed while it writes.",
            content.wasted,
            segment.path,
        )
    return content.records
