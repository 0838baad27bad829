"""Capture: values as they are at the moment, safe from what happens to them later."""

import threading
from collections import ChainMap, Counter, OrderedDict, UserDict, deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from pathlib import PurePosixPath
from types import MappingProxyType, SimpleNamespace
from typing import NamedTuple
from uuid import UUID

import numpy as np
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage as TheirAIMessage

from callboard.payloads import AIMessage, Document, HumanMessage, LLMResult
from callboard.tracing.capture import MAX_DEPTH, capture, capture_measured
from callboard.tracing.objects import fields_of
from callboard.tracing.responses import captured_response, tool_call_count
from callboard.wire.json import encode


class Model(pydantic.BaseModel):
    items: list[int] = pydantic.Field(default_factory=list)


@dataclass
class Data:
    items: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Slotted:
    items: list[int] = field(default_factory=list)


class Plain:
    def __init__(self, items):
        self.items = items


def by_type(value):
    """Name a case: a repr may tell an address, which is another one in each process."""
    return type(value).__name__ if " at 0x" in repr(value) else repr(value)


Colour = Enum("Colour", {"RED": "red"})


class Point(NamedTuple):
    items: list[int]
    more: int | None


LEAVES = [
    "a text",
    b"bytes",
    10**30,
    1.5,
    float("nan"),
    True,
    None,
    1j,
    UUID(int=1),
    datetime(2025, 1, 1, tzinfo=UTC),
    date(2025, 1, 1),
    time(12),
    timedelta(1),
    Decimal("1.5"),
    Fraction(1, 3),
]


@pytest.mark.parametrize("leaf", LEAVES, ids=by_type)
def test_what_cannot_change_is_taken_by_reference_wherever_it_stands(leaf):
    assert capture(leaf) is leaf
    assert capture({"a": [(leaf,)]})["a"][0][0] is leaf
    assert capture(Data([leaf]))["items"][0] is leaf


def test_a_long_text_is_not_copied():
    prompt, image = "word " * 200_000, bytes(10**6)
    captured = capture({"messages": [HumanMessage(prompt)], "image": image})
    assert captured["messages"][0]["content"] is prompt
    assert captured["image"] is image


HOLDERS = {
    "a list": lambda items: items,
    "a dictionary": lambda items: {"items": items},
    "a tuple": lambda items: (items,),
    "a deque": lambda items: deque([items]),
    "an ordered dictionary": lambda items: OrderedDict(items=items),
    "a user's dictionary": lambda items: UserDict(items=items),
    "a chain of maps": lambda items: ChainMap({"items": items}),
    "a view": lambda items: MappingProxyType({"items": items}),
    "a named tuple": lambda items: Point(items, None),
    "a dataclass": Data,
    "a slotted dataclass": Slotted,
    "a plain object": Plain,
    "a namespace": lambda items: SimpleNamespace(items=items),
    "a model": lambda items: Model.model_construct(items=items),
    "a message": lambda items: AIMessage("", tool_calls=items),
    "LangChain's message": lambda items: TheirAIMessage(
        content="", additional_kwargs={"items": items}
    ),
    "a document": lambda items: Document("", {"items": items}),
    "all of these": lambda items: {
        "deep": [{"down": (Data(items), Model.model_construct(items=items))}]
    },
}


@pytest.mark.parametrize("make", HOLDERS.values(), ids=HOLDERS)
def test_what_happens_to_a_value_later_does_not_show(make):
    items = [1, {"two": 2}]
    captured = capture(make(items))
    again = capture(make([1, {"two": 2}]))
    assert captured == again
    items.append(3)
    items[1]["two"] = 3
    assert captured == again
    assert capture(make(items)) != again


def test_nobody_else_holds_a_container_of_what_was_captured():
    value = {"a": [{}], "b": Data([1])}
    one, other = capture(value), capture(value)
    assert one == other
    assert one is not other
    assert one["a"] is not other["a"]
    assert one["a"][0] is not value["a"][0]


@pytest.mark.parametrize(
    ("value", "captured"),
    [
        ((1, (2,)), [1, [2]]),
        ({1}, [1]),
        (frozenset({1}), [1]),
        (deque([1], maxlen=2), [1]),
        (Point(1, 2), {"items": 1, "more": 2}),
        (Counter("aa"), {"a": 2}),
        (bytearray(b"x"), b"x"),
        (memoryview(b"x"), b"x"),
        (Colour.RED, "red"),
        (IntEnum("Level", {"HIGH": 3}).HIGH, 3),
        (StrEnum("Word", {"YES": "yes"}).YES, "yes"),
        (PurePosixPath("a/b"), "a/b"),
        (ValueError("no"), {"error": "ValueError", "message": "no"}),
        (Data([1]), {"items": [1]}),
        (Slotted([1]), {"items": [1]}),
        (Model(items=[1]), {"items": [1]}),
        (Plain([1]), {"items": [1]}),
        ({1: "a", None: "b", (1, 2): "c"}, {"1": "a", "null": "b", "(1, 2)": "c"}),
        ({Colour.RED: 1}, {"red": 1}),
        (int, "<class 'int'>"),
        (len, "<built-in function len>"),
        (range(3), "range(0, 3)"),
    ],
    ids=by_type,
)
def test_each_kind_of_value_has_its_form(value, captured):
    assert capture(value) == captured
    assert type(capture(value)) is type(captured)


