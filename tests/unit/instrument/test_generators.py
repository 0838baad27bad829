"""Traced generators: each behaves as the undecorated one would, and is one run."""

import asyncio
import gc
import weakref
from contextlib import aclosing, asynccontextmanager, contextmanager

import pytest

from callboard.instrument import generators, get_current_run_tree, trace, traceable


def only(kept):
    (run,) = kept.traces
    return run


def echoing(seen):
    """Yields what it is sent or what is thrown, and returns how often."""
    count, value = 0, "first"
    while True:
        count += 1
        try:
            value = yield value
        except ValueError as error:
            value = error
        except GeneratorExit:
            seen.append("closed")
            raise
        if value == "stop":
            return count


async def async_echoing(seen):
    value = "first"
    while True:
        try:
            value = yield value
        except ValueError as error:
            value = error
        except GeneratorExit:
            seen.append("closed")
            raise
        if value == "stop":
            return


def conversation(generator):
    error = ValueError("thrown")
    heard = [next(generator), generator.send("a"), generator.throw(error), next(generator)]
    with pytest.raises(StopIteration) as stop:
        generator.send("stop")
    return [*map(repr, heard), stop.value.value]


@pytest.mark.parametrize("heard", [True, False])
def test_values_errors_and_the_return_value_go_through(kept, heard):
    traced = traceable(callbacks=[kept] if heard else None)(echoing)
    assert conversation(traced([])) == conversation(echoing([]))
    if heard:
        outputs = only(kept).outputs["output"]
        assert [outputs[0], outputs[1], repr(outputs[2]), *outputs[3:]] == [
            "first",
            "a",
            "ValueError('thrown')",
            None,
            4,
        ]


async def async_conversation(generator):
    error = ValueError("thrown")
    heard = [
        await anext(generator),
        await generator.asend("a"),
        await generator.athrow(error),
        await anext(generator),
    ]
    with pytest.raises(StopAsyncIteration):
        await generator.asend("stop")
    return [repr(value) for value in heard]


@pytest.mark.parametrize("heard", [True, False])
async def test_values_and_errors_go_through_async_generators(kept, heard):
    traced = traceable(callbacks=[kept] if heard else None)(async_echoing)
    assert await async_conversation(traced([])) == await async_conversation(async_echoing([]))
    if heard:
        assert only(kept).outputs["output"][:2] == ["first", "a"]


@pytest.mark.parametrize("heard", [True, False])
def test_a_generator_that_is_closed_is_closed_inside(kept, heard):
    seen = []
    generator = traceable(callbacks=[kept] if heard else None)(echoing)(seen)
    next(generator)
    generator.close()
    assert seen == ["closed"]
    with pytest.raises(StopIteration):
        next(generator)


@pytest.mark.parametrize("heard", [True, False])
async def test_an_async_generator_that_is_closed_is_closed_inside(kept, heard):
    seen = []
    generator = traceable(callbacks=[kept] if heard else None)(async_echoing)(seen)
    await anext(generator)
    await generator.aclose()
    assert seen == ["closed"]
    with pytest.raises(StopAsyncIteration):
        await anext(generator)


@pytest.mark.parametrize("heard", [True, False])
def test_a_generator_that_ignores_being_closed_is_told_off_as_usual(kept, heard):
    @traceable(callbacks=[kept] if heard else None)
    def stubborn():
        while True:
            try:
                yield 1
            except GeneratorExit:
                yield 2
                return

    generator = stubborn()
    next(generator)
    with pytest.raises(RuntimeError, match="generator ignored GeneratorExit"):
        generator.close()
    generator.close()


def test_a_generator_can_be_delegated_to(kept):
    inner = traceable(callbacks=[kept])(echoing)

    def outer():
        returned = yield from inner([])
        yield ("returned", returned)

    generator = outer()
    assert [next(generator), generator.send("stop")] == ["first", ("returned", 1)]


@pytest.mark.parametrize("heard", [True, False])
def test_a_traced_generator_makes_a_context_manager(kept, heard):
    @contextmanager
    @traceable(callbacks=[kept] if heard else None)
    def opened():
        try:
            yield "open"
        except KeyError as error:
            raise LookupError("as the body wants") from error

    with opened() as value:
        assert value == "open"
    with pytest.raises(LookupError, match="as the body wants"), opened():
        raise KeyError("k")
    if heard:
        assert [bool(run.error) for run in kept.traces] == [False, True]


