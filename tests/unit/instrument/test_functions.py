"""Traced functions: they are what they were, and each call is a run."""

import asyncio
import functools
import inspect
import logging
import pickle
from uuid import UUID

import pytest

from callboard.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from callboard.errors import (
    BadCallbacksError,
    BadHandlerError,
    BadMetadataError,
    BadOptionError,
    BadTagsError,
)
from callboard.instrument import is_traceable_function, traceable
from callboard.testing import RecordingHandler


@traceable
def module_level(x):
    return x


def only(kept):
    (run,) = kept.traces
    return run


def test_a_call_is_a_run_with_its_arguments_by_name_and_what_it_returned(kept):
    @traceable(callbacks=[kept])
    def greet(name, *others, greeting="Hello", **more):
        return f"{greeting}, {name}!"

    assert greet("Ada", "Bob", punctuation="!") == "Hello, Ada!"
    run = only(kept)
    assert (run.name, run.run_type, run.error) == ("greet", "chain", None)
    assert run.inputs == {
        "name": "Ada",
        "others": ("Bob",),
        "greeting": "Hello",
        "punctuation": "!",
    }
    assert run.outputs == {"output": "Hello, Ada!"}


def test_a_dictionary_that_is_returned_stands_for_itself(kept):
    answer = {"answer": 42}
    assert traceable(callbacks=[kept])(lambda: answer)() is answer
    assert only(kept).outputs == {"answer": 42}


@pytest.mark.parametrize("value", [None, 0, "", {}, [], {"output": 1}])
def test_whatever_is_returned_is_returned_and_recorded(kept, value):
    assert traceable(callbacks=[kept])(lambda: value)() is value
    assert only(kept).outputs == (value if isinstance(value, dict) else {"output": value})


def test_the_object_and_the_class_of_a_method_are_left_out(kept):
    class Desk:
        @traceable(callbacks=[kept])
        def method(self, x):
            return (type(self).__name__, x)

        @traceable(callbacks=[kept])
        @classmethod
        def outer_class_method(cls, x):
            return (cls.__name__, x)

        @classmethod
        @traceable(callbacks=[kept])
        def inner_class_method(cls, x):
            return (cls.__name__, x)

        @traceable(callbacks=[kept])
        @staticmethod
        def static_method(x):
            return ("none", x)

    desk = Desk()
    assert desk.method(1) == ("Desk", 1)
    assert desk.outer_class_method(1) == Desk.inner_class_method(1) == ("Desk", 1)
    assert desk.static_method(1) == Desk.static_method(x=1) == ("none", 1)
    assert [run.inputs for run in kept.traces] == [{"x": 1}] * 5
    assert inspect.ismethod(desk.method)
    assert inspect.ismethod(Desk.inner_class_method)


def test_a_traced_function_is_of_the_kind_that_it_was():
    def plain(a, /, b: int = 1, *, c) -> str:
        """Do it."""

    async def coroutine(): ...

    def generator():
        yield

    async def async_generator():
        yield

    for function in (plain, coroutine, generator, async_generator):
        traced = traceable(function)
        assert traced.__wrapped__ is function
        assert traced.__name__ == function.__name__
        assert inspect.signature(traced) == inspect.signature(function)
        assert is_traceable_function(traced)
        assert not is_traceable_function(function)
        for is_one in (
            inspect.isfunction,
            inspect.iscoroutinefunction,
            asyncio.iscoroutinefunction,
            inspect.isgeneratorfunction,
            inspect.isasyncgenfunction,
        ):
            assert is_one(traced) == is_one(function)
    assert traceable(plain).__doc__ == "Do it."
    assert is_traceable_function(functools.partial(module_level, 1))
    assert pickle.loads(pickle.dumps(module_level)) is module_level


def test_what_else_can_be_called_can_be_traced(kept):
    class Adder:
        def __call__(self, x):
            return x + 1

    class AsyncAdder:
        async def __call__(self, x):
            return x + 1

    decorate = traceable(callbacks=[kept])
    assert decorate(Adder())(1) == 2
    assert asyncio.run(decorate(AsyncAdder())(1)) == 2
    assert decorate(functools.partial(pow, 2))(3) == 8
    assert decorate(max)(1, 2) == 2
    assert [run.name for run in kept.traces] == ["Adder", "AsyncAdder", "pow", "max"]
    assert kept.traces[3].inputs == {"args": (1, 2)}


