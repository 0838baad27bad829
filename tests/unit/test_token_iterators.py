"""A model's tokens as an async iterator: each reads one run, and each one ends."""

import asyncio

import pytest

from callboard.callbacks import AsyncCallbackManager, CallbackManager
from callboard.handlers.token_iterators import (
    AsyncFinalIteratorCallbackHandler,
    AsyncIteratorCallbackHandler,
)
from callboard.payloads import Generation, LLMResult

DONE = LLMResult([[Generation("")]])


async def text(iterator):
    async with asyncio.timeout(5):
        return "".join([token async for token in iterator])


async def start(handler, parent=None):
    manager = AsyncCallbackManager([handler]) if parent is None else parent.get_child()
    [run] = await manager.on_chat_model_start(None, [[("user", "x")]], name="c")
    return run


async def say(handler, answer, parent=None):
    run = await start(handler, parent)
    for token in answer:
        await run.on_llm_new_token(token)
        await asyncio.sleep(0)
    await run.on_llm_end(DONE)


async def test_tokens_come_while_the_model_runs():
    handler = AsyncIteratorCallbackHandler()
    iterator = handler.aiter()
    run = await start(handler)
    await run.on_llm_new_token("a")
    assert await anext(iterator) == "a"
    await run.on_llm_new_token("b")
    await run.on_llm_end(DONE)
    assert await text(iterator) == "b"


async def test_two_runs_at_once_have_an_iterator_each_to_their_end():
    """langchain: one queue for all runs gave 'a1  b 2c  d', and the longer run lost its tail."""
    handler = AsyncIteratorCallbackHandler()
    readers = [handler.aiter() for _ in range(2)]
    said = await asyncio.gather(
        text(readers[0]), text(readers[1]), say(handler, "abcdefgh"), say(handler, "12")
    )
    assert said[:2] == ["abcdefgh", "12"]


async def test_what_was_said_before_anybody_read_can_be_read():
    handler = AsyncIteratorCallbackHandler()
    await say(handler, "ab")
    await say(handler, "cd")
    assert [await text(handler.aiter()) for _ in range(3)] == ["ab", "cd", ""]


async def test_an_iterator_ends_when_its_run_fails():
    handler = AsyncIteratorCallbackHandler()
    iterator = handler.aiter()
    run = await start(handler)
    await run.on_llm_new_token("a")
    await run.on_llm_error(ValueError("busy"))
    assert await text(iterator) == "a"


@pytest.mark.parametrize("fails", [False, True])
async def test_an_iterator_ends_when_what_it_waited_for_ends_without_a_model(fails):
    handler = AsyncIteratorCallbackHandler()
    iterator = handler.aiter()
    chain = await AsyncCallbackManager.configure([handler]).on_chain_start(None, {})
    tool = await chain.get_child().on_tool_start(None, "x")
    await tool.on_tool_end("y")
    await (chain.on_chain_error(ValueError()) if fails else chain.on_chain_end({}))
    assert await text(iterator) == ""


async def test_models_one_after_the_other_in_a_chain_are_read_one_after_the_other():
    handler = AsyncIteratorCallbackHandler()
    chain = await AsyncCallbackManager.configure([handler]).on_chain_start(None, {})
    readers = [handler.aiter() for _ in range(3)]
    await say(handler, "ab", chain)
    assert not handler.is_idle
    await say(handler, "cd", chain)
    await chain.on_chain_end({})
    assert [await text(each) for each in readers] == ["ab", "cd", ""]


@pytest.mark.parametrize("end", ["close", "done"])
async def test_whoever_can_start_nothing_can_end_the_iterators(end):
    handler = AsyncIteratorCallbackHandler()
    iterator = handler.aiter()
    assert not handler.done.is_set()
    handler.close() if end == "close" else handler.done.set()
    assert handler.done.is_set()
    assert await text(iterator) == ""
    # It can be used again.
    await say(handler, "ab")
    assert await text(handler.aiter()) == "ab"


async def test_a_run_in_another_thread_is_read():
    handler = AsyncIteratorCallbackHandler()

    def work():
        [run] = CallbackManager([handler]).on_llm_start(None, ["x"])
        for token in ("a", [{"type": "text", "text": "b"}], ""):
            run.on_llm_new_token(token)
        run.on_llm_end(DONE)

    said, _ = await asyncio.gather(text(handler.aiter()), asyncio.to_thread(work))
    assert said == "ab"


async def test_answers_that_nobody_reads_are_bounded():
    handler = AsyncIteratorCallbackHandler()
    for number in range(120):
        await say(handler, [str(number)])
    assert await text(handler.aiter()) == "20"
    assert len(handler._unread) == 99


@pytest.mark.parametrize(
    "tokens", [["I think. Final", " Answer", ":", " 4", "2"], ["I think. Final Answer: 4", "2"]]
)
async def test_of_an_agent_the_final_answer_is_passed_on(tokens):
    handler = AsyncFinalIteratorCallbackHandler()
    iterator = handler.aiter()
    chain = await AsyncCallbackManager.configure([handler]).on_chain_start(None, {})
    await say(handler, ["I shall", " search"], chain)
    await say(handler, tokens, chain)
    assert await text(iterator) == " 42"
    await chain.on_chain_end({})


async def test_without_a_final_answer_the_iterator_ends():
    """langchain: it waited for ever for a prefix that did not come."""
    handler = AsyncFinalIteratorCallbackHandler()
    iterator = handler.aiter()
    await say(handler, ["forty", "-two"])
    assert await text(iterator) == ""


async def test_a_prefix_of_ones_own_may_be_passed_on_too():
    handler = AsyncFinalIteratorCallbackHandler(
        answer_prefix_tokens=["<a>"], strip_tokens=False, stream_prefix=True
    )
    await say(handler, ["x <", "a", "> y"])
    assert await text(handler.aiter()) == "<a> y"


async def test_a_final_answer_is_waited_for_while_a_model_called_by_others_runs():
    handler = AsyncFinalIteratorCallbackHandler()
    chain = await AsyncCallbackManager([]).on_chain_start(None, {})
    [run] = await AsyncCallbackManager([handler], parent_run_id=chain.run_id).on_llm_start(
        None, ["x"]
    )
    iterator = handler.aiter()
    await run.on_llm_new_token("Final Answer:yes")
    await run.on_llm_end(DONE)
    assert await text(iterator) == "yes"
