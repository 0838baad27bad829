"""Objects: what is told of them, beside what the LangSmith SDK would send."""

import json
import re
from dataclasses import dataclass, field
from importlib import import_module
from ipaddress import IPv4Address
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pydantic
import pytest
from langchain_core.load.serializable import Serializable
from langsmith import LangSmithSecret
from langsmith._internal._serde import dumps_json

from callboard.tracing.capture import MAX_VALUES, capture
from callboard.wire.json import encode


class Nested(pydantic.BaseModel):
    size: int | None = None


class Keeps(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow", arbitrary_types_allowed=True)

    name: str = "a"
    nothing: None = None
    hidden: str = pydantic.Field("x", exclude=True)
    key: pydantic.SecretStr = pydantic.SecretStr("hush")
    empty: dict[str, Any] = {}
    inside: Nested = Nested()
    held: dict[str, Any] = {"none": None}
    _private: int = 1


class InWords(pydantic.BaseModel):
    size: int
    price: Annotated[int, pydantic.PlainSerializer(lambda cents: f"{cents / 100:.2f}")] = 150

    @pydantic.field_serializer("size")
    def in_words(self, size: int) -> str:
        return f"{size} pieces"


class Whole(pydantic.BaseModel):
    x: int

    @pydantic.model_serializer
    def whole(self) -> dict[str, Any]:
        return {"twice": self.x * 2}


class Items(pydantic.RootModel[list[int]]):
    pass


@dataclass
class Order:
    name: str
    _secret: str = "hush"
    lines: list[Any] = field(default_factory=list)


class Printed:
    def __str__(self) -> str:
        return "as it prints"


ALIKE = [
    Keeps(),
    Keeps(more=1, nobody=None),
    Keeps.model_construct(name="b"),
    InWords(size=2),
    Whole(x=2),
    Items([1, 2]),
    Order("tea", lines=[Order("milk"), None]),
    Printed(),
    ValueError("no", 1),
    KeyError("k"),
    IPv4Address("127.0.0.1"),
    re.compile("a+"),
    re.compile(b"a+"),
    LangSmithSecret("hush"),
    {LangSmithSecret("hush"): LangSmithSecret("hush")},
    b"text",
    b"\xff",
    bytearray(b"text"),
]


@pytest.mark.parametrize(
    "value", ALIKE, ids=[f"{n} {type(each).__name__}" for n, each in enumerate(ALIKE)]
)
def test_an_object_reads_as_the_sdk_sends_it(value):
    ours = json.loads(encode(capture([value])))
    assert ours == json.loads(dumps_json([value]))
    assert "hush" not in str(ours)


def test_a_zone_is_told_by_its_name():
    assert capture(ZoneInfo("Europe/Oslo")) == "Europe/Oslo"


def test_a_model_that_can_not_serialise_itself_is_told_by_its_fields():
    class Broken(pydantic.BaseModel):
        size: int = 1

        @pydantic.field_serializer("size")
        def fail(self, size: int) -> str:
            raise RuntimeError

    assert capture(Broken()) == {"size": 1}


def test_an_iterator_is_not_used_up():
    class Holds(pydantic.BaseModel):
        items: Any

        @pydantic.computed_field
        def size(self) -> int:
            return 1

    items = iter([1, 2])
    capture(Holds(items=items))
    assert list(items) == [1, 2]


def test_the_secrets_of_a_component_are_masked_whichever_class_names_them():
    class Base(Serializable):
        key: str = ""

        @property
        def lc_secrets(self) -> dict[str, str]:
            return {"key": "THE_KEY"}

    class Model(Base):
        other: str = ""
        size: int = 1

        @property
        def lc_secrets(self) -> dict[str, str]:
            return {"other": "OTHER_KEY"}

    class Serialising(Model):
        @pydantic.computed_field
        def twice(self) -> int:
            return self.size * 2

    told = {"key": "**********", "other": "**********", "size": 1}
    assert capture(Model(key="hush", other="hush")) == told
    assert capture(Serialising(key="hush", other="hush")) == told | {"twice": 2}


def test_a_model_has_no_more_values_than_any_other():
    told = capture(Keeps(many=[0] * (MAX_VALUES + 1)))
    assert len(told["many"]) < MAX_VALUES
    assert told["many"][-1].startswith("<the rest is not recorded")


def test_a_model_that_holds_itself_is_cut_where_it_does():
    ring = Keeps()
    ring.held["ring"] = ring
    assert capture(ring)["held"]["ring"] == "<cycle: Keeps>"


def test_what_happens_to_a_model_later_does_not_show():
    model = Keeps(held={"list": [1]})
    told = capture(model)
    model.held["list"].append(2)
    model.inside.size = 3
    assert told["held"] == {"list": [1]}
    assert told["inside"] == {}


def test_an_object_that_prints_as_nothing_is_told_by_its_fields():
    class Cart:
        def __init__(self) -> None:
            self.items = [1]

    assert capture(Cart()) == {"items": [1]}


def test_no_method_of_an_object_is_called_to_read_it():
    class Frame:
        def to_dict(self) -> dict[str, Any]:
            raise AssertionError

        dict = model_dump = to_dict

        def __repr__(self) -> str:
            return "a frame"

    assert capture(Frame()) == "a frame"


@pytest.mark.parametrize("of", ["callboard.callbacks", "langchain_core.callbacks"])
def test_handlers_and_managers_are_told_by_name_and_not_walked(of):
    """A config has them among the rest, and a tracer has every run that it knows."""
    callbacks = import_module(of)
    handler = callbacks.BaseCallbackHandler()
    handler.secret = "hush"
    manager = callbacks.CallbackManager([handler])
    run_manager = manager.on_chain_start({}, {})
    for each in (handler, manager, run_manager, run_manager.get_child("tag")):
        told = capture({"config": {"callbacks": each}})["config"]["callbacks"]
        assert told.startswith("<")
        assert type(each).__name__ in told
        assert "hush" not in told
