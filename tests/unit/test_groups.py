"""Chain groups: one run around several calls, which ends whatever happens."""

import asyncio
import gc
from uuid import uuid4

import pytest

from callboard.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForChainGroup,
    BaseCallbackHandler,
    CallbackManager,
    CallbackManagerForChainGroup,
    adispatch_custom_event,
    atrace_as_chain_group,
    dispatch_custom_event,
    trace_as_chain_group,
)
from callboard.errors import NoParentRunError
from callboard.testing import RecordingHandler


@pytest.fixture
def recorder():
    return RecordingHandler()


@pytest.fixture
def manager(recorder):
    return CallbackManager([recorder], [recorder])


@pytest.fixture
def amanager(recorder):
    return AsyncCallbackManager([recorder], [recorder])


def ends(recorder):
    """Return what the group's run ended with: each event, and what it told."""
    return [
        (heard.event, heard.args[0])
        for heard in recorder.heard
        if heard.event in ("on_chain_end", "on_chain_error")
    ]


# --- The group and its runs -----------------------------------------------------------------


def test_a_group_is_a_run_with_its_name_inputs_id_tags_and_metadata(recorder, manager):
    run_id = uuid4()
    with trace_as_chain_group(
        "group", manager, inputs={"a": 1}, run_id=run_id, tags=["t"], metadata={"m": 1}
    ) as group:
        assert type(group) is CallbackManagerForChainGroup
        assert group.parent_run_id == run_id
        assert (group.tags, group.metadata) == (["t"], {"m": 1})
    start = recorder.heard[0]
    assert (start.event, start.args) == ("on_chain_start", ({"name": "group"}, {"a": 1}))
    assert start.kwargs == {
        "run_id": run_id,
        "parent_run_id": None,
        "tags": ["t"],
        "metadata": {"m": 1},
    }


async def test_an_async_group_is_a_run_too(recorder, amanager):
    run_id = uuid4()
    async with atrace_as_chain_group(
        "group", amanager, inputs={"a": 1}, run_id=run_id, tags=["t"], metadata={"m": 1}
    ) as group:
        assert type(group) is AsyncCallbackManagerForChainGroup
        assert group.parent_run_id == run_id
        assert (group.tags, group.metadata) == (["t"], {"m": 1})
    start = recorder.heard[0]
    assert (start.event, start.args) == ("on_chain_start", ({"name": "group"}, {"a": 1}))


async def test_runs_of_a_group_are_inside_its_run(recorder, manager, amanager):
    with trace_as_chain_group("sync", manager) as group:
        group.on_tool_start({"name": "t"}, "input").on_tool_end("output")
        group.on_llm_start({"name": "m"}, ["a", "b"])
    async with atrace_as_chain_group("async", amanager) as agroup:
        await (await agroup.on_tool_start({"name": "t"}, "input")).on_tool_end("output")
    assert recorder.tree() == (
        "chain sync (ok)\n"
        "  tool t (ok)\n"
        "  llm m (running)\n"
        "  llm m (running)\n"
        "chain async (ok)\n"
        "  tool t (ok)"
    )


def test_groups_nest(recorder, manager):
    with (
        trace_as_chain_group("outer", manager) as outer,
        trace_as_chain_group("inner", outer) as inner,
    ):
        inner.on_chain_start({"name": "work"}, {}).on_chain_end({})
    assert recorder.tree() == "chain outer (ok)\n  chain inner (ok)\n    chain work (ok)"


async def test_a_groups_manager_works_without_tracing_and_its_handlers_all_hear(recorder):
    local = RecordingHandler()
    with trace_as_chain_group("group", CallbackManager([recorder, local], [recorder])) as group:
        group.on_chain_start({}, {})
    assert recorder.events == ["on_chain_start", "on_chain_start", "on_chain_end"]
    assert local.events == ["on_chain_start", "on_chain_end"]


async def test_a_group_needs_no_manager():
    with trace_as_chain_group("group") as group:
        assert group.handlers == []
        group.on_chain_start({}, {}).on_chain_end({})
    async with atrace_as_chain_group("group") as agroup:
        assert agroup.handlers == []
        await agroup.on_chain_end({})


def test_a_group_leaves_its_manager_as_it_was(recorder, manager):
    with trace_as_chain_group("group", manager, tags=["t"], metadata={"m": 1}) as group:
        group.add_handler(BaseCallbackHandler())
    assert (manager.handlers, manager.tags, manager.metadata) == ([recorder], [], {})


# --- Its end --------------------------------------------------------------------------------


async def test_a_group_ends_with_no_outputs_by_itself(recorder, manager, amanager):
    with trace_as_chain_group("group", manager) as group:
        assert not group.ended
    async with atrace_as_chain_group("group", amanager) as agroup:
        assert not agroup.ended
    assert ends(recorder) == [("on_chain_end", {})] * 2


