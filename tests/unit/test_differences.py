"""Where Callboard does otherwise than langchain-core on purpose: a test for each difference.

Each holds what is right here, and, where that langchain-core is installed, that the original
does what it is said to do. `docs/differences.md` refers to these tests by name.
"""

import asyncio
import gc
import inspect
import io
import os
import re
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout, suppress
from contextvars import ContextVar
from importlib.metadata import version
from pathlib import Path
from uuid import UUID

import langchain_core.callbacks
import pytest
from langchain_core.callbacks import manager as their_manager_module
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, LLMResult

import callboard.callbacks
from callboard.callbacks import loops

COMPARED = version("langchain-core") == "1.7.2"


def differs(behaviour, *, here, there):
    """Compare what both libraries do, the behaviour being a function of either's callbacks."""
    assert observed(behaviour, callboard.callbacks) == here
    if COMPARED:
        assert observed(behaviour, langchain_core.callbacks) == there


def observed(behaviour, library):
    answer = behaviour(library)
    return asyncio.run(answer) if inspect.iscoroutine(answer) else answer


def never_awaited(work):
    """Return how many coroutines a piece of work leaves behind that were never awaited."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with suppress(Exception, KeyboardInterrupt):
            answer = work()
            if inspect.iscoroutine(answer):
                asyncio.run(answer)
            del answer
        gc.collect()
    return sum("never awaited" in str(warning.message) for warning in caught)


class Pool(ThreadPoolExecutor):
    """Counts what is handed to a thread."""

    handed = 0

    def submit(self, *args, **kwargs):
        self.handed += 1
        return super().submit(*args, **kwargs)


# --- Who hears --------------------------------------------------------------------------------


def test_llm_start_in_async_code_reaches_inline_and_other_handlers():
    async def behaviour(lib):
        heard = []

        class Hears(lib.BaseCallbackHandler):
            def __init__(self, name, inline):
                self.name, self.run_inline = name, inline

            def on_llm_start(self, *args, **kwargs):
                heard.append(self.name)

        manager = lib.AsyncCallbackManager([Hears("other", False), Hears("inline", True)])
        await manager.on_llm_start({}, ["prompt"])
        return heard

    differs(behaviour, here=["inline", "other"], there=["inline"])


def test_an_event_that_a_handler_never_overrode_costs_no_thread_hop(monkeypatch):
    async def behaviour(lib):
        pool = Pool(2)
        monkeypatch.setattr(loops, "_pool", lambda: pool)  # Ours; theirs is the loop's.
        asyncio.get_running_loop().set_default_executor(pool)
        manager = lib.AsyncCallbackManager([lib.BaseCallbackHandler() for _ in range(5)])
        (run,) = await manager.on_llm_start({}, ["prompt"])
        pool.handed = 0
        await run.on_llm_new_token("token")
        return pool.handed

    differs(behaviour, here=0, there=5)


def test_a_handler_without_the_method_is_silent(caplog):
    def behaviour(lib):
        class Duck:
            """No method for the end, and no flags."""

            ignore_chain = raise_error = run_inline = False

            def on_chain_start(self, *args, **kwargs):
                pass

        caplog.clear()
        lib.CallbackManager([Duck()]).on_chain_start({}, {}).on_chain_end({})
        return len(caplog.records)

    differs(behaviour, here=0, there=1)


def test_a_flag_that_a_handler_lacks_is_off():
    def behaviour(lib):
        class Duck:
            heard = False

            def on_chain_start(self, *args, **kwargs):
                self.heard = True

        duck = Duck()
        try:
            lib.CallbackManager([duck]).on_chain_start({}, {})
        except AttributeError:
            return "broken"
        return duck.heard

    differs(behaviour, here=True, there="broken")


def test_a_handler_without_a_method_for_chat_models_hears_of_a_text_model():
    def behaviour(lib):
        class Duck:
            ignore_chat_model = ignore_llm = raise_error = run_inline = False
            prompts = None

            def on_llm_start(self, serialized, prompts, **kwargs):
                self.prompts = prompts

        duck = Duck()
        lib.CallbackManager([duck]).on_chat_model_start({}, [[HumanMessage("hi")]])
        return duck.prompts

    differs(behaviour, here=["Human: hi"], there=None)


def test_flags_may_be_set_on_a_handler():
    def behaviour(lib):
        handler = lib.BaseCallbackHandler()
        try:
            handler.ignore_llm = True
        except AttributeError:
            return "refused"
        return handler.ignore_llm

    differs(behaviour, here=True, there="refused")


def test_a_coroutine_from_a_sync_method_is_awaited_in_async_code():
    def behaviour(lib):
        finished = []

        async def later():
            finished.append(True)

        class Returns(lib.BaseCallbackHandler):
            def on_chain_start(self, *args, **kwargs):
                return later()

        async def main():
            await lib.AsyncCallbackManager([Returns()]).on_chain_start({}, {})

        return never_awaited(main), len(finished)

    differs(behaviour, here=(0, 1), there=(1, 0))


# --- Errors -----------------------------------------------------------------------------------


def test_raise_error_of_an_async_handler_is_honoured_in_sync_code():
    def behaviour(lib):
        class Fails(lib.AsyncCallbackHandler):
            raise_error = True

            async def on_chain_start(self, *args, **kwargs):
                raise LookupError

        try:
            lib.CallbackManager([Fails()]).on_chain_start({}, {})
        except LookupError:
            return "raised"
        return "swallowed"

    differs(behaviour, here="raised", there="swallowed")


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_failing_handler_is_logged_with_its_name_and_traceback(caplog, colour):
    def behaviour(lib):
        def fail(self, *args, **kwargs):
            raise LookupError

        async def afail(self, *args, **kwargs):
            raise LookupError

        base, method = {
            "sync": (lib.BaseCallbackHandler, fail),
            "async": (lib.AsyncCallbackHandler, afail),
        }[colour]
        clumsy = type("Clumsy", (base,), {"on_chain_start": method})()
        caplog.clear()
        lib.CallbackManager([clumsy]).on_chain_start({}, {})
        (record,) = caplog.records
        return "Clumsy.on_chain_start" in record.getMessage(), bool(record.exc_info)

    differs(behaviour, here=(True, True), there=(colour == "sync", False))


def test_an_exception_of_an_inline_handler_leaves_no_coroutine_behind():
    def behaviour(lib):
        class Fails(lib.BaseCallbackHandler):
            raise_error = run_inline = True

            def on_chat_model_start(self, *args, **kwargs):
                raise LookupError

        async def main():
            manager = lib.AsyncCallbackManager([Fails(), lib.BaseCallbackHandler()])
            await manager.on_chat_model_start({}, [[HumanMessage("a")], [HumanMessage("b")]])

        return never_awaited(main)

    differs(behaviour, here=0, there=3)


def test_an_interrupt_in_an_async_handler_leaves_no_coroutine_behind():
    def behaviour(lib):
        class Interrupts(lib.AsyncCallbackHandler):
            async def on_chain_start(self, *args, **kwargs):
                raise KeyboardInterrupt

        handlers = [Interrupts(), Interrupts(), Interrupts()]
        return never_awaited(lambda: lib.CallbackManager(handlers).on_chain_start({}, {}))

    differs(behaviour, here=0, there=2)


MISTAKES = {
    "a handler in place of a list": lambda lib: lib.CallbackManager.configure(
        lib.BaseCallbackHandler()
    ),
    "a class in place of a handler": lambda lib: lib.CallbackManager([lib.BaseCallbackHandler]),
    "a string in place of a list": lambda lib: lib.CallbackManager("handler"),
    "a string in place of tags": lambda lib: lib.CallbackManager([]).add_tags("prod"),
    "a list in place of metadata": lambda lib: lib.CallbackManager([], metadata=["a"]),
    "a colour that is none": lambda lib: lib.StdOutCallbackHandler("purple"),
}


@pytest.mark.parametrize("mistake", list(MISTAKES.values()), ids=list(MISTAKES))
def test_mistakes_are_told_at_the_call(mistake):
    def behaviour(lib):
        try:
            mistake(lib)
        except (TypeError, ValueError):
            return "told"
        except AttributeError:
            return "failed otherwise"
        return "taken"

    assert observed(behaviour, callboard.callbacks) == "told"
    if COMPARED:
        assert observed(behaviour, langchain_core.callbacks) in ("taken", "failed otherwise")


def test_a_manager_of_the_wrong_colour_is_refused():
    def sync_group(lib):
        with lib.manager.trace_as_chain_group("g", lib.AsyncCallbackManager([])):
            return "taken"

    async def async_group(lib):
        async with lib.manager.atrace_as_chain_group("g", lib.CallbackManager([])):
            return "taken"

    for behaviour in (sync_group, async_group):
        with pytest.raises(TypeError, match="expected here"):
            observed(behaviour, callboard.callbacks)
        if COMPARED:
            assert observed(behaviour, langchain_core.callbacks) == "taken"


def test_an_unknown_event_is_an_error():
    def behaviour(lib):
        try:
            lib.manager.handle_event([lib.BaseCallbackHandler()], "on_lm_end", None)
        except ValueError:
            return "refused"
        return "logged"

    differs(behaviour, here="refused", there="logged")


# --- Cancellation and ends ----------------------------------------------------------------------


@pytest.mark.parametrize("event", ["on_tool_end", "on_tool_error"])
def test_ends_of_tool_runs_are_shielded(event):
    async def behaviour(lib):
        begun, let_go = asyncio.Event(), asyncio.Event()
        outcome = asyncio.get_running_loop().create_future()

        class Slow(lib.AsyncCallbackHandler):
            pass

        async def hear(self, *args, **kwargs):
            begun.set()
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                outcome.set_result("cut off")
                raise
            outcome.set_result("finished")

        setattr(Slow, event, hear)
        run = await lib.AsyncCallbackManager([Slow()]).on_tool_start({}, "in")
        task = asyncio.create_task(getattr(run, event)(ValueError()))
        await begun.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        let_go.set()
        return await outcome

    differs(behaviour, here="finished", there="cut off")


def recorder(lib):
    ends = []

    class Records(lib.BaseCallbackHandler):
        run_inline = True

        def on_chain_end(self, outputs, **kwargs):
            ends.append("end")

        def on_chain_error(self, error, **kwargs):
            ends.append(type(error).__name__)

    return Records(), ends


def test_a_group_uses_the_passed_manager_when_tracing_is_off():
    def behaviour(lib):
        handler, ends = recorder(lib)
        with lib.manager.trace_as_chain_group("g", lib.CallbackManager([handler])):
            pass
        return ends

    async def abehaviour(lib):
        handler, ends = recorder(lib)
        async with lib.manager.atrace_as_chain_group("g", lib.AsyncCallbackManager([handler])):
            pass
        return ends

    differs(behaviour, here=["end"], there=[])
    differs(abehaviour, here=["end"], there=[])


def test_a_group_and_its_copy_end_the_run_once():
    def behaviour(lib):
        run = lib.CallbackManager([]).on_chain_start({}, {})
        group = lib.CallbackManagerForChainGroup([], parent_run_manager=run)
        group.copy().on_chain_end({})
        return group.ended

    async def abehaviour(lib):
        run = await lib.AsyncCallbackManager([]).on_chain_start({}, {})
        group = lib.AsyncCallbackManagerForChainGroup([], parent_run_manager=run)
        await group.copy().on_chain_end({})
        return group.ended

    differs(behaviour, here=True, there=False)
    differs(abehaviour, here=True, there=False)

    handler, ends = recorder(callboard.callbacks)
    manager = callboard.callbacks.CallbackManager([handler])
    with callboard.callbacks.trace_as_chain_group("g", manager) as group:
        group.copy().on_chain_end({})
    assert ends == ["end"]


@pytest.mark.parametrize(
    "error", [ValueError, KeyboardInterrupt, SystemExit, asyncio.CancelledError, GeneratorExit]
)
def test_a_group_always_ends_its_run(error):
    # The original, where it tells anybody (see above), does so too.
    handler, ends = recorder(callboard.callbacks)
    manager = callboard.callbacks.CallbackManager([handler])
    with suppress(error), callboard.callbacks.trace_as_chain_group("g", manager):
        raise error
    assert ends == [error.__name__]


def test_merging_a_group_keeps_what_was_not_inheritable_so():
    def behaviour(lib):
        run = lib.CallbackManager([]).on_chain_start({}, {})
        group = lib.CallbackManagerForChainGroup(
            [], parent_run_manager=run, inheritable_metadata={"a": 1}
        )
        local = lib.CallbackManager([lib.BaseCallbackHandler()], inheritable_metadata={"b": 2})
        merged = group.merge(local)
        return len(merged.handlers), len(merged.inheritable_handlers), merged.inheritable_metadata

    differs(behaviour, here=(1, 0, {"a": 1, "b": 2}), there=(1, 1, {}))


def test_a_custom_event_in_a_group_belongs_to_its_run():
    def behaviour(lib):
        heard = []

        class Hears(lib.BaseCallbackHandler):
            def on_custom_event(self, name, data, **kwargs):
                heard.append(name)

        manager = lib.CallbackManager([Hears()], [Hears()])
        with lib.manager.trace_as_chain_group("g", manager):
            try:
                lib.manager.dispatch_custom_event("progress", 1)
            except RuntimeError:
                return "refused"
        return heard

    differs(behaviour, here=["progress"], there="refused")


def test_a_custom_event_with_extra_keywords_always_raises():
    def behaviour(lib):
        try:
            lib.CallbackManager([]).on_custom_event("event", 1, color="red")
        except ValueError:
            return "refused"
        return "taken"

    differs(behaviour, here="refused", there="taken")


# --- Tags, metadata, merging ----------------------------------------------------------------------


def test_adding_local_tags_keeps_inheritable_ones():
    def behaviour(lib):
        manager = lib.CallbackManager([], tags=["a"], inheritable_tags=["a"])
        manager.add_tags(["a"], inherit=False)
        return manager.inheritable_tags

    differs(behaviour, here=["a"], there=[])


def test_add_tags_drops_duplicates():
    def behaviour(lib):
        manager = lib.CallbackManager([], inheritable_tags=["b"])
        manager.add_tags(["a", "a", "b"])
        return manager.tags, manager.inheritable_tags

    differs(
        behaviour,
        here=(["a", "b"], ["a", "b"]),
        there=(["a", "a", "b"], ["b", "a", "a", "b"]),
    )


def test_merge_keeps_the_order_of_handlers_and_tags():
    def merged(lib):
        handlers = [lib.BaseCallbackHandler() for _ in range(16)]
        tags = [f"tag {number}" for number in range(16)]
        one = lib.CallbackManager(handlers[:8], handlers[:8], tags=tags[:8], inheritable_tags=tags)
        two = lib.CallbackManager(handlers[4:], handlers[4:], tags=tags[4:])
        both = one.merge(two)
        return (
            both.handlers == handlers,
            both.inheritable_handlers == handlers,
            both.tags == tags,
            both.inheritable_tags == tags,
        )

    # The original's order is that of a set, and so, now and then, right by chance.
    assert merged(callboard.callbacks) == (True, True, True, True)
    if COMPARED:
        assert merged(langchain_core.callbacks) != (True, True, True, True)


def test_handlers_that_cannot_be_hashed_can_be_merged():
    def behaviour(lib):
        class Unhashable(lib.BaseCallbackHandler):
            __hash__ = None

        try:
            merged = lib.CallbackManager([Unhashable()]).merge(lib.CallbackManager([]))
        except TypeError:
            return "refused"
        return len(merged.handlers)

    differs(behaviour, here=1, there="refused")


def test_a_handler_that_changes_tags_or_metadata_does_not_reach_the_next_run():
    def behaviour(lib):
        class Vandal(lib.BaseCallbackHandler):
            def on_chain_start(self, serialized, inputs, *, tags, metadata, **kwargs):
                tags.append("poison")
                metadata["poison"] = True

        manager = lib.CallbackManager([Vandal()], tags=["a"], metadata={"x": 1})
        manager.on_chain_start({}, {})
        return manager.tags, manager.metadata

    differs(
        behaviour,
        here=(["a"], {"x": 1}),
        there=(["a", "poison"], {"x": 1, "poison": True}),
    )


def test_runs_of_one_start_do_not_share_tags_or_metadata():
    def behaviour(lib):
        one, two = lib.CallbackManager([], tags=["a"]).on_llm_start({}, ["1", "2"])
        one.tags.append("b")
        return two.tags

    differs(behaviour, here=["a"], there=["a", "b"])


def test_removing_metadata_leaves_the_given_dictionary_alone():
    def behaviour(lib):
        given = {"a": 1}
        lib.CallbackManager([], metadata=given).remove_metadata(["a"])
        return given

    differs(behaviour, here={"a": 1}, there={})


# --- Threads, forks, hangs ----------------------------------------------------------------------


def test_a_sync_handler_that_raises_stop_iteration_does_not_hang_async_code():
    async def run_out(lib):
        class RunsOut(lib.BaseCallbackHandler):
            def on_chain_start(self, *args, **kwargs):
                next(iter(()))

        await lib.AsyncCallbackManager([RunsOut()]).on_chain_start({}, {})
        return "went on"

    # The original waits for ever on Python 3.11, which would take long to show.
    assert observed(run_out, callboard.callbacks) == "went on"


def test_async_handlers_in_a_running_loop_cannot_deadlock():
    depth = 20

    async def nested(lib):
        reached = []

        class Nests(lib.AsyncCallbackHandler):
            async def on_chain_start(self, serialized, inputs, **kwargs):
                reached.append(inputs)
                if inputs < depth:
                    lib.CallbackManager([self]).on_chain_start({}, inputs + 1)

        lib.CallbackManager([Nests()]).on_chain_start({}, 0)
        return reached

    # The original hands each level to one pool, and stands still when that is used up.
    assert observed(nested, callboard.callbacks) == list(range(depth + 1))
    if COMPARED:
        assert their_manager_module._executor()._max_workers < depth


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_run_ids_differ_after_a_fork():
    # The child only makes ids and leaves at once, so that threads it lost don't matter.
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        made = [callboard.callbacks.RunManager.get_noop_manager().run_id for _ in range(50)]
        os.write(write, b"".join(each.bytes for each in made))
        os._exit(0)
    os.close(write)
    mine = {callboard.callbacks.RunManager.get_noop_manager().run_id for _ in range(50)}
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    childs = {UUID(bytes=told[start : start + 16]) for start in range(0, len(told), 16)}
    assert len(childs) == len(mine) == 50
    assert not childs & mine


# --- Ready-made handlers ------------------------------------------------------------------------


def test_streaming_stdout_prints_the_text_of_content_blocks():
    def behaviour(lib):
        screen = io.StringIO()
        with redirect_stdout(screen):
            lib.StreamingStdOutCallbackHandler().on_llm_new_token([{"type": "text", "text": "hi"}])
        return screen.getvalue()

    differs(behaviour, here="hi", there="[{'type': 'text', 'text': 'hi'}]")


def test_a_run_whose_name_is_none_is_printed_under_its_components_name():
    def behaviour(lib):
        screen = io.StringIO()
        with redirect_stdout(screen):
            lib.StdOutCallbackHandler().on_chain_start({"name": "component"}, {}, name=None)
        return screen.getvalue().split()[3]

    differs(behaviour, here="component", there="None")


def test_the_file_handler_leaves_no_handle_open(tmp_path):
    def behaviour(lib):
        handler = lib.FileCallbackHandler(str(tmp_path / "log"))
        file = handler.file
        handler.close()
        return "closed" if file is None else "open"

    differs(behaviour, here="closed", there="open")


def test_the_file_handler_refuses_bad_modes(tmp_path):
    path = tmp_path / "log"
    path.touch()

    def behaviour(lib):
        try:
            lib.FileCallbackHandler(str(path), "r").close()
        except ValueError:
            return "refused"
        return "taken"

    differs(behaviour, here="refused", there="taken")


def test_a_file_handler_takes_a_chain_of_which_nothing_is_known(tmp_path):
    def behaviour(lib):
        with lib.FileCallbackHandler(str(tmp_path / "log")) as handler:
            try:
                handler.on_chain_start(None, {})
            except AttributeError:
                return "refused"
        return "written"

    differs(behaviour, here="written", there="refused")


USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}


def answered(*, usage=None, output=None, prompts=1, **metadata):
    message = AIMessage("hi", usage_metadata=usage, response_metadata=metadata)
    generations = [[ChatGeneration(message=message)] for _ in range(prompts)]
    return LLMResult(generations=generations, llm_output=output)


def counted(response):
    def behaviour(lib):
        handler = lib.UsageMetadataCallbackHandler()
        handler.on_llm_end(response)
        return {name: usage["total_tokens"] for name, usage in handler.usage_metadata.items()}

    return behaviour


def test_usage_without_a_model_name_is_unknown():
    differs(counted(answered(usage=USAGE)), here={"unknown": 3}, there={})


def test_usage_falls_back_on_llm_output():
    output = {"token_usage": {"prompt_tokens": 1, "completion_tokens": 2}, "model_name": "m"}
    differs(counted(answered(output=output)), here={"m": 3}, there={})


def test_usage_counts_every_prompt():
    response = answered(usage=USAGE, prompts=2, model_name="m")
    differs(counted(response), here={"m": 6}, there={"m": 3})


def test_get_usage_metadata_callback_registers_one_hook_for_good():
    def grown(hooks, lib):
        before = len(hooks)
        for _ in range(3):
            with lib.get_usage_metadata_callback():
                pass
        grew = len(hooks) - before
        del hooks[before:]
        return grew

    from langchain_core.tracers import context

    from callboard.callbacks import hooks, usage

    assert usage  # Its own hook, the one for all blocks, is registered by now.
    assert grown(hooks._hooks, callboard.callbacks) == 0
    if COMPARED:
        assert grown(context._configure_hooks, langchain_core.callbacks) == 3


# --- Reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [{"role": "user", "content": "hi"}, ("user", "hi"), {"type": "human", "content": "hi"}],
)
def test_messages_of_any_shape_reach_handlers_as_text(message):
    def behaviour(lib):
        class Texts(lib.BaseCallbackHandler):
            prompts = None

            def on_llm_start(self, serialized, prompts, **kwargs):
                self.prompts = prompts

        handler = Texts()
        try:
            lib.CallbackManager([handler]).on_chat_model_start({}, [[message]])
        except ValueError:
            return "broken"
        return handler.prompts

    differs(behaviour, here=["Human: hi"], there="broken")


def test_messages_that_cannot_be_put_into_words_do_not_break_the_host():
    class Unprintable:
        __str__ = None

    def behaviour(lib):
        class Texts(lib.BaseCallbackHandler):
            def on_llm_start(self, *args, **kwargs):
                pass

        try:
            lib.CallbackManager([Texts()]).on_chat_model_start({}, [[Unprintable()]])
        except Exception:  # noqa: BLE001 - whichever it is, it is the host's
            return "broken"
        return "whole"

    differs(behaviour, here="whole", there="broken")


def test_the_environment_is_read_once(monkeypatch):
    from langchain_core.tracers import context

    from callboard.callbacks import hooks

    name = "CALLBOARD_TEST_READ_ONCE"

    def behaviour(registered, lib):
        class Hooked(lib.BaseCallbackHandler):
            pass

        hook = (ContextVar("test_read_once", default=None), True, Hooked, name)
        with monkeypatch.context() as patched:
            patched.setattr(*registered, [hook])
            before = len(lib.CallbackManager.configure().handlers)
            patched.setenv(name, "true")
            return before, len(lib.CallbackManager.configure().handlers)

    callboard.reload_environment()
    assert behaviour((hooks, "_hooks"), callboard.callbacks) == (0, 0)
    callboard.reload_environment()
    if COMPARED:
        # Its manager module takes the list from there each time that it configures.
        assert behaviour((context, "_configure_hooks"), langchain_core.callbacks) == (0, 1)


def test_the_methods_of_async_runs_are_plain_functions_that_return_coroutines():
    def behaviour(lib):
        method = lib.AsyncCallbackManagerForChainRun.on_chain_end
        sent = method(lib.AsyncCallbackManagerForChainRun.get_noop_manager(), {})
        asyncio.run(sent)
        return inspect.iscoroutinefunction(method), inspect.iscoroutine(sent)

    differs(behaviour, here=(False, True), there=(True, True))


def test_the_first_tracing_is_warned_of_in_langchain():
    def ran(*install):
        program = [
            *install,
            "import langchain_core.callbacks as c",
            "c.CallbackManager.configure()",
        ]
        environment = {**os.environ, "LANGCHAIN_HANDLER": "langchain", "LANGSMITH_TRACING": "false"}
        return subprocess.run(
            [sys.executable, "-c", "\n".join(program)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    ours = ran("import callboard.langchain", "callboard.langchain.install()")
    assert ours.returncode == 0
    assert ours.stderr.count("LANGCHAIN_HANDLER asks for LangChain's first tracing") == 1
    if COMPARED:
        assert "RuntimeError" in ran().stderr


def test_the_document_names_tests_that_there_are():
    here = Path(__file__)
    document = (here.parents[2] / "docs" / "differences.md").read_text("utf-8")
    named = re.findall(r"`(?:((?:\w+/)*test_\w+\.py)::)?(test_\w+)`", document)
    assert named
    for file, test in named:
        files = here.parents[1].rglob(file or here.name)
        assert any(f"def {test}(" in each.read_text("utf-8") for each in files), test
