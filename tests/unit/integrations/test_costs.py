"""What model calls use and cost, added up."""

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from callboard import traceable
from callboard.callbacks import CallbackManager
from callboard.integrations import CostCallbackHandler, get_cost_callback, get_openai_callback
from callboard.payloads import AIMessage, ChatGeneration, Generation, LLMResult
from callboard.prices import NO_PRICES
from tests.unit.integrations.scenes import PRICES, answer, ask, manager_of


def call(model="gpt-5", **usage):
    """Have a model answer, with no handlers but those of the blocks around."""
    ask(manager_of(ls_model_name=model), response=answer(model=model, **usage))


def test_tokens_and_costs_are_added_up_by_model():
    handler = CostCallbackHandler(prices=PRICES)
    for _ in range(2):
        ask(manager_of(handler))
    ask(manager_of(handler), response=answer(model="gpt-5-mini"))
    assert handler.successful_requests == 3
    assert handler.prompt_tokens == 300
    assert handler.prompt_tokens_cached == 120
    assert handler.completion_tokens == 60
    assert handler.reasoning_tokens == 15
    assert handler.total_tokens == 360
    assert handler.total_cost == 420.0
    assert {name: spent.calls for name, spent in handler.by_model.items()} == {
        "gpt-5-2025": 2,
        "gpt-5-mini": 1,
    }


@traceable(run_type="llm")
def ask_a_provider(messages):
    usage = SimpleNamespace(prompt_tokens=100, completion_tokens=20, total_tokens=120)
    said = SimpleNamespace(role="assistant", content="Tea.", tool_calls=None)
    choice = SimpleNamespace(index=0, message=said, finish_reason="stop")
    return SimpleNamespace(model="gpt-5-2025", choices=[choice], usage=usage)


def test_what_a_traced_function_returns_is_read_as_its_provider_tells_it():
    with get_cost_callback(prices=PRICES) as costs:
        ask_a_provider([{"role": "user", "content": "What is drunk here?"}])
    assert (costs.total_tokens, costs.total_cost) == (120, 140.0)
    assert list(costs.by_model) == ["gpt-5-2025"]


def test_a_price_that_is_not_known_makes_the_total_unknown_and_not_nothing():
    """langchain-community issue 503: gpt-5.1 and later were $0.00."""
    with get_cost_callback(prices=PRICES) as costs:
        call()
        call("claude-9")
    assert costs.total_cost is None
    assert costs.known_cost == 140.0
    assert costs.unpriced_models == ["claude-9"]
    assert "unknown" in repr(costs)


def test_a_total_of_tokens_alone_counts_and_has_no_known_price():
    with get_cost_callback() as costs:
        call(usage={"total_tokens": 120})
    assert (costs.total_tokens, costs.total_cost) == (120, None)


def test_the_former_name_tells_an_unknown_total_as_no_number():
    with get_openai_callback() as costs:
        assert costs.total_cost == 0.0
        call("a model that nobody prices")
    assert math.isnan(costs.total_cost)
    assert f"{costs.total_cost:.4f}" == "nan"


def test_nested_blocks_each_count_what_is_inside_them():
    """langchain-community: the outer block counted one call of three."""
    with get_openai_callback() as outer:
        call()
        with get_openai_callback() as inner:
            call()
        call()
    assert (outer.successful_requests, inner.successful_requests) == (3, 1)


def test_a_block_that_an_exception_ended_counts_no_more():
    """langchain-community: without a try and finally it went on counting."""
    with pytest.raises(KeyError), get_openai_callback() as costs:
        raise KeyError
    call()
    assert costs.successful_requests == 0
    assert CallbackManager.configure().handlers == []


def test_every_prompts_answer_counts_and_of_candidates_the_first():
    """langchain-community counted generations[0][0] alone."""
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    message = AIMessage("x", usage_metadata=usage, response_metadata={"model_name": "gpt-5"})
    response = LLMResult([[ChatGeneration(message)] * 2, [ChatGeneration(message)]])
    with get_cost_callback(prices=PRICES) as costs:
        ask(manager_of(), response=response)
    assert costs.total_tokens == 4
    assert costs.total_cost == 6.0


def test_usage_in_a_providers_own_names_counts():
    output = {"token_usage": {"prompt_tokens": 3, "completion_tokens": 2}, "model_name": "gpt-5"}
    with get_cost_callback(prices=PRICES) as costs:
        [run] = manager_of().on_llm_start(None, ["x"], name="old")
        run.on_llm_end(LLMResult([[Generation("y")]], output))
    assert costs.total_cost == 7.0


def test_a_cost_that_the_client_tells_counts_before_any_price():
    told = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2, "total_cost": 0}
    with get_cost_callback(prices=PRICES) as costs:
        call(usage=told)
    assert costs.total_cost == 0.0


def test_a_call_that_failed_is_not_counted():
    with get_cost_callback(prices=PRICES) as costs:
        [run] = manager_of().on_chat_model_start(None, [[("user", "x")]], name="c")
        run.on_llm_error(ValueError())
    assert costs.successful_requests == 0
    assert costs.total_cost == 0.0


def test_calls_in_threads_are_all_counted():
    handler = CostCallbackHandler(prices=PRICES)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(200):
            pool.submit(ask, manager_of(handler))
    assert handler.successful_requests == 200
    assert handler.total_cost == 200 * 140.0


async def test_blocks_of_different_tasks_count_their_own():
    async def work(times):
        with get_cost_callback(prices=NO_PRICES) as costs:
            for _ in range(times):
                call()
                await asyncio.sleep(0)
        return costs.successful_requests

    assert await asyncio.gather(*map(work, range(5))) == list(range(5))
