"""Callboard in LangChain's place, in processes of their own: what is imported stays imported."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
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


def test_every_door_of_the_tracers_leads_to_callboard():
    program(
        """
import callboard.langchain
callboard.langchain.install()
import importlib, pkgutil
import langchain_core.tracers
from langchain_core.tracers import Run, LangChainTracer, core, log_stream
from callboard.tracers import BaseTracer
for found in pkgutil.iter_modules(langchain_core.tracers.__path__):
    module = importlib.import_module(f"langchain_core.tracers.{found.name}")
    assert module.__name__.startswith("callboard."), module
    assert getattr(langchain_core.tracers, found.name) is module
for name in langchain_core.tracers.__all__:
    assert getattr(langchain_core.tracers, name).__module__.startswith("callboard."), name
assert issubclass(LangChainTracer, BaseTracer) and core._TracerCore in LangChainTracer.__mro__
import langsmith
assert isinstance(Run(name="x"), langsmith.RunTree)
"""
    )


def test_a_module_of_a_later_release_is_found_and_has_ours_below_it(tmp_path):
    (tmp_path / "later.py").write_text("from langchain_core.tracers.base import BaseTracer")
    program(
        f"""
import callboard.langchain
callboard.langchain.install()
import langchain_core.tracers
langchain_core.tracers.__path__.append({str(tmp_path)!r})
from langchain_core.tracers import later
from callboard.tracers import BaseTracer
assert later.__name__ == "langchain_core.tracers.later"
assert later.BaseTracer is BaseTracer
"""
    )


def test_a_hook_that_is_registered_at_either_door_is_seen_by_both():
    program(
        """
import callboard.langchain
callboard.langchain.install()
from contextvars import ContextVar
import langchain_core.tracers.context as theirs
import callboard.tracers.context as ours
from callboard.callbacks import BaseCallbackHandler
from langchain_core.callbacks import CallbackManager
assert theirs._configure_hooks is ours._configure_hooks
for door in (theirs, ours):
    handler = BaseCallbackHandler()
    door.register_configure_hook(ContextVar(door.__name__, default=handler), True)
    assert CallbackManager.configure().handlers.count(handler) == 1
"""
    )


def test_a_tracer_of_langchains_name_makes_runs_that_langchains_code_can_use():
    program(
        """
import callboard.langchain
callboard.langchain.install()
import langsmith
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.context import collect_runs

heard = []
runnable = RunnableLambda(lambda x: x + 1).with_listeners(
    on_start=lambda run: heard.append(run), on_end=lambda run, config: heard.append(run)
)
with collect_runs() as collected:
    runnable.invoke(1, {"tags": ["t"]})
for run in (*heard, *collected.traced_runs):
    assert isinstance(run, langsmith.RunTree)
    assert run.model_dump(exclude={"outputs"})["inputs"] == {"input": 1}
    assert run.outputs == {"output": 2}
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


def test_too_late_is_when_any_of_its_modules_has_been_imported():
    ran = run(
        "-c",
        "import langchain_core.tracers.schemas, callboard.langchain as c; c.install()",
    )
    assert ran.returncode != 0
    assert "too late: langchain_core.tracers has been imported" in ran.stderr


def test_without_langchain_the_error_says_what_to_type():
    ran = run(
        "-c",
        "import sys; sys.modules['langchain_core'] = None\n"
        "import callboard.langchain; callboard.langchain.install()",
    )
    assert ran.returncode != 0
    assert "pip install 'callboard[langchain]'" in ran.stderr


def test_an_sdk_that_is_too_old_is_said_and_nothing_is_changed():
    out = program(
        """
import sys
import callboard.langchain
sys.modules["langsmith.run_trees"] = None
try:
    callboard.langchain.install()
except callboard.errors.InstallError as error:
    print(error)
assert not callboard.langchain.installed()
assert "langchain_core.callbacks" not in sys.modules
"""
    )
    assert "needs a newer langchain-core or langsmith" in out