async def test_a_group_ends_once_with_the_outputs_it_is_given(recorder, manager, amanager):
    with trace_as_chain_group("group", manager) as group:
        group.on_chain_end({"a": 1}, extra=True)
        assert group.ended
    async with atrace_as_chain_group("group", amanager) as agroup:
        await agroup.on_chain_end({"a": 1}, extra=True)
        assert agroup.ended
    assert ends(recorder) == [("on_chain_end", {"a": 1})] * 2
    assert all(heard.kwargs["extra"] for heard in recorder.heard if heard.event == "on_chain_end")


async def test_a_group_ends_once_with_the_error_it_is_given(recorder, manager, amanager):
    error = ValueError("told")
    with trace_as_chain_group("group", manager) as group:
        group.on_chain_error(error)
        assert group.ended
    async with atrace_as_chain_group("group", amanager) as agroup:
        await agroup.on_chain_error(error)
        assert agroup.ended
    assert ends(recorder) == [("on_chain_error", error)] * 2


async def test_a_group_ended_through_a_copy_ends_once(recorder, manager, amanager):
    with trace_as_chain_group("group", manager) as group:
        group.copy().on_chain_end({"a": 1})
        assert group.ended
    async with atrace_as_chain_group("group", amanager) as agroup:
        await agroup.copy().merge(agroup).on_chain_end({"a": 1})
        assert agroup.ended
    assert ends(recorder) == [("on_chain_end", {"a": 1})] * 2


LEAVE = [ValueError("wrong"), KeyboardInterrupt(), SystemExit(1), asyncio.CancelledError()]


@pytest.mark.parametrize("error", LEAVE, ids=repr)
def test_a_group_ends_with_whatever_leaves_it(recorder, manager, error):
    with pytest.raises(type(error)) as caught, trace_as_chain_group("group", manager):
        raise error
    assert caught.value is error
    assert ends(recorder) == [("on_chain_error", error)]


@pytest.mark.parametrize("error", [LEAVE[0], LEAVE[3]], ids=repr)
async def test_an_async_group_ends_with_whatever_leaves_it(recorder, amanager, error):
    with pytest.raises(type(error)) as caught:
        async with atrace_as_chain_group("group", amanager):
            raise error
    assert caught.value is error
    assert ends(recorder) == [("on_chain_error", error)]


@pytest.mark.parametrize("error", LEAVE[1:3], ids=repr)
def test_an_async_group_ends_with_an_interrupt(recorder, amanager, error):
    async def work():
        async with atrace_as_chain_group("group", amanager):
            raise error

    with pytest.raises(type(error)):
        asyncio.run(work())
    assert ends(recorder) == [("on_chain_error", error)]


async def test_a_cancelled_task_ends_its_group(recorder, amanager):
    inside = asyncio.Event()

    async def work():
        async with atrace_as_chain_group("group", amanager):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    ((event, error),) = ends(recorder)
    assert event == "on_chain_error"
    assert isinstance(error, asyncio.CancelledError)


async def test_a_group_that_was_ended_is_not_ended_again_by_an_exception(
    recorder, manager, amanager
):
    def end_and_fail():
        with trace_as_chain_group("group", manager) as group:
            group.on_chain_end({})
            raise ValueError("late")

    async def aend_and_fail():
        async with atrace_as_chain_group("group", amanager) as group:
            await group.on_chain_end({})
            raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        end_and_fail()
    with pytest.raises(ValueError, match="late"):
        await aend_and_fail()
    assert ends(recorder) == [("on_chain_end", {})] * 2


@pytest.mark.parametrize("leave", ["close", "forget"])
def test_an_abandoned_generator_ends_its_group(recorder, manager, leave):
    def stream():
        with trace_as_chain_group("group", manager):
            yield 1
            yield 2

    generator = stream()
    assert next(generator) == 1
    if leave == "close":
        generator.close()
    else:
        del generator
        gc.collect()
    ((event, error),) = ends(recorder)
    assert event == "on_chain_error"
    assert isinstance(error, GeneratorExit)


async def test_a_closed_async_generator_ends_its_group(recorder, amanager):
    async def stream():
        async with atrace_as_chain_group("group", amanager):
            yield 1
            yield 2

    generator = stream()
    assert await anext(generator) == 1
    await generator.aclose()
    ((event, error),) = ends(recorder)
    assert event == "on_chain_error"
    assert isinstance(error, GeneratorExit)


def test_an_abandoned_async_generator_ends_its_group(recorder, amanager):
    async def stream():
        async with atrace_as_chain_group("group", amanager):
            yield 1
            yield 2

    async def main():
        async for _ in stream():
            break
        gc.collect()

    asyncio.run(main())
    ((event, error),) = ends(recorder)
    assert event == "on_chain_error"
    assert isinstance(error, (GeneratorExit, asyncio.CancelledError))