@pytest.mark.parametrize("heard", [True, False])
def test_arguments_that_do_not_fit_raise_what_the_function_raises(kept, heard):
    def function(x):
        return x

    with pytest.raises(TypeError) as own:
        function(1, 2, y=3)
    with pytest.raises(TypeError) as traced:
        traceable(callbacks=[kept] if heard else None)(function)(1, 2, y=3)
    assert str(traced.value) == str(own.value)


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(1)])
def test_whatever_a_function_raises_is_raised_and_recorded(kept, error):
    @traceable(callbacks=[kept])
    def fail():
        raise error

    with pytest.raises(type(error)) as raised:
        fail()
    assert raised.value is error
    assert type(error).__name__ in only(kept).error
    assert "raise error" in only(kept).error


def test_exceptions_to_handle_are_raised_and_recorded_as_an_end(kept):
    @traceable(callbacks=[kept], exceptions_to_handle=(ValueError,))
    def skip():
        raise ValueError("skipped")

    with pytest.raises(ValueError, match="skipped"):
        skip()
    assert (only(kept).error, only(kept).outputs) == (None, {"output": None})


async def test_a_coroutine_is_a_run_and_a_cancelled_one_a_failed_run(kept):
    @traceable(callbacks=[kept])
    async def sleepy(seconds):
        await asyncio.sleep(seconds)
        return "awake"

    assert await sleepy(0) == "awake"
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(sleepy(10), 0.01)
    first, second = kept.traces
    assert first.outputs == {"output": "awake"}
    assert "CancelledError" in second.error


def test_a_coroutine_that_is_closed_ends_its_run(kept):
    class Forever:
        def __await__(self):
            yield

    @traceable(callbacks=[kept])
    async def wait():
        await Forever()

    waiting = wait()
    waiting.send(None)
    waiting.close()
    assert "GeneratorExit" in only(kept).error


async def test_handlers_of_async_code_are_awaited_in_the_loop_of_the_call():
    heard = []

    class Listener(AsyncCallbackHandler):
        async def on_chain_start(self, serialized, inputs, **kwargs):
            await asyncio.sleep(0)
            heard.append((asyncio.get_running_loop(), inputs))

        async def on_chain_end(self, outputs, **kwargs):
            await asyncio.sleep(0)
            heard.append((asyncio.get_running_loop(), outputs))

    @traceable(callbacks=[Listener()])
    async def double(x):
        return 2 * x

    assert await double(2) == 4
    loop = asyncio.get_running_loop()
    assert heard == [(loop, {"x": 2}), (loop, 4)]


async def test_a_start_that_is_cancelled_while_it_is_heard_is_ended_in_its_loop():
    heard = []

    class Slow(AsyncCallbackHandler):
        async def on_chain_start(self, *args, **kwargs):
            heard.append(asyncio.get_running_loop())
            await asyncio.sleep(10)

        async def on_chain_error(self, error, **kwargs):
            heard.append(asyncio.get_running_loop())

    @traceable(callbacks=[Slow()])
    async def function(): ...

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(function(), 0.01)
    assert heard == [asyncio.get_running_loop()] * 2


def test_what_a_call_is_told_of_its_run_is_told(kept):
    run_id = UUID(int=5)
    ended = []
    call = traceable(name="named", tags=["own"], metadata={"a": 1, "b": 1})(lambda x: x)
    call(
        1,
        langsmith_extra={
            "callbacks": [kept],
            "name": "renamed",
            "run_id": str(run_id),
            "tags": ["call"],
            "metadata": {"b": 2},
            "on_end": ended.append,
        },
    )
    run = only(kept)
    assert (run.id, run.name, run.metadata) == (run_id, "renamed", {"a": 1, "b": 2})
    assert sorted(run.tags) == ["call", "own"]
    (tree,) = ended
    assert (tree.id, tree.outputs) == (run_id, {"output": 1})


def test_a_config_is_taken_as_langchain_passes_it(kept):
    config = {"callbacks": [kept], "tags": ["t"], "metadata": {"m": 1}}

    @traceable
    def without(x):
        return x

    @traceable
    def with_config(x, config):
        return config

    @traceable
    def with_any(x, **kwargs):
        return kwargs

    assert without(1, config=config) == 1
    assert with_config(1, config=config) is config
    assert with_any(1, config=config) == {"config": config}
    assert with_any(1, config="verbose") == {"config": "verbose"}
    assert [run.name for run in kept.traces] == ["without", "with_config", "with_any"]
    assert kept.traces[0].tags == ["t"]
    assert kept.traces[0].metadata == {"m": 1}


