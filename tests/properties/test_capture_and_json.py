"""Whatever a program passes: it is captured and encoded, and every reader reads the result."""

import json as standard
import types
from collections import UserDict, deque, namedtuple
from dataclasses import make_dataclass
from enum import Enum
from pathlib import PurePosixPath

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from langchain_core.messages import AIMessage as TheirAIMessage
from pydantic import BaseModel, v1

from callboard.payloads import AIMessage
from callboard.tracing.capture import capture
from callboard.wire import json

Colour = Enum("Colour", {"RED": "red", "ODD": object()})
Pair = namedtuple("Pair", "one two")  # noqa: PYI024 - the kind that other libraries have
Data = make_dataclass("Data", ["held"])


class Model(BaseModel):
    held: object = None


class OldModel(v1.BaseModel):
    held: object = None


class Raises:
    """Raises an exception of some kind wherever it is asked something."""

    def __init__(self, error):
        self.error = error

    def __getattribute__(self, name):
        if name in ("__dict__", "__class__", "held"):
            raise object.__getattribute__(self, "error")
        return object.__getattribute__(self, name)

    def __repr__(self):
        raise object.__getattribute__(self, "error")

    __iter__ = __len__ = __bool__ = __str__ = __repr__
    __hash__ = object.__hash__


errors = st.sampled_from([ValueError, AttributeError, RecursionError, MemoryError, StopIteration])
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(st.characters(codec=None)),
    st.binary(),
    st.datetimes(timezones=st.none() | st.timezones()),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.decimals(),
    st.fractions(),
    st.uuids(),
    st.text().map(PurePosixPath),
    st.sampled_from(Colour),
    arrays.arrays(arrays.scalar_dtypes(), arrays.array_shapes(max_dims=2, max_side=3)),
    arrays.from_dtype(np.dtype("datetime64[ns]")),
    st.builds(Raises, errors.map(lambda kind: kind("no"))),
    st.just(1).map(lambda number: (number for _ in range(2))),
)
keys = st.one_of(
    st.text(st.characters(codec=None), max_size=2),
    st.integers(0, 3),
    st.sampled_from(["0", "1", "None", "True", None, True, b"1", (1,), Colour.RED]),
)


def held(inner):
    return st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(keys, inner, max_size=4),
        st.tuples(inner, inner).map(lambda two: Pair(*two)),
        st.lists(inner, max_size=3).map(deque),
        st.dictionaries(keys, inner, max_size=3).map(UserDict),
        inner.map(Data),
        inner.map(lambda value: Model.model_construct(held=value)),
        inner.map(lambda value: OldModel.construct(held=value)),
        inner.map(lambda value: types.SimpleNamespace(held=value)),
        inner.map(lambda value: AIMessage("x", additional_kwargs={"held": value})),
        inner.map(lambda value: TheirAIMessage("x", additional_kwargs={"held": value})),
    )


@given(st.recursive(leaves, held, max_leaves=12))
def test_anything_becomes_json_that_every_reader_reads(value):
    data = json.encode(capture({"value": value}))
    assert standard.loads(data) == json.decode(data)
    assert list(standard.loads(data)) == ["value"]


@given(st.dictionaries(keys, st.integers(0, 9), max_size=8))
def test_no_item_of_a_dictionary_gets_lost(value):
    assert sorted(json.decode(json.encode(capture(value))).values()) == sorted(value.values())
    assert sorted(json.decode(json.encode(value)).values()) == sorted(value.values())
