"""Capture of what nobody expects: huge, endless, half-made, hostile; and what JSON makes of it."""

import array
import asyncio
import functools
import io
import itertools
import threading
import types
import weakref
from collections import UserDict
from dataclasses import dataclass
from unittest import mock

import numpy as np
import pydantic
import pytest
from pydantic import v1

from callboard.tracing.capture import MAX_LENGTH, MAX_VALUES, capture
from callboard.wire import json

CUT = "<the rest is not recorded: too many values>"


def by_type(value):
    return type(value).__name__


def told(value):
    """Return what a server reads of a value."""
    return json.decode(json.encode(capture(value)))


# --- Bounds -----------------------------------------------------------------------------------


def test_of_a_long_list_the_beginning_is_recorded_and_that_it_was_cut():
    captured = capture(list(range(MAX_VALUES + 5)))
    assert captured[:MAX_VALUES] == list(range(MAX_VALUES))
    assert captured[MAX_VALUES:] == [CUT]


def test_of_a_big_dictionary_the_beginning_is_recorded_and_that_it_was_cut():
    captured = capture({number: number for number in range(MAX_VALUES + 5)})
    assert len(captured) == MAX_VALUES + 1
    assert (captured["0"], captured["..."]) == (0, CUT)


def test_a_list_at_the_bound_is_whole():
    assert capture([0] * MAX_VALUES) == [0] * MAX_VALUES


def test_the_bound_is_for_all_that_a_value_holds():
    doubling = []
    for _ in range(64):
        doubling = [doubling, doubling]  # 2 ** 64 lists, if they are counted where they stand.
    assert CUT in str(capture(doubling))[:100_000_000]


class EndlessList(list):
    def __iter__(self):
        return itertools.count()


class EndlessMapping(UserDict):
    def items(self):
        return zip(itertools.count(), itertools.count(), strict=False)


@pytest.mark.parametrize("value", [EndlessList(), EndlessMapping()], ids=["list", "mapping"])
def test_what_has_no_end_is_cut(value):
    assert len(capture(value)) == MAX_VALUES + 1


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize("kind", [str, Text, lambda text: text.encode("latin-1")])
def test_of_a_very_long_text_the_beginning_is_recorded_and_how_much_is_missing(kind):
    value = kind("é" * (MAX_LENGTH + 3))
    captured = capture([value])[0]
    assert captured[:MAX_LENGTH] == value[:MAX_LENGTH]
    rest = captured[MAX_LENGTH:]
    assert rest in ("<3 more characters are not recorded>", b"<3 more bytes are not recorded>")


class Verbose:
    def __repr__(self):
        return "r" * 10**6


@pytest.mark.parametrize("value", [Verbose(), ValueError("x" * 10**6), {Verbose(): 1}], ids=by_type)
def test_a_repr_has_a_bound(value):
    text = json.encode(capture([value])).decode()
    assert len(text) < 11_000
    assert "more characters are not recorded>" in text


def test_a_huge_array_is_described():
    assert capture(np.zeros((1000, 1000))) == "<ndarray: float64 [1000, 1000], too many to record>"


# --- Keys -------------------------------------------------------------------------------------


def test_keys_that_print_the_same_do_not_hide_each_other():
    assert capture({1: "a", "1": "b", None: "c", "null": "d"}) == {
        "1": "a",
        "1 (2)": "b",
        "null": "c",
        "null (4)": "d",
    }


def test_many_keys_that_print_the_same_are_told_apart_in_time():
    class Same:
        def __str__(self):
            return "same"

    assert len(capture({Same(): number for number in range(20_000)})) == 20_000


@pytest.mark.parametrize("library", ["orjson", "standard"])
def test_keys_that_json_makes_the_same_do_not_hide_each_other(library, monkeypatch):
    if library == "standard":
        monkeypatch.setattr(json, "_orjson", None)
    halves = dict.fromkeys(["\ud800", "\udc00"], 1)
    assert json.decode(json.encode(halves)) == {"\ufffd": 1, "\ufffd (2)": 1}
    assert json.decode(json.encode({1: "a", "1": "b"})) == {"1": "a", "1 (2)": "b"}


# --- Objects ----------------------------------------------------------------------------------


class OldModel(v1.BaseModel):
    items: list = []
    secret: v1.SecretStr = v1.SecretStr("hidden")
    left_out: str = v1.Field("hidden", exclude=True)


class Slots:
    __slots__ = ("items", "unset")

    def __init__(self, items):
        self.items = items


class Inherits(Slots):
    """Has attributes of both kinds."""

    def __init__(self, items):
        super().__init__(items)
        self.more = 1