def test_a_key_that_is_a_kind_of_text_is_that_text():
    class Word(str, Enum):  # noqa: UP042 - which prints another text
        YES = "yes"

    class Text(str):
        __slots__ = ()

        def __str__(self):
            raise ValueError

    captured = capture({Word.YES: 1, Text("text"): 2})
    assert captured == {"yes": 1, "text": 2}
    assert {type(key) for key in captured} == {str}


def test_a_models_fields_are_captured_but_not_what_it_keeps_to_itself():
    class Keeps(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="allow")
        shown: int = 1
        hidden: str = pydantic.Field("secret", exclude=True)
        password: pydantic.SecretStr = pydantic.SecretStr("secret")
        _private: str = pydantic.PrivateAttr("secret")

    captured = capture(Keeps(more=[2]))
    assert captured["shown"] == 1
    assert captured["more"] == [2]
    assert "secret" not in str(captured)


@pytest.mark.parametrize(
    ("value", "captured"),
    [
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array([]), []),
        (np.array(5), 5),
        (np.int64(5), 5),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.array(["a"], dtype=object), ["a"]),
        (np.dtype("int8"), "int8"),
    ],
    ids=by_type,
)
def test_arrays_are_lists_of_numbers(value, captured):
    assert capture({"vector": value}) == {"vector": captured}


def test_an_array_is_safe_from_later_changes():
    vector = np.zeros(3)
    captured = capture(vector)
    vector[0] = 1
    assert captured == [0, 0, 0]


def test_what_contains_itself_is_cut_where_it_does():
    ring = [1]
    ring.append({"ring": ring})
    assert capture(ring) == [1, {"ring": "<cycle: list>"}]
    knot = Plain(None)
    knot.items = [knot]
    assert capture(knot) == {"items": ["<cycle: Plain>"]}


def test_what_is_there_twice_is_no_cycle():
    shared = [1]
    assert capture([shared, shared, {"a": shared}]) == [[1], [1], {"a": [1]}]


AROUND = {
    "lists": lambda value: [value],
    "dictionaries": lambda value: {"a": value},
    "objects": Plain,
}


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_what_is_very_deep_is_cut(around):
    value = "bottom"
    for _ in range(10_000):
        value = around(value)
    captured = capture(value)
    depth = 0
    while not isinstance(captured, str):
        (captured,) = captured.values() if isinstance(captured, dict) else captured
        depth += 1
    assert depth <= MAX_DEPTH
    assert captured.startswith("<too deep: ")
    while not isinstance(value, str):  # Taken apart from outside: its own end would go too deep.
        (value,) = vars(value).values() if isinstance(value, Plain) else _inside(value)


def _inside(value):
    return list(value.values()) if isinstance(value, dict) else value


class Hostile:
    """Raises whatever is done to it."""

    def __repr__(self):
        raise RuntimeError("no repr")

    __str__ = __repr__

    def __iter__(self):
        raise RuntimeError("no iter")

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    def __bool__(self):
        raise RuntimeError("no truth")

    __hash__ = object.__hash__


class HostileList(list):
    def __iter__(self):
        raise RuntimeError("no iter")

    __repr__ = __iter__


class HostileDict(dict):
    def items(self):
        raise RuntimeError("no items")

    __repr__ = items


class HostileClass:
    @property
    def __class__(self):
        raise RuntimeError("no class")

    def __repr__(self):
        return "a mask"


@dataclass
class HostileData:
    value: int = 1

    def __getattribute__(self, name):
        if name.startswith("__"):
            return object.__getattribute__(self, name)
        raise RuntimeError("no attribute")

    def __repr__(self):
        raise RuntimeError("no repr")


@pytest.mark.parametrize(
    ("value", "captured"),
    [
        (Hostile(), "<Hostile: unreadable, RuntimeError>"),
        (HostileList(), "<HostileList: unreadable, RuntimeError>"),
        (HostileDict(), "<HostileDict: unreadable, RuntimeError>"),
        (HostileClass(), "<HostileClass: a mask>"),
        (HostileData(), "<HostileData: unreadable, RuntimeError>"),
        ({Hostile(): 1}, {"<Hostile>": 1}),
    ],
    ids=["object", "list", "dictionary", "class", "dataclass", "key"],
)
def test_what_cannot_be_read_is_said_to_be_so_and_the_rest_is_captured(value, captured):
    assert capture({"value": value, "rest": [1]}) == {"value": captured, "rest": [1]}