async def test_a_generator_closed_in_another_context_ends_its_group_without_complaint(
    recorder, amanager
):
    async def stream():
        async with atrace_as_chain_group("group", amanager):
            yield 1

    generator = stream()
    await anext(generator)
    await asyncio.create_task(generator.aclose())
    assert len(ends(recorder)) == 1


async def test_a_handler_that_asks_to_raise_at_the_groups_end_raises_out_of_it():
    class Strict(BaseCallbackHandler):
        raise_error = True

        def on_chain_end(self, outputs, **kwargs):
            raise LookupError("no outputs")

    with pytest.raises(LookupError), trace_as_chain_group("group", CallbackManager([Strict()])):
        pass
    with pytest.raises(LookupError):
        async with atrace_as_chain_group("group", AsyncCallbackManager([Strict()])):
            pass


# --- Custom events inside -------------------------------------------------------------------


async def test_custom_events_inside_a_group_belong_to_its_run(recorder, manager, amanager):
    with trace_as_chain_group("group", manager, tags=["t"], metadata={"m": 1}) as group:
        dispatch_custom_event("progress", 0.5)
    async with atrace_as_chain_group("group", amanager, tags=["t"], metadata={"m": 1}) as agroup:
        await adispatch_custom_event("progress", 0.5)
    heard = [each for each in recorder.heard if each.event == "on_custom_event"]
    assert [each.args for each in heard] == [("progress", 0.5)] * 2
    assert [each.run_id for each in heard] == [group.parent_run_id, agroup.parent_run_id]
    assert all(each.kwargs["tags"] == ["t"] for each in heard)
    assert all(each.kwargs["metadata"] == {"m": 1} for each in heard)


def test_custom_events_belong_to_the_innermost_group_and_to_none_after_the_last(recorder, manager):
    with trace_as_chain_group("outer", manager) as outer:
        with trace_as_chain_group("inner", manager) as inner:
            dispatch_custom_event("in the inner", None)
        dispatch_custom_event("in the outer", None)
    with pytest.raises(NoParentRunError):
        dispatch_custom_event("outside", None)
    heard = [each for each in recorder.heard if each.event == "on_custom_event"]
    assert [(each.args[0], each.run_id) for each in heard] == [
        ("in the inner", inner.parent_run_id),
        ("in the outer", outer.parent_run_id),
    ]


async def test_custom_events_of_tasks_belong_to_the_group_that_started_them(recorder, amanager):
    async def work(name):
        async with atrace_as_chain_group(name, amanager) as group:
            await asyncio.gather(
                *[adispatch_custom_event(name, group.parent_run_id) for _ in range(3)]
            )

    await asyncio.gather(*[work(f"group {number}") for number in range(5)])
    heard = [each for each in recorder.heard if each.event == "on_custom_event"]
    assert len(heard) == 15
    assert all(each.run_id == each.args[1] for each in heard)


def test_a_group_that_fails_is_no_group_for_later_events(manager):
    with pytest.raises(ValueError, match="wrong"), trace_as_chain_group("group", manager):
        raise ValueError("wrong")
    with pytest.raises(NoParentRunError):
        dispatch_custom_event("outside", None)


@pytest.mark.parametrize("first_ends_first", [True, False])
def test_events_around_interleaved_generators_belong_to_the_group_still_open(
    recorder, manager, first_ends_first
):
    def steps(name):
        with trace_as_chain_group(name, manager) as group:
            yield group

    generators = [steps("first"), steps("second")]
    (ended, _), (lasting, group) = [(generator, next(generator)) for generator in generators][
        :: 1 if first_ends_first else -1
    ]
    ended.close()
    dispatch_custom_event("one has ended", None)
    assert recorder.heard[-1].run_id == group.parent_run_id
    lasting.close()
    with pytest.raises(NoParentRunError):
        dispatch_custom_event("both have", None)


async def test_a_group_that_another_task_ended_gets_no_more_events(recorder, manager, amanager):
    async def stream():
        async with atrace_as_chain_group("group", amanager):
            yield 1

    with trace_as_chain_group("outer", manager) as outer:
        generator = stream()
        async for _ in generator:
            break
        await asyncio.create_task(generator.aclose())
        await adispatch_custom_event("in the outer", None)
        assert recorder.heard[-1].run_id == outer.parent_run_id
    with pytest.raises(NoParentRunError):
        await adispatch_custom_event("outside", None)


async def test_groups_that_ended_elsewhere_do_not_pile_up(amanager):
    from callboard.callbacks.surroundings import _around

    async def stream():
        async with atrace_as_chain_group("group", amanager):
            yield 1

    for _ in range(20):
        generator = stream()
        await anext(generator)
        await asyncio.create_task(generator.aclose())
    assert len(_around.get()) == 1
