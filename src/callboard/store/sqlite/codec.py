"""How payloads are kept: compressed by zstd, with a dictionary trained on the store's own.

Payloads are small and much alike: system prompts, tool definitions, the same keys in each. A
dictionary makes them half as big as zstd alone does, and compresses faster (storage facts). It is
trained on the first payloads, and once more when a file is opened that has many runs; each is kept
in the file, and with each payload the number of the one that it needs.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

import apsw
import zstandard

__all__ = ["Packer", "Reader", "Trainer"]

RAW, PLAIN, FIRST_DICTIONARY = 0, 1, 2
"""Codings: as it is, zstd without a dictionary, and zstd with dictionaries by number."""

_LEVEL = 3
# Less than that, and the frame takes what is saved.
_MIN_BYTES = 64
_DICTIONARY_BYTES = 64 * 1024


class Packer:
    """Compresses payloads, for one thread."""

    def __init__(self) -> None:
        self._coding = PLAIN
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL)

    def use(self, number: int, dictionary: bytes) -> None:
        """Use a dictionary from now on.

        Args:
            number: Its number in the file.
            dictionary: It.
        """
        data = zstandard.ZstdCompressionDict(dictionary)
        data.precompute_compress(level=_LEVEL)
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, dict_data=data)
        self._coding = number

    def pack(self, data: bytes) -> tuple[int, bytes]:
        """Return how a payload is coded, and it so coded."""
        if len(data) < _MIN_BYTES:
            return RAW, data
        return self._coding, self._compressor.compress(data)


class Reader:
    """Decompresses payloads, for one connection."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._decompressors = {PLAIN: zstandard.ZstdDecompressor()}

    def unpack(self, coding: int, data: bytes) -> bytes:
        """Return a payload as it came.

        Args:
            coding: As `Packer.pack` returned it.
            data: Likewise.
        """
        if coding == RAW:
            return data
        decompressor = self._decompressors.get(coding)
        if decompressor is None:
            decompressor = self._decompressors[coding] = self._with_dictionary(coding)
        return decompressor.decompress(data)

    def read(self, key: int) -> bytes | None:
        """Return the payload of a key; None if there is none."""
        row = self._db.execute("SELECT coding, data FROM payloads WHERE key = ?", (key,)).fetchone()
        return None if row is None else self.unpack(*row)

    def _with_dictionary(self, number: int) -> zstandard.ZstdDecompressor:
        [(dictionary,)] = self._db.execute(
            "SELECT data FROM dictionaries WHERE number = ?", (number,)
        )
        return zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(dictionary))


class Trainer:
    """Collects payloads, and trains a dictionary on them beside the writer."""

    def __init__(self, samples: int = 2_000, max_bytes: int = 8 * 1024 * 1024) -> None:
        """Begin to collect.

        Args:
            samples: How many payloads to train on.
            max_bytes: Train on fewer, if they come to that.
        """
        self._wanted = samples
        self._max_bytes = max_bytes
        self._samples: list[bytes] = []
        self._bytes = 0
        self._is_stopped = False
        self._thread: threading.Thread | None = None
        self._trained: bytes | None = None

    def stop(self) -> None:
        """Collect no more: there is a dictionary."""
        self._samples = []
        self._is_stopped = True

    def see(self, data: bytes) -> None:
        """Take a payload as a sample, if it can be one."""
        if self._is_stopped:
            return
        if self._thread is not None or not _MIN_BYTES <= len(data) <= _DICTIONARY_BYTES:
            return
        self._samples.append(data)
        self._bytes += len(data)
        if len(self._samples) >= self._wanted or self._bytes >= self._max_bytes:
            self._thread = threading.Thread(
                target=self._train, args=(self._samples,), name="callboard-dictionary", daemon=True
            )
            self._samples = []
            self._thread.start()

    def take(self) -> bytes | None:
        """Return the dictionary, once, when it is trained."""
        trained, self._trained = self._trained, None
        return trained

    def close(self) -> None:
        """Wait until nothing goes on any more."""
        if self._thread is not None:
            self._thread.join()

    def _train(self, samples: Sequence[bytes]) -> None:
        # It fails on samples that have nothing in common: then it goes on without.
        with suppress(zstandard.ZstdError):
            trained = zstandard.train_dictionary(_DICTIONARY_BYTES, list(samples), level=_LEVEL)
            self._trained = trained.as_bytes()
