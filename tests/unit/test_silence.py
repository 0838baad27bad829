"""Handlers that did not override an event: never called, no thread hop; and all that counts as
overriding it, at whatever time: subclasses, patches, mocks."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import AsyncMock, MagicMock, Mock, patch

import pytest

from callboard.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
    loops,
)
from callboard.events import EVENTS
from tests.unit.occasions import ahappen, happen

every_event = pytest.mark.parametrize("event", sorted(EVENTS))
both_kinds = pytest.mark.parametrize("kind", [BaseCallbackHandler, AsyncCallbackHandler])


class CountingPool(ThreadPoolExecutor):
    """A pool for handlers, for counting what is handed to it."""

    def __init__(self):
        super().__init__(max_workers=2)
        self.handed = 0

    def submit(self, *args, **kwargs):
        self.handed += 1
        return super().submit(*args, **kwargs)


@pytest.fixture
def pool(monkeypatch):
    with CountingPool() as pool:
        monkeypatch.setattr(loops, "_pool", lambda: pool)
        yield pool


@every_event
@both_kinds
async def test_an_event_that_a_handler_never_overrode_costs_no_hop_and_no_task(event, kind, pool):
    tasks_made = []

    def make_task(loop, coroutine, **options):
        tasks_made.append(coroutine)
        return asyncio.Task(coroutine, loop=loop, **options)

    asyncio.get_running_loop().set_task_factory(make_task)
    await ahappen(event, *[kind() for _ in range(5)])
    assert pool.handed == 0
    assert tasks_made == []


async def test_an_event_that_a_sync_handler_overrode_costs_one_hop(pool):
    class Hears(BaseCallbackHandler):
        def on_chain_start(self, *args, **kwargs):
            pass

    await ahappen("on_chain_start", Hears(), BaseCallbackHandler())
    assert pool.handed == 1


@every_event
def test_sync_code_makes_no_loop_for_an_async_handler_that_never_overrode_the_event(
    event, monkeypatch
):
    made = []
    monkeypatch.setattr(asyncio, "Runner", lambda *args, **kwargs: made.append(args))
    happen(event, AsyncCallbackHandler())
    assert made == []


async def test_inside_a_loop_sync_code_starts_no_thread_for_those_who_did_not_override(
    monkeypatch,
):
    started = []
    monkeypatch.setattr(threading.Thread, "start", started.append)
    for event in EVENTS:
        happen(event, AsyncCallbackHandler(), BaseCallbackHandler())
    assert started == []


@every_event
@both_kinds
async def test_the_no_ops_themselves_may_still_be_called(event, kind):
    answer = getattr(kind(), event)
    if event == "on_chat_model_start":
        with pytest.raises(NotImplementedError, match=kind.__name__):
            await _maybe(answer({}, [], run_id=None))
    elif event == "on_custom_event" or event.endswith("_start"):
        assert await _maybe(answer("a", "b", run_id=None)) is None
    else:
        assert await _maybe(answer("a", run_id=None)) is None


async def _maybe(answer):
    return await answer if asyncio.iscoroutine(answer) else answer


# --- Overridden later, or otherwise than by a subclass ------------------------------------------


@every_event
async def test_a_mock_set_on_a_handler_hears(event):
    handler = BaseCallbackHandler()
    mock = MagicMock(return_value=None)
    setattr(handler, event, mock)
    happen(event, handler)
    assert mock.call_count == 1
    await ahappen(event, handler)
    assert mock.call_count == 2


@every_event
@both_kinds
async def test_an_async_mock_set_on_a_handler_is_awaited(event, kind):
    handler = kind()
    mock = AsyncMock()
    setattr(handler, event, mock)
    await ahappen(event, handler)
    assert mock.await_count == 1
    handler.run_inline = True
    await ahappen(event, handler)
    assert mock.await_count == 2


@every_event
def test_an_async_mock_is_awaited_from_sync_code(event):
    handler = BaseCallbackHandler()
    mock = AsyncMock()
    setattr(handler, event, mock)
    happen(event, handler)
    assert mock.await_count == 1


async def test_a_whole_handler_that_is_a_mock_hears_what_its_flags_let_through():
    handler = Mock(ignore_chain=False, ignore_llm=True, raise_error=False, run_inline=False)
    handler.on_chain_start.return_value = None
    run = CallbackManager([handler]).on_chain_start({}, {"a": 1})
    run.get_child()
    await AsyncCallbackManager([handler]).on_chain_start({}, {"a": 1})
    CallbackManager([handler]).on_llm_start({}, ["ignored"])
    assert handler.on_chain_start.call_count == 2
    assert handler.on_llm_start.call_count == 0


@every_event
@both_kinds
async def test_a_method_patched_on_the_instance_after_first_use_hears(event, kind):
    handler, calls = kind(), []
    happen(event, handler)
    setattr(handler, event, lambda *args, **kwargs: calls.append("patched"))
    happen(event, handler)
    await ahappen(event, handler)
    delattr(handler, event)
    happen(event, handler)
    await ahappen(event, handler)
    assert calls == ["patched"] * 2


@every_event
@both_kinds
async def test_a_method_patched_on_the_class_after_first_use_hears(event, kind):
    calls = []
    mine = type("Mine", (kind,), {})
    handler = mine()
    happen(event, handler)

    def hear(self, *args, **kwargs):
        calls.append("patched")

    with patch.object(mine, event, hear):
        happen(event, handler)
        await ahappen(event, handler)
    happen(event, handler)
    assert calls == ["patched"] * 2


def test_a_method_patched_on_the_base_class_hears():
    calls = []
    handler = BaseCallbackHandler()
    with patch.object(BaseCallbackHandler, "on_chain_start", lambda *a, **k: calls.append(a[1:])):
        CallbackManager([handler]).on_chain_start({}, {"a": 1})
    CallbackManager([handler]).on_chain_start({}, {"a": 1})
    assert calls == [({}, {"a": 1})]


def test_an_override_that_calls_the_no_op_hears():
    class Mine(BaseCallbackHandler):
        calls = 0

        def on_chain_start(self, *args, **kwargs):
            self.calls += 1
            return super().on_chain_start(*args, **kwargs)

    handler = Mine()
    CallbackManager([handler]).on_chain_start({}, {})
    assert handler.calls == 1


def test_a_method_that_a_mixin_brings_hears():
    class Mixin:
        def on_chain_end(self, outputs, **kwargs):
            self.outputs = outputs

    class Mine(Mixin, BaseCallbackHandler):
        pass

    handler = Mine()
    CallbackManager([handler]).on_chain_start({}, {}).on_chain_end({"a": 1})
    assert handler.outputs == {"a": 1}


def test_static_and_class_methods_hear():
    calls = []

    class Mine(BaseCallbackHandler):
        @staticmethod
        def on_chain_start(*args, **kwargs):
            calls.append(args)

        @classmethod
        def on_chain_end(cls, *args, **kwargs):
            calls.append((cls.__name__, *args))

    CallbackManager([Mine()]).on_chain_start({}, 1).on_chain_end(2)
    assert calls == [({}, 1), ("Mine", 2)]


async def test_handlers_of_langchain_that_did_not_override_cost_no_hop(pool):
    from langchain_core.callbacks import AsyncCallbackHandler as TheirAsync
    from langchain_core.callbacks import BaseCallbackHandler as Theirs

    for event in EVENTS:
        await ahappen(event, Theirs(), TheirAsync())
    assert pool.handed == 0


async def test_handlers_of_langchain_hear_what_they_override():
    from langchain_core.callbacks import BaseCallbackHandler as Theirs

    class Hears(Theirs):
        def __init__(self):
            self.heard = []

        def on_llm_start(self, serialized, prompts, **kwargs):
            self.heard.append(prompts)

        def on_chain_end(self, outputs, **kwargs):
            self.heard.append(outputs)

    handler = Hears()
    happen("on_chain_end", handler)
    await ahappen("on_chain_end", handler)
    happen("on_chat_model_start", handler)
    assert handler.heard == [{"answer": "!"}] * 2 + [["Human: What is heard?"]]
