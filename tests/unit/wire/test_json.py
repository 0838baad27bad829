"""JSON: one case for each row of the table in the module, with orjson and without."""

import json as standard
from collections import OrderedDict, deque, namedtuple
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import PurePosixPath
from uuid import UUID

import pytest

from callboard.errors import BadBodyError
from callboard.wire import json


@pytest.fixture(params=["orjson", "standard"], autouse=True)
def library(request, monkeypatch):
    if request.param == "standard":
        monkeypatch.setattr(json, "_orjson", None)
    else:
        pytest.importorskip("orjson")


class Colour(Enum):
    RED = "red"
    ODD = object


class Number(IntEnum):
    ONE = 1


class Text(str):
    __slots__ = ()


class Broken:
    def __repr__(self):
        raise RuntimeError("no repr")


class Plain:
    def __repr__(self):
        return "<plain>"


Point = namedtuple("Point", "x y")  # noqa: PYI024 - the kind that other libraries have
EAST = timezone(timedelta(hours=2))


CASES = [
    (float("nan"), None),
    (float("-inf"), None),
    (2**64 - 1, 2**64 - 1),
    (2**64, "18446744073709551616"),
    (-(2**63) - 1, "-9223372036854775809"),
    (1 << 20_000, hex(1 << 20_000)),
    ("a\ud800b", "a\ufffdb"),
    ("\ud83d\ude00", "\U0001f600"),
    ("\x00\x7f\u2028\U0010ffff", "\x00\x7f\u2028\U0010ffff"),
    (b"Gr\xc3\xbc\xc3\x9fe", "R3LDvMOfZQ=="),
    (b"\xff\x00", "/wA="),
    (bytearray(b"a"), "YQ=="),
    (memoryview(b"a"), "YQ=="),
    (datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=EAST), "2026-01-02T01:04:05.000006+00:00"),
    (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00+00:00"),
    (datetime(2026, 1, 2, 3, 4), "2026-01-02T03:04:00"),  # noqa: DTZ001 - so it may come
    (datetime.min.replace(tzinfo=EAST), "0001-01-01T00:00:00+02:00"),
    (date(2026, 1, 2), "2026-01-02"),
    (time(3, 4, tzinfo=UTC), "03:04:00+00:00"),
    (timedelta(seconds=1.5), 1.5),
    (Colour.RED, "red"),
    (Number.ONE, 1),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Decimal("1.10"), 1.1),
    (Decimal("2E+3"), 2000),
    (Decimal("1E+999999"), None),
    (Decimal("NaN"), None),
    (Fraction(1, 3), "1/3"),
    (1 + 2j, "(1+2j)"),
    (UTC, "UTC"),
    (PurePosixPath("/a"), "/a"),
    (Text("a"), "a"),
    (Point(1, 2), [1, 2]),
    ((1, [2]), [1, [2]]),
    ({3}, [3]),
    (deque([1]), "deque([1])"),
    (OrderedDict(a=1), {"a": 1}),
    (
        {1: 1, None: 2, False: 3, 1.5: 4, UUID(int=1): 5, "\ud800": 6},
        {"1": 1, "null": 2, "false": 3, "1.5": 4, str(UUID(int=1)): 5, "\ufffd": 6},
    ),
    (Plain(), "<plain>"),
    (Broken(), "<Broken: unreadable, RuntimeError>"),
    ({"a": [Broken(), 1]}, {"a": ["<Broken: unreadable, RuntimeError>", 1]}),
]


@pytest.mark.parametrize(
    ("value", "told"),
    CASES,
    ids=[f"{index}: {type(value).__name__}" for index, (value, _) in enumerate(CASES)],
)
def test_what_becomes_of_a_value(value, told):
    assert standard.loads(json.encode(value)) == told


def test_the_endless_and_the_deep_are_cut():
    endless = {"name": "endless"}
    endless["self"] = [endless]
    told = standard.loads(json.encode(endless))
    assert told == {"name": "endless", "self": ["<cycle: dict>"]}
    deep = []
    for _ in range(2000):
        deep = [deep]
    assert b"too deep" in json.encode(deep)


def test_there_is_no_white_space():
    assert json.encode({"a": [1, "b c"]}) == b'{"a":[1,"b c"]}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'"\\ud800"', "\ud800"),
        (b"[NaN, -Infinity]", [None, None]),
        (b"18446744073709551616", 2.0**64),
        (b"-9223372036854775809", -(2.0**63)),
        (b"1" + b"0" * 400, float("inf")),
        (b"-9223372036854775808", -(2**63)),
        (b"18446744073709551615", 2**64 - 1),
        (b'{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_what_is_read(text, told):
    assert json.decode(text) == told


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"'a'", b"\xff", b'"\xed\xa0\x80"', b"\xef\xbb\xbf1", b"1 2", b'"\n"', b"[1,]"],
)
def test_what_is_no_json(text):
    with pytest.raises(BadBodyError, match="it is no JSON"):
        json.decode(text)


def test_what_is_too_deep_to_be_read():
    with pytest.raises(BadBodyError):
        json.decode(b"[" * 100_000 + b"]" * 100_000)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (b'["a\\ud800"]', '["a\ufffd"]'.encode()),
        (b"[NaN]", b"[null]"),
        (b'{"a":1}', b'{"a":1}'),
    ],
)
def test_what_not_every_reader_takes_is_written_anew(text, clean):
    assert json.read_clean(text, 10) == (clean, standard.loads(clean))


@pytest.mark.parametrize(
    ("text", "deep"),
    [
        (b"1", 0),
        (b"[]", 1),
        (b'{"a":[{}],"b":[]}', 3),
        (b'"[[["', 0),
        (b'["\\"[[[", "\\\\", ["]"]]', 2),
        (b"[" * 500, 500),
    ],
)
def test_how_deep_a_text_is(text, deep):
    assert json.depth(text) == deep


def test_depth_is_bounded():
    assert json.read_clean(b"[[[1]]]", 3) == (b"[[[1]]]", [[[1]]])
    with pytest.raises(BadBodyError, match="more than 3 deep"):
        json.read_clean(b"[[[[1]]]]", 3)
    # Brackets side by side, or in text, do not count.
    many = b'[[],[],[],[],"[[[[[["]'
    assert json.read_clean(many, 3)[0] == many