def test_what_is_released_or_exhausted_is_described():
    released = memoryview(b"x")
    released.release()
    assert capture([released]) == ["<memory: unreadable, ValueError>"] or "memory" in str(
        capture([released])
    )


def test_a_generator_is_not_used_up():
    numbers = (number for number in range(3))
    assert capture([numbers])[0].startswith("<generator object")
    assert list(numbers) == [0, 1, 2]


class Grows:
    def __init__(self, around):
        self.around = around

    def __repr__(self):
        self.around[len(self.around)] = "new"
        return "grown"


def test_a_dictionary_that_grows_while_it_is_read_is_captured_as_far_as_it_was_there():
    value = {"before": 1}
    value["grows"] = Grows(value)
    value["after"] = 2
    captured = capture(value)
    assert captured == {"before": 1, "grows": "grown", "after": 2}


def test_values_that_other_threads_change_meanwhile_are_captured_all_the_same():
    value = {"fixed": 1}
    stop = threading.Event()

    def change():
        number = 0
        while not stop.is_set():
            value[f"key {number % 50}"] = [number]
            value.pop(f"key {(number + 25) % 50}", None)
            number += 1

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(300):
            captured = capture({"shared": value})
            assert captured["shared"]["fixed"] == 1
    finally:
        stop.set()
        thread.join()


class _Odd:
    """An object that misbehaves in the ways that it is told."""

    def __init__(self, answers):
        self.__dict__.update(answers)

    def __repr__(self):
        if "repr" in self.__dict__:
            return self.__dict__["repr"]
        raise ValueError("no repr")


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(),
    st.binary(),
    st.datetimes(),
    st.decimals(),
    st.fractions(),
    st.uuids(),
    st.timedeltas(),
    st.binary().map(bytearray),
    st.text().map(ValueError),
    st.sampled_from([Colour.RED, len]),
    st.sampled_from([Hostile, HostileList, HostileDict, HostileClass, HostileData]).flatmap(
        st.builds
    ),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.lists(inner, max_size=4).map(deque),
        st.dictionaries(st.one_of(st.text(), st.integers(), st.none()), inner, max_size=4),
        st.dictionaries(st.text(), inner, max_size=3).map(_Odd),
        st.dictionaries(st.text(), inner, max_size=3).map(OrderedDict),
        inner.map(Plain),
        inner.map(lambda item: Model.model_construct(items=item)),
        inner.map(AIMessage),
    ),
    max_leaves=15,
)
FORMS = (
    str,
    bytes,
    int,
    float,
    complex,
    type(None),
    UUID,
    date,
    time,
    timedelta,
    Decimal,
    Fraction,
)


def _is_captured(value):
    if type(value) is dict:
        return all(type(key) is str and _is_captured(item) for key, item in value.items())
    if type(value) is list:
        return all(map(_is_captured, value))
    return isinstance(value, FORMS)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values)
def test_whatever_the_value_it_is_captured_as_plain_data_and_nothing_is_raised(value):
    assert _is_captured(capture(value))


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_plain_data_is_captured_as_it_is(value):
    assert capture(value) == value


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        ({"a": 1}, {"a": 1}),
        (Data([1]), {"items": [1]}),
        (Model(items=[1]), {"items": [1]}),
        (Plain([1]), {"items": [1]}),
        (5, {}),
    ],
    ids=by_type,
)
def test_an_objects_fields_can_be_had_unwalked(value, fields):
    assert fields_of(value) == fields


@pytest.mark.parametrize(
    "response", [None, {}, LLMResult([]), {"generations": None}, "text"], ids=by_type
)
def test_a_response_without_generations_has_none(response):
    assert captured_response(response)["generations"] == []
    assert tool_call_count(response) == 0


def test_a_response_may_be_a_dictionary():
    response = {"generations": [[{"text": "hello", "message": {"tool_calls": [{}]}}]]}
    assert captured_response(response)["generations"] == response["generations"]
    assert tool_call_count(response) == 1


@pytest.mark.parametrize(
    "value",
    [
        {"a": {}},
        {"question": "x" * 1000, "k": [1, None, 2.5]},
        {"text": "\u4e16\u754c" * 500, "deep": {"er": [{"x": b"y" * 300}]}},
        {1: "a", "more": (1, 2, "b" * 400)},
        ["x" * 500, {"y": ["z" * 500]}],
        Model(items=[1]),
    ],
    ids=by_type,
)
def test_what_is_captured_knows_about_how_many_bytes_it_takes(value):
    captured = capture_measured(value)
    assert captured == capture(value)
    sent = len(encode(captured))
    assert sent / 2 <= captured.size <= 3 * sent + 50


def test_leaves_have_no_size():
    assert capture_measured("text") == "text"
    assert capture_measured(7) == 7
