"""Parts: a multipart body, as it comes in, cut where its boundaries are (RFC 7578, RFC 2046).

Written by hand, as packages for it are made for files and form fields of browsers: they spool,
call back for each header and chunk, and give up on a body where here one part is left out. Here
a body is searched for its boundary and for nothing else.

What a part's Content-Length says is not relied upon: the boundary rules, as in the RFC, and
some clients send none (LangSmith protocol: multipart ingest).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from callboard.errors import BadBodyError, BodyTooLargeError
from callboard.wire.intake import Limits

__all__ = ["ReceivedPart", "Splitter", "boundary_of"]

_MULTIPART = re.compile(
    r"""\s*multipart/form-data\s*;(?:[^"]|"[^"]*")*?\bboundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))""",
    re.IGNORECASE,
)
# The headers of a part as almost all clients write them.
_USUAL = re.compile(
    rb'\r\nContent-Disposition: form-data; name="([\x20-\x21\x23-\x7e]*+)"'
    rb"\r\nContent-Type: ([\x21-\x3a\x3c-\x7e]++)(?:\r\nContent-Length: [0-9]++)?+\r\n\r\n"
)
_NAME = re.compile(r';\s*name=(?:"([^"]*)"|([^\s;"]+))', re.IGNORECASE)
# What some clients add to the type of an attachment that they send from a file.
_LENGTH = re.compile(r"\s*;\s*length=\d*\s*(?=;|$)", re.IGNORECASE)

# A big chunk is gone through in pieces of that many bytes, which stay in the processor's cache.
_AT_ONCE = 256 * 1024


class ReceivedPart(NamedTuple):
    """One part of a body.

    Attributes:
        name: What it is called; empty if it has no name.
        content_type: Its mime type, without ``; length=``.
        data: Its content; None if that is bigger than a part may be.
    """

    name: str
    content_type: str
    data: bytes | None


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a Content-Type header names.

    Raises:
        BadBodyError: It is not multipart/form-data, or names none.
    """
    found = _MULTIPART.match(content_type)
    if found is None:
        raise BadBodyError(
            f"Content-Type is {content_type[:200]!r}; it takes multipart/form-data with a boundary."
        )
    return (found[1] or found[2]).encode("utf-8", "replace")


