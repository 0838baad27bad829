"""Counting tokens: off every shape of response, in every thread, in nested blocks."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from callboard.callbacks import (
    AsyncCallbackManager,
    CallbackManager,
    UsageMetadataCallbackHandler,
    get_usage_metadata_callback,
)
from callboard.callbacks.hooks import registered_hooks
from callboard.payloads import AIMessage, ChatGeneration, Generation, HumanMessage, LLMResult
from callboard.usage import add_usage

USAGE = {
    "input_tokens": 12,
    "output_tokens": 7,
    "total_tokens": 19,
    "input_token_details": {"cache_read": 8, "audio": 1},
    "output_token_details": {"reasoning": 3, "audio": 2},
}
TWICE = {
    "input_tokens": 24,
    "output_tokens": 14,
    "total_tokens": 38,
    "input_token_details": {"cache_read": 16, "audio": 2},
    "output_token_details": {"reasoning": 6, "audio": 4},
}
SMALL = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}


def ours(usage=USAGE, model="gpt"):
    message = AIMessage("hi", usage_metadata=usage, response_metadata={"model_name": model})
    return LLMResult([[ChatGeneration(message)]])


def theirs(usage=USAGE, model="gpt"):
    from langchain_core.messages import AIMessage as TheirMessage
    from langchain_core.outputs import ChatGeneration as TheirGeneration
    from langchain_core.outputs import LLMResult as TheirResult

    message = TheirMessage("hi", usage_metadata=usage, response_metadata={"model_name": model})
    return TheirResult(generations=[[TheirGeneration(message=message)]])


def plain(usage=USAGE, model="gpt"):
    message = {
        "type": "ai",
        "content": "hi",
        "usage_metadata": usage,
        "response_metadata": {"model_name": model},
    }
    return {"generations": [[{"text": "hi", "message": message}]], "llm_output": None}


def serialised(usage=USAGE, model="gpt"):
    message = {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain", "schema", "messages", "AIMessage"],
        "kwargs": {"usage_metadata": usage, "response_metadata": {"model_name": model}},
    }
    return {"generations": [[{"text": "hi", "message": message}]]}


every_shape = pytest.mark.parametrize("shape", [ours, theirs, plain, serialised])


def counted(*responses):
    """Count what these responses used, as a manager would tell them."""
    handler = UsageMetadataCallbackHandler()
    for response in responses:
        (run,) = CallbackManager([handler]).on_llm_start({}, ["prompt"])
        run.on_llm_end(response)
    return handler.usage_metadata


@every_shape
def test_usage_is_read_by_shape(shape):
    assert counted(shape()) == {"gpt": USAGE}


@every_shape
def test_usage_adds_up_details_included(shape):
    assert counted(shape(), shape()) == {"gpt": TWICE}


@every_shape
def test_usage_is_kept_apart_by_model(shape):
    assert counted(shape(), shape(SMALL, "claude"), shape(SMALL, "claude")) == {
        "gpt": USAGE,
        "claude": {"input_tokens": 2, "output_tokens": 4, "total_tokens": 6},
    }


def test_shapes_add_up_with_each_other():
    assert counted(ours(), theirs()) == counted(plain(), serialised()) == {"gpt": TWICE}


def test_details_that_only_one_response_has_are_kept():
    first = {**SMALL, "input_token_details": {"cache_read": 1}}
    second = {
        **SMALL,
        "input_token_details": {"audio": 2},
        "output_token_details": {"reasoning": 3},
    }
    assert counted(ours(first), ours(second)) == {
        "gpt": {
            "input_tokens": 2,
            "output_tokens": 4,
            "total_tokens": 6,
            "input_token_details": {"cache_read": 1, "audio": 2},
            "output_token_details": {"reasoning": 3},
        }
    }


def test_counts_that_are_missing_or_none_count_nothing():
    assert counted(ours({"input_tokens": 1, "output_tokens": None}), ours(SMALL)) == {
        "gpt": {"input_tokens": 2, "output_tokens": 2, "total_tokens": 3}
    }


def test_what_is_no_count_is_left_out():
    assert counted(ours({**SMALL, "note": "cheap", "input_token_details": "none"}), ours()) == {
        "gpt": {
            "input_tokens": 13,
            "output_tokens": 9,
            "total_tokens": 22,
            "input_token_details": {"cache_read": 8, "audio": 1},
            "output_token_details": {"reasoning": 3, "audio": 2},
        }
    }


def test_the_messages_own_usage_is_not_changed_by_the_counting():
    usage = {**SMALL, "input_token_details": {"cache_read": 1}}
    counted(ours(usage), ours(usage))
    assert usage == {**SMALL, "input_token_details": {"cache_read": 1}}


@pytest.mark.parametrize("key", ["model_name", "model", "model_id"])
def test_the_models_name_is_found_where_providers_put_it(key):
    message = AIMessage("hi", usage_metadata=SMALL, response_metadata={key: "named"})
    assert counted(LLMResult([[ChatGeneration(message)]])) == {"named": SMALL}


def test_a_name_in_the_output_stands_in_for_the_messages():
    message = AIMessage("hi", usage_metadata=SMALL)
    response = LLMResult([[ChatGeneration(message)]], {"model_name": "from output"})
    assert counted(response) == {"from output": SMALL}


def test_usage_that_names_no_model_is_counted_all_the_same():
    message = AIMessage("hi", usage_metadata=SMALL, response_metadata={"model_name": 7})
    assert counted(LLMResult([[ChatGeneration(message)]])) == {"unknown": SMALL}


def test_streamed_chunks_that_were_merged_are_counted_once():
    from langchain_core.messages import AIMessageChunk
    from langchain_core.outputs import ChatGenerationChunk
    from langchain_core.outputs import LLMResult as TheirResult

    first = AIMessageChunk("Hel", response_metadata={"model_name": "gpt"})
    second = AIMessageChunk("lo")
    last = AIMessageChunk("", usage_metadata=USAGE, chunk_position="last")
    merged = first + second + last
    result = TheirResult(generations=[[ChatGenerationChunk(message=merged)]])
    assert counted(result) == {"gpt": USAGE}


def test_chunks_that_each_tell_a_part_add_up_when_merged():
    from langchain_core.messages import AIMessageChunk
    from langchain_core.outputs import ChatGenerationChunk
    from langchain_core.outputs import LLMResult as TheirResult

    one = AIMessageChunk(
        "a",
        usage_metadata={"input_tokens": 5, "output_tokens": 0, "total_tokens": 5},
        response_metadata={"model_name": "claude"},
    )
    two = AIMessageChunk(
        "b", usage_metadata={"input_tokens": 0, "output_tokens": 2, "total_tokens": 2}
    )
    result = TheirResult(generations=[[ChatGenerationChunk(message=one + two)]])
    (usage,) = counted(result).values()
    assert {key: usage[key] for key in SMALL} == {
        "input_tokens": 5,
        "output_tokens": 2,
        "total_tokens": 7,
    }


@pytest.mark.parametrize(
    "output",
    [
        {"token_usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}},
        {"token_usage": {"prompt_tokens": 1, "completion_tokens": 2}},
        {"usage": {"input_tokens": 1, "output_tokens": 2}},
    ],
)
def test_what_only_the_provider_tells_is_counted(output):
    response = LLMResult([[Generation("hi")]], {"model_name": "davinci", **output})
    assert counted(response) == {"davinci": SMALL}


def test_a_total_that_is_all_that_the_provider_tells_is_counted():
    told = {"token_usage": {"total_tokens": 3}}
    response = LLMResult([[Generation("hi")]], {"model_name": "davinci", **told})
    assert counted(response) == {"davinci": {"total_tokens": 3}}


OPENAI = {
    "prompt_tokens": 12,
    "completion_tokens": 7,
    "total_tokens": 19,
    "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 1},
    "completion_tokens_details": {
        "reasoning_tokens": 3,
        "audio_tokens": 2,
        "accepted_prediction_tokens": 0,
    },
}
OPENAI_RESPONSES = {
    "input_tokens": 12,
    "output_tokens": 7,
    "total_tokens": 19,
    "input_tokens_details": {"cached_tokens": 8},
    "output_tokens_details": {"reasoning_tokens": 3},
}
ANTHROPIC = {
    "input_tokens": 3,
    "cache_read_input_tokens": 8,
    "cache_creation_input_tokens": 1,
    "output_tokens": 7,
    "service_tier": "standard",
}
FIGURES = {"input_tokens": 12, "output_tokens": 7, "total_tokens": 19}


@pytest.mark.parametrize(
    ("output", "usage"),
    [
        ({"token_usage": OPENAI}, USAGE),
        (
            {"usage": OPENAI_RESPONSES},
            {
                **FIGURES,
                "input_token_details": {"cache_read": 8},
                "output_token_details": {"reasoning": 3},
            },
        ),
        (
            {"usage": ANTHROPIC},
            {**FIGURES, "input_token_details": {"cache_read": 8, "cache_creation": 1}},
        ),
    ],
    ids=["openai", "openai responses", "anthropic"],
)
def test_the_providers_details_are_counted(output, usage):
    assert counted(LLMResult([[Generation("hi")]], {"model_name": "m", **output})) == {"m": usage}


def test_an_input_figure_that_has_the_cached_tokens_in_it_is_not_added_to():
    told = {"prompt_tokens": 12, "completion_tokens": 7, "cache_read_input_tokens": 8}
    assert counted(LLMResult([], {"token_usage": told})) == {
        "unknown": {**FIGURES, "input_token_details": {"cache_read": 8}}
    }


def test_an_input_that_was_cached_as_a_whole_is_counted():
    told = {"input_tokens": 0, "cache_read_input_tokens": 8, "output_tokens": 0}
    assert counted(LLMResult([], {"usage": told}))["unknown"]["total_tokens"] == 8


def test_a_total_that_has_more_in_it_is_kept():
    told = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 9}
    assert counted(LLMResult([], {"token_usage": told}))["unknown"]["total_tokens"] == 9


@pytest.mark.parametrize("odd", [None, "many", True, [], {"cached_tokens": "8"}], ids=repr)
def test_what_is_no_count_in_the_providers_details_is_left_out(odd):
    told = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": odd}
    told |= {"prompt_tokens_details": odd, "cache_creation_input_tokens": odd}
    assert counted(LLMResult([], {"token_usage": told})) == {"unknown": SMALL}


@pytest.mark.parametrize("odd", ["many", "", True, False, None, [1]], ids=repr)
def test_adding_leaves_out_what_is_no_number_on_either_side(odd):
    assert add_usage({"input_tokens": 1}, {"input_tokens": odd}) == {"input_tokens": 1}
    assert add_usage({"input_tokens": odd}, {"input_tokens": 1}) == {"input_tokens": 1}
    assert add_usage({"input_tokens": odd}, {"input_tokens": odd}) == {}
    details = {"input_token_details": {"audio": odd}}
    assert add_usage(details, {"input_token_details": {"audio": 2}}) == {
        "input_token_details": {"audio": 2}
    }


def test_what_the_provider_tells_besides_the_message_is_not_counted_twice():
    response = ours(SMALL)
    response.llm_output = {"token_usage": {"prompt_tokens": 1, "completion_tokens": 2}}
    assert counted(response) == {"gpt": SMALL}


@pytest.mark.parametrize(
    "response",
    [
        LLMResult([]),
        LLMResult([[]]),
        LLMResult([[Generation("text")]]),
        LLMResult([[ChatGeneration(HumanMessage("hi"))]]),
        LLMResult([[ChatGeneration(AIMessage("hi"))]]),
        LLMResult([[ChatGeneration(AIMessage("hi", usage_metadata={}))]]),
        LLMResult([], {"token_usage": {}}),
        LLMResult([], {"token_usage": {"prompt_tokens": "many"}}),
        LLMResult([], {"token_usage": {"prompt_tokens": 0, "completion_tokens": 0}}),
        {"generations": None},
        {},
        None,
        "text",
    ],
    ids=repr,
)
def test_a_response_that_tells_no_usage_counts_nothing(response, caplog):
    assert counted(response) == {}
    assert caplog.records == []


def test_of_several_candidates_for_a_prompt_one_counts():
    silent = ChatGeneration(AIMessage("no usage"))
    telling = ours().generations[0][0]
    assert counted(LLMResult([[silent, telling, telling]])) == {"gpt": USAGE}


def test_every_prompt_of_a_response_counts():
    one = ours().generations[0]
    assert counted(LLMResult([one, one])) == {"gpt": TWICE}


def test_candidates_that_are_not_in_lists_count_too():
    assert counted({"generations": [ours().generations[0][0]]}) == {"gpt": USAGE}


async def test_async_runs_are_counted():
    handler = UsageMetadataCallbackHandler()
    (run,) = await AsyncCallbackManager([handler]).on_chat_model_start({}, [[("user", "hi")]])
    await run.on_llm_end(theirs())
    assert handler.usage_metadata == {"gpt": USAGE}


def test_it_prints_as_what_it_counted():
    handler = UsageMetadataCallbackHandler()
    assert repr(handler) == "{}"
    handler.on_llm_end(ours(SMALL))
    assert repr(handler) == str({"gpt": SMALL})


def test_eight_threads_lose_no_count():
    handler, times = UsageMetadataCallbackHandler(), 300
    response = ours()

    def count(_):
        (run,) = CallbackManager([handler]).on_llm_start({}, ["prompt"])
        for _ in range(times):
            run.on_llm_end(response)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(8)))
    calls = 8 * times
    assert handler.usage_metadata["gpt"]["total_tokens"] == 19 * calls
    assert handler.usage_metadata["gpt"]["input_token_details"]["cache_read"] == 8 * calls


# --- get_usage_metadata_callback ----------------------------------------------------------------


def call_a_model(usage=SMALL, model="gpt"):
    (run,) = CallbackManager.configure().on_llm_start({}, ["prompt"])
    run.on_llm_end(ours(usage, model))


def test_a_block_counts_the_calls_in_it_and_no_others():
    call_a_model()
    with get_usage_metadata_callback() as counts:
        call_a_model()
        call_a_model(model="other")
    call_a_model()
    assert counts.usage_metadata == {"gpt": SMALL, "other": SMALL}


def test_a_block_counts_what_runs_inside_the_calls_once():
    with get_usage_metadata_callback() as counts:
        chain = CallbackManager.configure().on_chain_start({}, {})
        inner = CallbackManager.configure(chain.get_child()).on_chain_start({}, {})
        (run,) = CallbackManager.configure(inner.get_child()).on_llm_start({}, ["prompt"])
        run.on_llm_end(ours(SMALL))
    assert counts.usage_metadata == {"gpt": SMALL}


def test_nested_blocks_each_count_their_own():
    with get_usage_metadata_callback() as outer:
        call_a_model()
        with get_usage_metadata_callback("any name") as inner:
            call_a_model()
        call_a_model()
    assert inner.usage_metadata == {"gpt": SMALL}
    assert outer.usage_metadata["gpt"]["total_tokens"] == 9


def test_blocks_do_not_make_the_list_of_hooks_longer():
    before = list(registered_hooks())
    for _ in range(20):
        with get_usage_metadata_callback(), get_usage_metadata_callback():
            call_a_model()
    assert list(registered_hooks()) == before


def test_a_block_ends_with_an_exception_too():
    with pytest.raises(LookupError), get_usage_metadata_callback() as counts:
        raise LookupError
    call_a_model()
    assert counts.usage_metadata == {}


async def test_blocks_of_concurrent_tasks_do_not_mix():
    async def task(number):
        with get_usage_metadata_callback() as counts:
            for _ in range(number):
                manager = AsyncCallbackManager.configure()
                (run,) = await manager.on_llm_start({}, ["prompt"])
                await asyncio.sleep(0)
                await run.on_llm_end(ours(SMALL))
        return counts.usage_metadata["gpt"]["total_tokens"]

    assert await asyncio.gather(*[task(number) for number in (1, 2, 3)]) == [3, 6, 9]


def test_a_block_counts_in_threads_that_are_given_its_context():
    with get_usage_metadata_callback() as counts, ThreadPoolExecutor(4) as pool:
        for work in [pool.submit(copy_context().run, call_a_model) for _ in range(20)]:
            work.result()
    assert counts.usage_metadata["gpt"]["total_tokens"] == 60


async def test_a_block_in_a_generator_that_another_task_closes_ends_without_complaint():
    async def stream():
        with get_usage_metadata_callback() as counts:
            yield counts

    generator = stream()
    await anext(generator)
    await asyncio.create_task(generator.aclose())


def counting():
    """Count in a block, suspended in the middle of it."""
    with get_usage_metadata_callback() as counts:
        yield counts


async def acounting():
    with get_usage_metadata_callback() as counts:
        yield counts


@pytest.mark.parametrize("first_ends_first", [True, False])
def test_blocks_of_interleaved_generators_count_until_they_end(first_ends_first):
    generators = [counting(), counting()]
    ended, lasting = [(generator, next(generator)) for generator in generators][
        :: 1 if first_ends_first else -1
    ]
    call_a_model()
    ended[0].close()
    call_a_model()
    lasting[0].close()
    call_a_model()
    assert ended[1].usage_metadata["gpt"]["total_tokens"] == 3
    assert lasting[1].usage_metadata["gpt"]["total_tokens"] == 6
    assert CallbackManager.configure().handlers == []


async def test_a_block_that_another_task_ended_counts_no_more():
    generator = acounting()
    async for each in generator:
        counts = each
        call_a_model()
        break
    await asyncio.create_task(generator.aclose())
    call_a_model()
    assert counts.usage_metadata == {"gpt": SMALL}
    assert AsyncCallbackManager.configure().handlers == []


async def test_blocks_that_ended_elsewhere_do_not_pile_up():
    from callboard.handlers.usage import _blocks

    for _ in range(20):
        generator = acounting()
        await anext(generator)
        await asyncio.create_task(generator.aclose())
    assert len(_blocks._around.get()) == 1
    with get_usage_metadata_callback():
        pass
    assert _blocks._around.get() is None


async def test_a_call_that_a_task_begins_after_the_block_is_not_counted():
    ended = asyncio.Event()

    async def work():
        call_a_model()
        await ended.wait()
        call_a_model()

    with get_usage_metadata_callback() as counts:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
    ended.set()
    await task
    assert counts.usage_metadata == {"gpt": SMALL}
