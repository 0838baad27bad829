"""Which traces are sent, when not all are: by their ids, as the LangSmith SDKs choose.

Whoever has a part in a trace decides for itself, without asking the others; the rule must be the
same to the letter, or half of a trace is missing. It is: the XXH3 hash, of 128 bits, of the id as
text, taken modulo a million, is less than that share of a million.

The hash (Yann Collet's xxHash, XXH3 specification) is written out for the one length that a
trace's id has as text, which is 36 bytes.
"""

from __future__ import annotations

from functools import lru_cache
from struct import unpack_from
from uuid import UUID

from callboard.langsmith import settings

__all__ = ["sampled", "sampling_bucket"]

_BUCKETS = 1_000_000
_MOST = 2**64 - 1
_LENGTH = 36
# Of the specification: two primes, and the parts of the default secret that this length needs.
_PRIME_1 = 0x9E3779B185EBCA87
_PRIME_2 = 0xC2B2AE3D27D4EB4F
_PRIME_4 = 0x85EBCA77C2B2AE63
_MIX_1 = 0x165667919E3779F9
_SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
)


def sampled(trace_id: UUID) -> bool:
    """Whether a trace is among those to send; the same for all of its runs, in any process.

    Args:
        trace_id: The trace.
    """
    rate = settings.sampling_rate()
    return rate >= 1 or sampling_bucket(trace_id) / _BUCKETS < rate


@lru_cache(1024)
def sampling_bucket(trace_id: UUID) -> int:
    """Return which of a million buckets a trace is in.

    Args:
        trace_id: The trace.
    """
    return _hash(str(trace_id).encode()) % _BUCKETS


def _hash(data: bytes) -> int:
    """Return the XXH3 hash, of 128 bits, of 36 bytes."""
    low, high = _LENGTH * _PRIME_1 & _MOST, 0
    for start, end, at in ((16, _LENGTH - 32, 32), (0, _LENGTH - 16, 0)):
        low, high = _mixed(low, high, data[start : start + 16], data[end : end + 16], at)
    first = (low + high) & _MOST
    second = low * _PRIME_1 + high * _PRIME_4 + _LENGTH * _PRIME_2
    return (-_avalanche(second & _MOST) & _MOST) << 64 | _avalanche(first)


def _mixed(low: int, high: int, one: bytes, other: bytes, at: int) -> tuple[int, int]:
    """Mix 32 bytes, of the beginning and of the end, into the two halves of the state."""
    low = (low + _folded(one, at) & _MOST) ^ _sum(other)
    high = (high + _folded(other, at + 16) & _MOST) ^ _sum(one)
    return low, high


def _numbers(data: bytes, at: int = 0) -> tuple[int, int]:
    one, other = unpack_from("<2Q", data, at)
    return int(one), int(other)


def _sum(data: bytes) -> int:
    one, other = _numbers(data)
    return one + other & _MOST


def _folded(data: bytes, at: int) -> int:
    """Return 16 bytes, disguised by the secret and multiplied, as 8."""
    (first, second), (one, other) = _numbers(data), _numbers(_SECRET, at)
    product = (first ^ one) * (second ^ other)
    return product & _MOST ^ product >> 64


def _avalanche(value: int) -> int:
    value ^= value >> 37
    value = value * _MIX_1 & _MOST
    return value ^ value >> 32
