"""Where Callboard's streams and evaluators do otherwise than langchain-core's, on purpose.

As in `test_differences.py`: what is right here, and that the original does what it is said to.
"""

import asyncio
import copy
from contextlib import aclosing
from importlib import import_module
from importlib.metadata import version
from types import SimpleNamespace
from uuid import UUID

import pytest
from jsonpointer import JsonPointerException
from langchain_core.outputs import LLMResult
from langchain_core.runnables import RunnableLambda

from callboard.errors import BadOptionError

COMPARED = version("langchain-core") == "1.7.2"
RUN_ID = UUID(int=1)


def of(package, door, name):
    return getattr(import_module(f"{package}.tracers.{door}"), name)


def differs(behaviour, *, here, there):
    """Compare what both libraries do, the behaviour being a function of a package's name."""
    assert _observed(behaviour("callboard")) == here
    if COMPARED:
        assert _observed(behaviour("langchain_core")) == there


def _observed(answer):
    return asyncio.run(answer) if asyncio.iscoroutine(answer) else answer


async def told(handler, event, *args, **kwargs):
    answer = getattr(handler, event)(*args, run_id=RUN_ID, **kwargs)
    if answer is not None:
        await answer


def test_a_stream_made_before_its_readers_loop_is_read():
    def behaviour(package):
        stream = of(package, "memory_stream", "_MemoryStream")(loop := asyncio.new_event_loop())
        stream.get_send_stream().send_nowait("item")
        loop.close()

        async def read():
            try:
                return await asyncio.wait_for(anext(aiter(stream.get_receive_stream())), 0.05)
            except TimeoutError:
                return "nothing comes"

        return read()

    differs(behaviour, here="item", there="nothing comes")


def test_output_of_a_run_that_has_ended_is_passed_on_whole():
    def behaviour(package):
        async def tapped():
            stream = of(package, "event_stream", "_AstreamEventsCallbackHandler")()
            await told(stream, "on_chain_start", {}, {"a": 1})
            await told(stream, "on_chain_end", {})
            return list(stream.tap_output_iter(RUN_ID, iter("abc")))

        return tapped()

    differs(behaviour, here=["a", "b", "c"], there=["a"])


@pytest.mark.parametrize("given", [0, "", []])
def test_an_input_that_is_false_is_an_input(given):
    def behaviour(package):
        async def ending():
            stream = of(package, "event_stream", "_AstreamEventsCallbackHandler")()
            await told(stream, "on_chain_start", {}, given)
            await told(stream, "on_chain_end", "out")
            events = aiter(stream)
            return [(await anext(events))["data"] for _ in range(2)][1]["input"]

        return ending()

    differs(behaviour, here=given, there={})


def test_a_tool_that_is_given_text_has_it_as_its_input():
    def behaviour(package):
        async def starting():
            stream = of(package, "event_stream", "_AstreamEventsCallbackHandler")()
            await told(stream, "on_tool_start", {}, "2 + 2")
            return (await anext(aiter(stream)))["data"]["input"]

        return starting()

    differs(behaviour, here="2 + 2", there={})


def test_a_run_whose_name_has_a_slash_is_in_the_log():
    def behaviour(package):
        async def logged():
            handler = of(package, "log_stream", "LogStreamCallbackHandler")(auto_close=False)
            handler.on_chain_start({}, {}, run_id=RUN_ID, name="root")
            handler.on_chain_start(
                {}, {}, run_id=UUID(int=2), parent_run_id=RUN_ID, name="search/web"
            )
            patches = aiter(handler)
            try:
                return list((await anext(patches) + await anext(patches)).state["logs"])
            except JsonPointerException:
                return "an error"

        return logged()

    differs(behaviour, here=["search/web"], there="an error")


def test_a_log_grows_without_being_copied():
    def behaviour(package):
        patch, log = (of(package, "log_stream", name) for name in ("RunLogPatch", "RunLog"))
        copies = []

        class Counted(dict):
            def __deepcopy__(self, memo):
                copies.append(self)
                return copy.copy(self)

        first = log(state={"logs": {}, "held": Counted()})
        second = first + patch({"op": "add", "path": "/logs/a", "value": {}})
        assert second.state["logs"] == {"a": {}}
        assert first.state["logs"] == {}
        return len(copies)

    differs(behaviour, here=0, there=1)


def test_one_who_stops_reading_a_log_ends_the_call():
    def behaviour(package):
        async def left():
            ended = []

            async def wait(_):
                try:
                    await asyncio.sleep(0.3)
                    ended.append("came to its end")
                except asyncio.CancelledError:
                    ended.append("was cancelled")
                    raise

            handler = of(package, "log_stream", "LogStreamCallbackHandler")(auto_close=False)
            stream = of(package, "log_stream", "_astream_log_implementation")(
                RunnableLambda(wait), 1, stream=handler
            )
            async with aclosing(stream):
                await anext(stream)
                await asyncio.sleep(0.01)
            return ended

        return left()

    differs(behaviour, here=["was cancelled"], there=["came to its end"])


def test_a_filter_that_is_text_is_refused():
    for door, name in (
        ("log_stream", "LogStreamCallbackHandler"),
        ("event_stream", "_AstreamEventsCallbackHandler"),
    ):
        with pytest.raises(BadOptionError, match=r"include_names takes a list of strings"):
            of("callboard", door, name)(include_names="search")


def evaluated(package, client, run, **options):
    """Return how often an evaluator is asked to judge a trace."""
    asked = []

    def judge(run, example=None, **kwargs):
        asked.append(run)
        return {"results": []}

    evaluator = SimpleNamespace(evaluate_run=judge)
    handler = of(package, "evaluation", "EvaluatorCallbackHandler")(
        [evaluator], client, max_concurrency=0, **options
    )
    run(handler)
    return len(asked)


class Client:
    """In place of LangSmith's: evaluates as that does, and sends nothing."""

    def evaluate_run(self, run, evaluator):
        return evaluator.evaluate_run(run)

    def create_run(self, **told): ...

    def update_run(self, *args, **told): ...


def call(handler):
    handler.on_chain_start({}, {}, run_id=RUN_ID)
    handler.on_chain_end({"a": 1}, run_id=RUN_ID)


def test_a_trace_is_evaluated_once_without_a_project_too():
    differs(lambda package: evaluated(package, Client(), call, project_name=None), here=1, there=2)


def test_a_model_that_failed_half_way_is_not_evaluated():
    def fail(handler):
        handler.on_llm_start({}, ["hi"], run_id=RUN_ID)
        half = LLMResult(generations=[[]])
        handler.on_llm_error(ValueError("cut off"), run_id=RUN_ID, response=half)

    differs(lambda package: evaluated(package, Client(), fail), here=0, there=1)


def test_an_evaluator_needs_no_client():
    assert evaluated("callboard", None, call) == 1
    assert of("callboard", "evaluation", "EvaluatorCallbackHandler")([]).client is None
