"""Compression: bounded, whatever comes, and clear about what is missing."""

import tracemalloc

import pytest

from callboard.errors import BadBodyError, BodyTooLargeError, MissingExtraError
from callboard.wire import compression

zstandard = pytest.importorskip("zstandard")

BODY = b"some text, " * 100_000
SQUEEZED = b"".join(compression.compress([BODY]))


def test_it_is_available():
    assert compression.available()


def test_there_and_back_in_any_pieces():
    pieces = [BODY[at : at + 777] for at in range(0, len(BODY), 777)]
    squeezed = b"".join(compression.compress(pieces, level=3))
    assert len(squeezed) < len(BODY) // 100
    assert compression.decompress(squeezed, len(BODY)) == BODY
    assert compression.decompress([bytes([each]) for each in squeezed], len(BODY)) == BODY


def test_nothing_there_and_back():
    squeezed = b"".join(compression.compress([]))
    assert compression.decompress(squeezed, 0) == b""


def test_frames_of_known_size_and_several_of_them():
    frame = zstandard.ZstdCompressor().compress(b"known")
    assert compression.decompress(frame + SQUEEZED + frame, 2**30) == b"known" + BODY + b"known"


def test_what_comes_out_is_bounded():
    assert compression.decompress(SQUEEZED, len(BODY)) == BODY
    with pytest.raises(BodyTooLargeError, match="A body takes 1099999 bytes, and this has more"):
        compression.decompress(SQUEEZED, len(BODY) - 1)


def test_a_body_that_would_become_huge_takes_no_memory():
    huge = b"".join(compression.compress(b"\0" * 2**20 for _ in range(512)))
    assert len(huge) < 100_000
    sizes = []
    decompressor = compression.Decompressor(lambda piece: sizes.append(len(piece)), 2**28)
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLargeError):
            decompressor.feed(huge)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()
    assert max(sizes) <= 2**17
    assert sum(sizes) <= 2**28


def test_a_window_that_demands_much_memory_is_refused():
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = compressor.compress(b"\0" * 1000) + compressor.flush()
    with pytest.raises(BadBodyError, match="The body is not compressed with zstd: "):
        compression.decompress(body, 2**30)


@pytest.mark.parametrize("body", [b"plain text, not compressed", SQUEEZED[:20] + b"\xff" * 20])
def test_what_is_not_compressed(body):
    with pytest.raises(BadBodyError, match="The body is not compressed with zstd: "):
        compression.decompress(body, 2**30)


def test_what_a_reader_raises_is_raised():
    def write(piece):
        raise KeyError("reader")

    with pytest.raises(KeyError, match="reader"):
        compression.Decompressor(write, 2**30).feed(SQUEEZED)


@pytest.mark.parametrize(
    "use",
    [
        lambda: list(compression.compress([b""])),
        lambda: compression.decompress(b"", 1),
        lambda: compression.Decompressor(print, 1),
    ],
    ids=["compress", "decompress", "Decompressor"],
)
def test_a_missing_package_says_what_to_type(monkeypatch, use):
    monkeypatch.setattr(compression, "_package", None)
    monkeypatch.setattr(compression, "_library", None)
    assert not compression.available()
    with pytest.raises(MissingExtraError, match=r"pip install 'callboard\[export\]'"):
        use()
