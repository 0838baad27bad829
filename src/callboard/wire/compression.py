"""Compression of whole bodies with zstd, as streams.

Bodies come as frames of unknown size, in many blocks (LangSmith protocol: multipart ingest), so
what comes out of one is counted as it comes, and never all held.

Python 3.14 brings zstd along; before it, the package ``zstandard`` is needed, an extra.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from callboard.errors import BadBodyError, BodyTooLargeError, MissingExtraError

__all__ = ["Decompressor", "available", "compress", "decompress"]

# Any: which of the two there is depends on the interpreter, either may be absent.
_library: Any = None  # compression.zstd
_package: Any = None  # zstandard
if sys.version_info >= (3, 14):
    try:
        from compression import zstd as _library
    except ImportError:  # An interpreter that was built without it.
        _library = None
if _library is None:
    try:
        import zstandard as _package
    except ImportError:  # Said when it is needed.
        _package = None

_BLOCK_BYTES = 128 * 1024
# What RFC 8878 asks every reader to have; a frame may demand more, and gets it nowhere.
_WINDOW_LOG = 23


def available() -> bool:
    """Whether bodies can be compressed and decompressed here."""
    return _library is not None or _package is not None


def _require() -> None:
    if not available():
        raise MissingExtraError(
            "Compressed bodies need the package zstandard: pip install 'callboard[export]'."
        )


def compress(chunks: Iterable[bytes], level: int = 1) -> Iterator[bytes]:
    """Yield a body, compressed, in pieces.

    Args:
        chunks: The body, in pieces of any size.
        level: From 1, fast, to 19, small.

    Raises:
        MissingExtraError: There is no zstd here.
    """
    _require()
    if _library is not None:
        compressor = _library.ZstdCompressor(level=level)
    else:
        compressor = _package.ZstdCompressor(level=level).compressobj()
    for chunk in chunks:
        piece = compressor.compress(chunk)
        if piece:
            yield piece
    yield compressor.flush()


def decompress(body: bytes | Iterable[bytes], max_bytes: int) -> bytes:
    """Return a body, decompressed.

    Args:
        body: The body as it came, whole or in chunks.
        max_bytes: How much may come out of it.

    Raises:
        BodyTooLargeError: More would come out of it.
        BadBodyError: It is not compressed with zstd.
        MissingExtraError: There is no zstd here.
    """
    pieces: list[bytes] = []
    decompressor = Decompressor(pieces.append, max_bytes)
    for chunk in (body,) if isinstance(body, bytes) else body:
        decompressor.feed(chunk)
    return b"".join(pieces)


class Decompressor:
    """Decompresses one body, as it comes in.

    What comes out is handed on in pieces of at most 128 kB, so a small body that would become
    huge is stopped at the limit, and takes no memory before.

    That a body ends too early is for its reader to see: a multipart body has a boundary that
    closes it, a JSON one a bracket.
    """

    def __init__(self, write: Callable[[bytes], object], max_bytes: int) -> None:
        """Await a body.

        Args:
            write: Takes what comes out, such as `callboard.wire.multipart.Decoder.feed`; what
                it raises is raised to who feeds.
            max_bytes: How much may come out.

        Raises:
            MissingExtraError: There is no zstd here.
        """
        _require()
        self._sink = _Sink(write, max_bytes)
        if _library is not None:
            self._decompressor = self._new_frame()
        else:
            self._decompressor = _package.ZstdDecompressor(
                max_window_size=1 << _WINDOW_LOG
            ).stream_writer(self._sink, write_size=_BLOCK_BYTES, closefd=False)

    def feed(self, chunk: bytes) -> None:
        """Take more of the body.

        Args:
            chunk: The next bytes, any number of them.

        Raises:
            BodyTooLargeError: More has come out of it than may.
            BadBodyError: It is not compressed with zstd.
        """
        trouble = _package.ZstdError if _library is None else _library.ZstdError
        try:
            if _library is None:
                self._decompressor.write(chunk)
            else:
                self._feed_library(chunk)
        except trouble as error:
            raise BadBodyError(f"The body is not compressed with zstd: {error}.") from None

    def _feed_library(self, chunk: bytes) -> None:
        while chunk or not self._decompressor.needs_input:
            if self._decompressor.eof:  # Frames may follow each other.
                self._decompressor = self._new_frame()
            piece = self._decompressor.decompress(chunk, _BLOCK_BYTES)
            chunk = self._decompressor.unused_data if self._decompressor.eof else b""
            self._sink.write(piece)
            if self._decompressor.eof and not chunk:
                return

    @staticmethod
    def _new_frame() -> Any:
        option = _library.DecompressionParameter.window_log_max
        return _library.ZstdDecompressor(options={option: _WINDOW_LOG})


class _Sink:
    """Takes what comes out, as a file would, and hands it on as long as it may be that much."""

    def __init__(self, hand_on: Callable[[bytes], object], max_bytes: int) -> None:
        self._hand_on = hand_on
        self._max_bytes = max_bytes
        self._size = 0

    def write(self, piece: bytes) -> int:
        self._size += len(piece)
        if self._size > self._max_bytes:
            raise BodyTooLargeError(f"A body takes {self._max_bytes} bytes, and this has more.")
        if piece:
            self._hand_on(piece)
        return len(piece)