async def test_a_cancelled_body_of_an_async_context_manager_is_a_failure(kept):
    @asynccontextmanager
    @traceable(callbacks=[kept])
    async def opened():
        yield

    async def body():
        async with opened():
            await asyncio.sleep(10)

    task = asyncio.create_task(body())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "CancelledError" in only(kept).error


def test_what_was_yielded_is_recorded_reduced_and_by_chunk(kept):
    @traceable(callbacks=[kept], reduce_fn=lambda chunks: {"text": "".join(chunks)})
    def words():
        yield from "abc"

    @traceable(callbacks=[kept], process_chunk=len, process_outputs=sum)
    def lengths():
        yield "a"
        yield "bb"

    assert list(words()) == ["a", "b", "c"]
    assert list(lengths()) == ["a", "bb"]
    assert [run.outputs for run in kept.traces] == [{"text": "abc"}, {"output": 3}]


def test_what_cannot_be_reduced_is_recorded_as_a_list(kept, caplog):
    assert list(traceable(callbacks=[kept], reduce_fn=sum)(lambda: (yield "a"))()) == ["a"]
    assert only(kept).outputs == {"output": ["a"]}
    assert "reduce_fn of <lambda> failed" in caplog.text


def test_a_generator_that_fails_keeps_what_it_had_yielded(kept):
    @traceable(callbacks=[kept])
    def failing():
        yield 1
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        list(failing())
    assert "no more" in only(kept).error
    assert only(kept).outputs == {"output": [1]}


def test_a_generator_that_is_never_asked_is_no_run(kept):
    generator = traceable(callbacks=[kept])(echoing)([])
    generator.close()
    assert kept.traces == []


def test_a_generator_runs_in_its_run_and_whoever_asks_it_outside(kept):
    @traceable(callbacks=[kept])
    def inner():
        with trace("block"):
            yield get_current_run_tree().name
            yield get_current_run_tree().name
        yield get_current_run_tree().name

    @traceable
    def leaf(): ...

    @traceable(callbacks=[kept])
    def outer():
        names = []
        for name in inner():
            names.append(name)
            assert get_current_run_tree().name == "outer"
            leaf()
        return names

    assert outer() == ["block", "block", "inner"]
    assert kept.texts() == [
        (
            "chain outer ended\n"
            "  chain inner ended\n"
            "    chain block ended\n"
            "  chain leaf ended\n"
            "  chain leaf ended\n"
            "  chain leaf ended"
        )
    ]


def test_a_generator_that_is_collected_ends_its_run(kept):
    @traceable(callbacks=[kept])
    def endless():
        count = 0
        while True:
            count += 1
            yield count

    for value in endless():
        if value == 3:
            break
    gc.collect()
    assert only(kept).outputs == {"output": [1, 2, 3]}
    assert only(kept).error is None


async def test_an_async_generator_that_is_collected_ends_its_run(kept):
    @traceable(callbacks=[kept])
    async def endless():
        while True:
            yield 1

    async for _ in endless():
        break
    gc.collect()
    await asyncio.sleep(0.01)
    assert (only(kept).outputs, only(kept).error) == ({"output": [1]}, None)


def test_an_async_generator_whose_loop_ends_ends_its_run(kept):
    @traceable(callbacks=[kept])
    async def endless():
        while True:
            yield 1

    async def program():
        async for _ in endless():
            break

    asyncio.run(program())
    gc.collect()
    assert (only(kept).outputs, only(kept).error) == ({"output": [1]}, None)


async def test_an_async_generator_whose_consumer_is_cancelled_in_a_step_fails(kept):
    @traceable(callbacks=[kept])
    async def slow():
        yield 1
        await asyncio.sleep(10)
        yield 2

    async def consume():
        async with aclosing(slow()) as generator:
            async for _ in generator:
                pass

    task = asyncio.create_task(consume())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "CancelledError" in only(kept).error
    assert only(kept).outputs == {"output": [1]}


def test_a_generator_that_never_ends_does_not_fill_the_memory(kept, monkeypatch):
    monkeypatch.setattr(generators, "MAX_VALUES", 100)

    class Value:
        pass

    alive = []

    @traceable(callbacks=[kept], reduce_fn=len)
    def forever():
        while True:
            value = Value()
            alive.append(weakref.ref(value))
            yield value
            del value

    values = forever()
    for _ in range(1000):
        next(values)
    assert sum(each() is not None for each in alive) <= 101
    values.close()
    assert kept.traces[0].outputs == {"output": 100}
