"""The doors: every public name is there, under its dotted names, and costs nothing until used."""

import importlib
import json
import os
import subprocess
import sys
from typing import TypeVar

import pytest

import callboard
from callboard import callbacks

DOORS = ["base", "manager", "file", "stdout", "streaming_stdout", "usage"]


def in_a_new_process(program):
    """Run a program in a process of its own, and return what it prints, read as JSON."""
    # Measuring coverage there would load a database.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def test_every_name_is_there_once_and_in_order():
    assert callbacks.__all__ == sorted(set(callbacks.__all__))
    assert sorted(callbacks._HOMES) == callbacks.__all__
    for name in callbacks.__all__:
        assert getattr(callbacks, name).__module__.startswith(("callboard.", "typing", "types"))


def test_dir_lists_every_name():
    assert set(callbacks.__all__) <= set(dir(callbacks))
    assert (
        in_a_new_process(
            "import json, callboard.callbacks as c;"
            "print(json.dumps(sorted(set(c.__all__) - set(dir(c)))))"
        )
        == []
    )


def test_a_star_import_brings_every_name():
    names = {}
    exec("from callboard.callbacks import *", names)
    assert set(callbacks.__all__) <= set(names)


def test_a_name_that_does_not_exist_is_refused_as_usual():
    with pytest.raises(AttributeError, match=r"module 'callboard\.callbacks'.*'CallbackManger'"):
        _ = callbacks.CallbackManger
    with pytest.raises(ImportError, match="CallbackManger"):
        exec("from callboard.callbacks import CallbackManger")
    assert not hasattr(callbacks, "CallbackManger")


def test_names_of_langchains_callbacks_are_all_here():
    import langchain_core.callbacks as theirs

    assert set(theirs.__all__) <= set(callbacks.__all__)


@pytest.mark.parametrize("door", DOORS)
def test_each_doors_names_are_the_same_objects(door):
    module = importlib.import_module(f"callboard.callbacks.{door}")
    assert module.__all__ == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is getattr(callbacks, name)


@pytest.mark.parametrize("door", DOORS)
def test_every_name_is_where_langchain_defines_it(door):
    theirs = importlib.import_module(f"langchain_core.callbacks.{door}")
    mine = importlib.import_module(f"callboard.callbacks.{door}")
    defined = [
        name
        for name, value in vars(theirs).items()
        if getattr(value, "__module__", None) == theirs.__name__
        and not name.startswith("_")
        and not isinstance(value, TypeVar)
    ]
    assert defined
    assert [name for name in defined if not hasattr(mine, name)] == []


async def test_private_names_that_others_take_from_the_manager_module_are_there():
    from callboard.callbacks import BaseCallbackHandler, manager
    from callboard.testing import RecordingHandler

    recorder = RecordingHandler()
    send = manager._ahandle_event_for_handler
    await send(recorder, "on_text", None, "text", run_id=None)
    await send(BaseCallbackHandler(), "on_text", None, "text", run_id=None)
    assert recorder.events == ["on_text"]
    assert manager._get_debug() is False


def test_importing_the_callbacks_loads_nothing_heavy():
    loaded = in_a_new_process(
        "import sys; before = set(sys.modules)\n"
        "import json, callboard.callbacks\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    roots = {name.partition(".")[0] for name in loaded}
    assert "callboard" in roots
    assert not roots & {
        "asyncio",
        "http",
        "httpx",
        "langchain_core",
        "langsmith",
        "pydantic",
        "requests",
        "sqlite3",
        "ssl",
        "urllib3",
    }


def test_using_the_callbacks_loads_no_http_client_database_or_model_library():
    loaded = in_a_new_process(
        "import json, sys\n"
        "from callboard.callbacks import *\n"
        "from callboard.testing import RecordingHandler\n"
        "manager = CallbackManager.configure([RecordingHandler()], verbose=False)\n"
        "with trace_as_chain_group('group', manager) as group:\n"
        "    group.on_llm_start({}, ['prompt'])[0].on_llm_end({})\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    roots = {name.partition(".")[0] for name in loaded}
    assert not roots & {
        "httpx",
        "langchain_core",
        "langsmith",
        "pydantic",
        "requests",
        "sqlite3",
        "urllib3",
    }
    assert "http.client" not in loaded


def test_the_package_itself_offers_its_version_and_little_else():
    assert callboard.__all__ == ["__version__", "reload_environment", "trace", "traceable"]
    from callboard import instrument

    assert (callboard.trace, callboard.traceable) == (instrument.trace, instrument.traceable)
    with pytest.raises(AttributeError, match="'tracable'"):
        _ = callboard.tracable
    from importlib.metadata import version

    assert callboard.__version__ == version("callboard")