class Attrs:
    """As the package attrs marks its classes."""

    __attrs_attrs__ = (types.SimpleNamespace(name="items"),)

    def __init__(self, items):
        self.items = items

    def __repr__(self):
        return "attrs has its own"


class Computed(pydantic.BaseModel):
    items: list = []

    @pydantic.computed_field
    @property
    def size(self) -> int:
        return len(self.items)


@dataclass
class WithProperty:
    items: list

    @property
    def costly(self):
        raise AssertionError("a property was asked for")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (OldModel(items=[1]), {"items": [1], "secret": "**********"}),
        (Slots([1]), {"items": [1]}),
        (Inherits([1]), {"items": [1], "more": 1}),
        (Attrs([1]), {"items": [1]}),
        (Computed(items=[1]), {"items": [1], "size": 1}),
        (WithProperty([1]), {"items": [1]}),
        (array.array("d", [1, 2]), [1, 2]),
        ({"a": 1}.values(), [1]),
        ({"a": 1}.items(), [["a", 1]]),
        (np.array(["2025-01-01"], dtype="datetime64[ns]"), ["2025-01-01T00:00:00.000000000"]),
        (np.datetime64("2025-01-01"), "2025-01-01"),
        (np.complex64(1j), "1j"),
        (np.zeros(1, dtype=[("a", "i4")]), [[0]]),
        (np.float64("nan"), None),
    ],
)
def test_objects_are_read_by_the_fields_that_they_declare(value, expected):
    assert told(value) == expected


def test_frames_of_pandas_are_told_in_a_bounded_form():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": range(10**6)})
    assert "[1000000 rows x 1 columns]" in told(frame)
    assert len(told(frame["a"])) < 11_000


def test_classes_of_attrs_are_told_by_their_fields():
    attrs = pytest.importorskip("attrs")
    Point = attrs.make_class("Point", ["x", "y"])  # noqa: N806 - a class
    assert told(Point(1, [2])) == {"x": 1, "y": [2]}


# --- What must be left alone --------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: iter([1, 2]),
        lambda: (number for number in (1, 2)),
        lambda: map(int, (1, 2)),
        lambda: zip((1, 2), strict=True),
        lambda: io.StringIO("1\n2\n"),
        lambda: itertools.islice((1, 2), 2),
        lambda: reversed([1, 2]),
    ],
    ids=["iterator", "generator", "map", "zip", "file", "islice", "reversed"],
)
def test_what_can_be_read_once_is_left_to_the_application(make):
    value = make()
    assert isinstance(told({"stream": [value]})["stream"][0], str)
    assert len(list(value)) == 2


async def test_what_can_be_awaited_once_is_left_to_the_application():
    async def answer():
        return 42

    async def answers():
        yield 42

    waiting, stream, future = answer(), answers(), asyncio.get_running_loop().create_future()
    assert all(isinstance(each, str) for each in told([waiting, stream, future]))
    assert await waiting == 42
    assert [each async for each in stream] == [42]


def test_a_lazy_object_is_asked_for_nothing_but_its_attributes():
    asked = []

    class Lazy:
        def __init__(self):
            self.held = 1

        def __getattr__(self, name):
            asked.append(name)
            raise AttributeError(name)

    assert told(Lazy()) == {"held": 1}
    assert [name for name in asked if not name.startswith("__")] == []


class Gone:
    pass


class Liar:
    @property
    def __class__(self):
        return dict


class HostileText(str):
    __slots__ = ()

    def __str__(self):
        raise RuntimeError

    startswith = __len__ = encode = __format__ = lambda *_: 1 / 0


class PrintsHostileText:
    def __repr__(self):
        return HostileText("text")


class NoDictionary:
    @property
    def __dict__(self):
        raise RuntimeError


ODD = {
    "a dead proxy": weakref.proxy(Gone()),
    "a proxy": weakref.proxy(OldModel),
    "a mock": mock.Mock(),
    "a mock of everything": mock.MagicMock(),
    "a mock of a dictionary": mock.MagicMock(spec=dict),
    "an async mock": mock.AsyncMock(),
    "a call": mock.call(1),
    "a lock": threading.Lock(),
    "a thread": threading.current_thread(),
    "a partial": functools.partial(int, "1"),
    "a liar": Liar(),
    "a hostile text": HostileText("x"),
    "what prints as one": PrintsHostileText(),
    "no dictionary": NoDictionary(),
    "a module": json,
    "a huge number": 1 << 200_000,
}


@pytest.mark.parametrize("name", ODD)  # Pytest itself looks into values that it is given.
def test_oddities_neither_raise_nor_disturb_what_is_beside_them(name):
    value = ODD[name]
    seen = told({"before": 1, "odd": value, "after": [value, 2]})
    assert (seen["before"], seen["after"][1]) == (1, 2)