class Splitter:
    """Cuts one body into its parts, however the body is cut into chunks.

    It holds the part that is under way and nothing else.
    """

    def __init__(self, boundary: bytes, limits: Limits) -> None:
        """Await a body.

        Args:
            boundary: As the Content-Type names it.
            limits: How much the body may be.
        """
        self._limits = limits
        self._delimiter = b"\r\n--" + boundary
        # The first delimiter may stand at the very beginning, with no line before it.
        self._buffer = bytearray(b"\r\n")
        self._searched = 0
        self._received = 0
        self._count = 0
        self._header = ("", "")
        self._too_large = False
        # A function and no method of its own: in a circle, its buffer would outlive the body.
        self._step: Callable[[Splitter], ReceivedPart | bool | None] = Splitter._before

    @property
    def is_complete(self) -> bool:
        """Whether the delimiter that closes the body has come."""
        return self._step is Splitter._after

    def feed(self, chunk: bytes) -> Iterator[ReceivedPart]:
        """Take more of the body; yield the parts that are complete with it.

        Args:
            chunk: The next bytes, any number of them.

        Raises:
            BodyTooLargeError: There is more of something than there may be.
            BadBodyError: It is no multipart body. Nothing more can be fed then.
        """
        self._received += len(chunk)
        self._limits.check_body(self._received)
        whole = memoryview(chunk)
        for at in range(0, len(whole), _AT_ONCE):
            self._buffer += whole[at : at + _AT_ONCE]
            while (done := self._step(self)) is not None:
                if isinstance(done, ReceivedPart):
                    yield done
                    yield from self._usual_parts()

    def _usual_parts(self) -> Iterator[ReceivedPart]:
        """Yield the parts that are in the buffer whole, up to one with headers of its own kind.

        The steps below would yield the same, and take three times as long.
        """
        buffer, delimiter, limits = self._buffer, self._delimiter, self._limits
        done = 0
        with memoryview(buffer) as held:
            while (usual := _USUAL.match(buffer, done)) is not None:
                start = usual.end()
                end = buffer.find(delimiter, start - 2)
                if end < 0 or end - start > limits.part_bytes:
                    break
                if start - done > limits.header_bytes or self._count == limits.parts:
                    break
                self._count += 1
                yield ReceivedPart(usual[1].decode(), usual[2].decode(), bytes(held[start:end]))
                done = end + len(delimiter)
        self._drop(done)

    # Each step returns None if it needs more bytes, and otherwise a part or that there is none.

    def _before(self) -> bool | None:
        """Skip what stands before the first delimiter."""
        at = self._find_delimiter()
        if at < 0:
            if len(self._buffer) > self._limits.header_bytes + len(self._delimiter):
                raise BadBodyError("The body does not begin with the boundary of its Content-Type.")
            return None
        self._drop(at + len(self._delimiter))
        self._step = Splitter._line_end
        return False

    def _line_end(self) -> bool | None:
        """Find out whether the delimiter was the last."""
        if len(self._buffer) < 2:
            return None
        if self._buffer.startswith(b"--"):
            self._step = Splitter._after
        elif self._buffer.startswith(b"\r\n"):
            self._step = Splitter._headers
        else:
            raise BadBodyError("The body has a boundary that does not end its line.")
        return False

    def _headers(self) -> bool | None:
        # The end of the delimiter's line is still there: there may be no header at all.
        limit = self._limits.header_bytes
        end = self._buffer.find(b"\r\n\r\n", 0, limit + 4)
        if end < 0:
            if len(self._buffer) >= limit + 4:
                raise BodyTooLargeError(f"A part's headers take {limit} bytes, and one has more.")
            return None
        self._count += 1
        if self._count > self._limits.parts:
            raise BodyTooLargeError(f"A body takes {self._limits.parts} parts, and this has more.")
        self._header = _read_header(bytes(self._buffer[2:end]))
        # One line end stays: a part without content has its delimiter right there.
        self._drop(end + 2)
        self._step = Splitter._content
        return False

    def _content(self) -> ReceivedPart | None:
        at = self._find_delimiter()
        end = at if at >= 0 else len(self._buffer) - len(self._delimiter)
        if end - 2 > self._limits.part_bytes:
            self._too_large = True
        if at < 0:
            if self._too_large and end > 2:  # Nobody will want it: let it go.
                del self._buffer[2:end]
                self._searched = 2
            return None
        data = None
        if not self._too_large:
            with memoryview(self._buffer) as held:  # A slice of the buffer would be a copy more.
                data = bytes(held[2:at])
        self._drop(at + len(self._delimiter))
        self._too_large = False
        self._step = Splitter._line_end
        return ReceivedPart(*self._header, data)

    def _after(self) -> None:
        """Ignore what stands after the last delimiter."""
        self._buffer.clear()

    def _find_delimiter(self) -> int:
        at = self._buffer.find(self._delimiter, self._searched)
        if at < 0:
            self._searched = max(0, len(self._buffer) - len(self._delimiter) + 1)
        return at

    def _drop(self, length: int) -> None:
        del self._buffer[:length]
        self._searched = 0


def _read_header(block: bytes) -> tuple[str, str]:
    """Return the name and the mime type that a part's headers say."""
    name, content_type = "", "text/plain"
    for line in block.split(b"\r\n"):
        field, _, value = line.partition(b":")
        match field.rstrip().lower():
            case b"content-disposition":
                named = _NAME.search(value.decode("utf-8", "replace"))
                name = (named[1] or named[2] or "") if named else ""
            case b"content-type":
                content_type = value.decode("utf-8", "replace").strip()
                if "length=" in content_type:
                    content_type = _LENGTH.sub("", content_type)
            case _:
                pass
    return name, content_type
