"""The doors of tracers: langchain_core's dotted names resolve, and cost nothing until then."""

import subprocess
import sys
from importlib import import_module

import pytest

import callboard.tracers
from callboard.callbacks import BaseCallbackHandler


@pytest.mark.parametrize("name", callboard.tracers.__all__)
def test_each_name_resolves_and_lives_in_the_room_that_made_it(name):
    room = "callboard.langsmith." if name == "LangChainTracer" else "callboard.tracing."
    assert getattr(callboard.tracers, name).__module__.startswith(room)


@pytest.mark.parametrize(
    "door",
    [
        "base",
        "context",
        "core",
        "langchain",
        "root_listeners",
        "run_collector",
        "schemas",
        "stdout",
    ],
)
def test_each_door_has_what_it_names_and_what_langchain_has_there(door):
    ours = import_module(f"callboard.tracers.{door}")
    theirs = import_module(f"langchain_core.tracers.{door}")
    for name in ours.__all__:
        assert hasattr(ours, name)
        # What only documents an alias has another name there.
        assert hasattr(theirs, name) or name == "TracerCore"


def test_every_tracer_is_a_handler():
    for name in ("BaseTracer", "AsyncBaseTracer", "ConsoleCallbackHandler"):
        assert issubclass(getattr(callboard.tracers, name), BaseCallbackHandler)


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match=r"'callboard\.tracers' has no attribute 'Tracer'"):
        _ = callboard.tracers.Tracer


def test_names_are_listed_before_they_are_loaded():
    assert {*callboard.tracers.__all__} <= {*dir(callboard.tracers)}


def test_opening_the_door_loads_no_tracer_and_a_tracer_loads_no_network():
    program = """
import sys
import callboard.tracers
assert "callboard.tracing" not in sys.modules
callboard.tracers.BaseTracer
heavy = {"callboard.export", "callboard.langsmith", "urllib3", "orjson", "pydantic", "http.client"}
assert not heavy & {*sys.modules}, heavy & {*sys.modules}
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=50)
