"""Blocks around LangChain's own managers, where Callboard is not in their place."""

import asyncio

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers import context

from callboard.callbacks import get_usage_metadata_callback
from callboard.integrations import get_cost_callback, get_openai_callback
from callboard.prices import PriceTable

PRICES = PriceTable.load(
    [{"name": "test", "model": "gpt-5", "prompt": 1_000_000.0, "completion": 1_000_000.0}]
)


@pytest.fixture
def chain():
    answer = AIMessage(
        "Tea.",
        usage_metadata={"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
        response_metadata={"model_name": "gpt-5"},
    )
    model = GenericFakeChatModel(messages=iter([answer] * 100))
    return RunnableLambda(lambda question: question) | model


def test_what_a_chain_inside_uses_is_counted_once(chain):
    with get_cost_callback(prices=PRICES) as costs, get_usage_metadata_callback() as usage:
        chain.invoke("What is drunk here?")
        asyncio.run(chain.ainvoke("And elsewhere?"))
        chain.batch(["One", "two"])
    chain.invoke("Afterwards?")
    assert (costs.total_tokens, costs.total_cost) == (20, 20.0)
    assert usage.usage_metadata["gpt-5"]["total_tokens"] == 20


def test_nested_blocks_each_count_what_is_inside_them(chain):
    with get_openai_callback() as outer:
        chain.invoke("one")
        with get_openai_callback() as inner, get_openai_callback() as innermost:
            chain.invoke("two")
        chain.invoke("three")
    assert [outer.total_tokens, inner.total_tokens, innermost.total_tokens] == [15, 5, 5]


def test_blocks_leave_no_more_hooks_than_were_ever_nested(chain):
    with get_openai_callback(), get_openai_callback(), get_openai_callback():
        hooks = len(context._configure_hooks)
    for _ in range(10):
        with get_openai_callback(), get_openai_callback():
            chain.invoke("one")
    assert len(context._configure_hooks) == hooks