def test_a_function_with_a_parameter_for_the_run_is_given_it(kept):
    @traceable
    def told(x, run_tree=None):
        return run_tree

    assert told(1) is None
    assert told(1, "mine") == told(1, run_tree="mine") == "mine"
    tree = told(1, langsmith_extra={"callbacks": [kept]})
    assert tree.id == only(kept).id
    assert only(kept).inputs == {"x": 1}
    assert told(1, "mine", langsmith_extra={"callbacks": [kept]}) == "mine"


def test_inputs_and_outputs_are_recorded_as_they_are_processed(kept):
    @traceable(
        callbacks=[kept],
        process_inputs=lambda inputs: {"length": len(inputs["secret"])},
        process_outputs=lambda output: {"length": len(output)},
    )
    def function(secret):
        return secret * 2

    assert function("abc") == "abcabc"
    assert (only(kept).inputs, only(kept).outputs) == ({"length": 3}, {"length": 6})


def test_what_cannot_be_processed_is_left_out_and_logged(kept, caplog):
    def fail(_):
        raise KeyError("the secret itself")

    function = traceable(callbacks=[kept], process_inputs=fail, process_outputs=fail)
    with caplog.at_level(logging.WARNING):
        assert function(lambda secret: secret)("abc") == "abc"
    assert only(kept).inputs == {"error": "inputs left out: process_inputs raised KeyError"}
    assert only(kept).outputs == {"error": "outputs left out: process_outputs raised KeyError"}
    assert "process_inputs of <lambda> failed" in caplog.text


def test_a_failing_handler_or_on_end_does_not_break_the_function(caplog):
    class Broken(BaseCallbackHandler):
        def on_chain_start(self, *args, **kwargs):
            raise RuntimeError("broken")

        on_chain_end = on_chain_start

    def broken(tree):
        raise RuntimeError("broken too")

    function = traceable(callbacks=[Broken()])(lambda: 1)
    assert function(langsmith_extra={"on_end": broken}) == 1
    assert caplog.text.count("RuntimeError: broken\n") == 2
    assert "on_end of <lambda> failed" in caplog.text


def test_what_a_call_is_told_wrongly_is_logged_and_the_function_called(caplog):
    function = traceable(lambda: 1)
    assert function(langsmith_extra={"callbacks": [object()], "run_id": UUID(int=1)}) == 1
    assert function(langsmith_extra={"callbacks": [RecordingHandler()], "metadata": 5}) == 1
    assert function(langsmith_extra={"run_id": "no uuid"}) == 1
    assert caplog.text.count("can't be traced") == 3


def test_a_handler_that_asks_to_raise_does_and_the_run_is_ended():
    class Strict(RecordingHandler):
        raise_error = True

        def on_chain_start(self, *args, **kwargs):
            raise RuntimeError("strict")

    listener = RecordingHandler()
    with pytest.raises(RuntimeError, match="strict"):
        traceable(callbacks=[listener, Strict()])(lambda: 1)()
    assert listener.events == ["on_chain_start", "on_chain_error"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"run_type": "my name"}, BadOptionError),
        ({"tags": "one"}, BadTagsError),
        ({"callbacks": "handler"}, BadCallbacksError),
        ({"callbacks": [object()]}, BadHandlerError),
    ],
)
def test_mistakes_are_told_where_the_function_is_decorated(options, error):
    with pytest.raises(error):
        traceable(**options)(lambda: 1)


def test_a_name_in_place_of_a_run_type_is_answered_with_a_hint():
    with pytest.raises(BadOptionError, match="Did you mean name='my chain'"):
        traceable("my chain")
    with pytest.raises(BadOptionError, match="traceable decorates functions, got 5"):
        traceable(5)
    assert issubclass(BadMetadataError, TypeError)


def test_nobody_listening_costs_no_run(kept):
    from callboard.instrument import get_current_run_tree

    assert traceable(get_current_run_tree)() is None
    off = traceable(enabled=False, callbacks=[kept])(get_current_run_tree)
    assert off() is None
    assert kept.traces == []


def test_context_that_a_function_sets_is_set_for_its_caller(kept):
    from contextvars import ContextVar

    variable = ContextVar("variable", default=0)
    traceable(callbacks=[kept])(variable.set)(1)
    assert variable.get() == 1