def test_uninstalling_gives_the_original_back_to_those_who_import_it_then():
    program(
        """
import callboard.langchain
callboard.langchain.install()
import langchain_core.callbacks.manager, langchain_core.tracers.base
callboard.langchain.uninstall()
import langchain_core.callbacks.manager as manager, langchain_core.tracers.base as base
assert manager.CallbackManager.__module__ == "langchain_core.callbacks.manager"
assert base.BaseTracer.__module__ == "langchain_core.tracers.base"
from callboard.tracing.dialect import dialect
from callboard.tracing.run import Run
assert dialect().run is Run
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


def test_what_is_sent_to_a_process_without_it_works_there():
    pickled = program(
        """
import callboard.langchain
callboard.langchain.install()
import pickle
from langchain_core.callbacks import CallbackManager
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.context import collect_runs
from callboard.testing import RecordingHandler
with collect_runs() as collected:
    RunnableLambda(lambda x: x, name="there").invoke(1)
handler = RecordingHandler()
print(pickle.dumps((handler, CallbackManager([handler]), collected.traced_runs[0])).hex())
"""
    )
    out = program(
        f"""
import pickle
from langchain_core.runnables import RunnableLambda
handler, manager, run = pickle.loads(bytes.fromhex({pickled.strip()!r}))
RunnableLambda(lambda x: x, name="here").invoke(1, {{"callbacks": [handler]}})
RunnableLambda(lambda x: x, name="by a manager").invoke(1, {{"callbacks": manager}})
import callboard.langchain
assert not callboard.langchain.installed()
print(handler.tree(), run.name, sep="\\n")
"""
    )
    assert out.splitlines() == ["chain here (ok)", "chain by a manager (ok)", "there"]


def test_nothing_is_patched_unless_asked_for():
    program(
        """
import callboard.langchain, callboard.callbacks.manager
import langchain_core.callbacks.manager as manager
assert manager.CallbackManager.__module__ == "langchain_core.callbacks.manager"
"""
    )


def test_tracing_of_the_environment_reaches_callboards_managers():
    """The tracer joins our manager, under a @traceable function's run."""
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


DEFAULT_CLIENT = """
import os
os.environ["LANGSMITH_API_KEY"] = "any"
import callboard.langchain
callboard.langchain.install()
import langsmith
from callboard.langchain.client import ExporterClient
from langchain_core.tracers.langchain import LangChainTracer, get_client
"""


def test_the_sdks_default_client_is_ours_until_the_program_configures_another():
    program(
        DEFAULT_CLIENT
        + """
assert isinstance(langsmith.RunTree(name="r").client, ExporterClient)
assert get_client() is langsmith.run_trees.get_cached_client() is LangChainTracer().client
theirs = langsmith.Client()
langsmith.configure(client=theirs)
assert get_client() is langsmith.RunTree(name="r").client is LangChainTracer().client is theirs
langsmith.configure(client=None)
assert isinstance(langsmith.RunTree(name="r").client, ExporterClient)
callboard.langchain.uninstall()
assert type(langsmith.run_trees.get_cached_client()) is langsmith.Client
"""
    )


def test_a_client_with_options_is_the_sdks_own():
    program(
        DEFAULT_CLIENT
        + """
asked = langsmith.run_trees.get_cached_client(timeout_ms=9)
assert type(asked) is langsmith.Client and get_client() is asked
"""
    )


def test_where_runs_go_to_opentelemetry_the_sdk_takes_them_there():
    program(
        DEFAULT_CLIENT
        + """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
os.environ["LANGSMITH_TRACING_MODE"] = "otel"
client = langsmith.RunTree(name="r").client
assert type(client) is langsmith.Client and client.tracing_mode == "otel"
assert get_client() is LangChainTracer().client is client
"""
    )


def test_agents_are_heard_traced_and_streamed_as_with_the_original():
    with ThreadPoolExecutor() as at_once:
        words = ((str(PROGRAMS / "langgraph_agents.py"), *place) for place in ((), ("callboard",)))
        original, installed = at_once.map(lambda each: run(*each), words)
    assert original.returncode == 0, original.stderr
    assert installed.returncode == 0, installed.stderr
    assert installed.stdout.splitlines() == original.stdout.splitlines()
    for seen in ("paused [{'may I': 3}]", "ZeroDivisionError", "sent a", "on_chat_model_stream"):
        assert seen in original.stdout
