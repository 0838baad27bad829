"""Callboard in LangChain's place, in processes of their own: what is imported stays imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAMS = Path(__file__).parent / "langchain_programs"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LANGSMITH_TRACING": "false", "PYTHONHASHSEED": "0"},
    )


def program(source: str) -> str:
    ran = run("-c", source)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_program_is_heard_as_with_the_original():
    original = run(str(PROGRAMS / "transcript.py"))
    installed = run(str(PROGRAMS / "transcript.py"), "callboard")
    assert original.returncode == 0, original.stderr
    assert installed.returncode == 0, installed.stderr
    assert installed.stdout == original.stdout
    for event in ("on_custom_event", "on_retriever_end", "on_tool_start", "on_llm_new_token"):
        assert event in original.stdout


def test_what_langchain_adds_to_managers_is_added_to_ours():
    original = run(str(PROGRAMS / "surroundings.py"))
    installed = run(str(PROGRAMS / "surroundings.py"), "callboard")
    assert original.returncode == 0, original.stderr
    assert installed.returncode == 0, installed.stderr
    assert installed.stdout == original.stdout
    for tracer in ("LangChainTracer", "ConsoleCallbackHandler", "RunCollectorCallbackHandler"):
        assert tracer in original.stdout


def test_every_door_of_the_package_leads_to_callboard():
    program(
        """
import callboard.langchain, callboard.callbacks
callboard.langchain.install()
import langchain_core.callbacks
from langchain_core.callbacks import base, file, manager, stdout, streaming_stdout, usage
for module in (base, file, manager, stdout, streaming_stdout, usage):
    assert module.__name__.startswith("callboard."), module
for name in langchain_core.callbacks.__all__:
    assert getattr(langchain_core.callbacks, name) is getattr(callboard.callbacks, name)
"""
    )


def test_installing_twice_is_installing_once():
    program(
        """
import callboard.langchain
callboard.langchain.install()
from langchain_core.callbacks import CallbackManager as first
callboard.langchain.install()
from langchain_core.callbacks import CallbackManager as second
assert first is second and callboard.langchain.installed()
"""
    )


def test_too_late_says_so_and_what_to_do():
    ran = run(
        "-c",
        "import langchain_core.callbacks.base, callboard.langchain; callboard.langchain.install()",
    )
    assert ran.returncode != 0
    assert "too late: langchain_core.callbacks has been imported" in ran.stderr
    assert "before the first import" in ran.stderr


def test_without_langchain_the_error_says_what_to_type():
    ran = run(
        "-c",
        "import sys; sys.modules['langchain_core'] = None\n"
        "import callboard.langchain; callboard.langchain.install()",
    )
    assert ran.returncode != 0
    assert "pip install 'callboard[langchain]'" in ran.stderr


def test_uninstalling_gives_the_original_back_to_those_who_import_it_then():
    program(
        """
import callboard.langchain
callboard.langchain.install()
import langchain_core.callbacks.manager
callboard.langchain.uninstall()
import langchain_core.callbacks.manager as manager
assert manager.CallbackManager.__module__ == "langchain_core.callbacks.manager"
callboard.langchain.uninstall()
"""
    )


def test_an_untested_version_is_warned_of_once_and_by_name():
    out = program(
        """
import warnings
from importlib import metadata
import callboard.langchain
metadata.version = lambda name: "99.0.0"
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    callboard.langchain.install()
    callboard.langchain.install()
print(len(caught), caught[0].message)
"""
    )
    assert out.startswith("1 ")
    assert "1.7.2" in out
    assert "99.0.0" in out


def test_nothing_is_patched_unless_asked_for():
    program(
        """
import callboard.langchain, callboard.callbacks.manager
import langchain_core.callbacks.manager as manager
assert manager.CallbackManager.__module__ == "langchain_core.callbacks.manager"
"""
    )


def test_tracing_of_the_environment_reaches_callboards_managers():
    """LangChain's own tracer joins our manager, under a @traceable function's run."""
    program(
        """
import os
os.environ["LANGSMITH_TRACING"] = "true"
os.environ["LANGSMITH_ENDPOINT"] = "http://127.0.0.1:9"
import callboard.langchain
callboard.langchain.install()
from unittest.mock import MagicMock
import langsmith
from langchain_core.callbacks import CallbackManager
from langchain_core.tracers import LangChainTracer

client = MagicMock(spec=langsmith.Client)

@langsmith.traceable(client=client)
def outer():
    manager = CallbackManager.configure()
    (tracer,) = manager.handlers
    assert isinstance(tracer, LangChainTracer)
    parent = langsmith.get_current_run_tree()
    assert manager.parent_run_id == parent.id
    assert tracer.order_map[parent.id] == (parent.trace_id, parent.dotted_order)

outer()
"""
    )
