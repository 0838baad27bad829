"""The published prices, as genai-prices has collected them."""

import pytest

pytest.importorskip("genai_prices", reason="genai-prices is not installed")

from callboard.prices import PublishedPrices, Tokens, published_prices


@pytest.fixture(scope="module")
def prices():
    return PublishedPrices()


@pytest.mark.parametrize(("model", "cost"), [("o1", 0.07125), ("o3", 0.00925)])
def test_what_is_returned_costs_more_than_what_is_given_and_the_cached_half_less(
    prices, model, cost
):
    """langchain-community billed the output of o1 and o3 at the price of input."""
    tokens = Tokens(1000, 1000, 2000, {"cache_read": 500}, {"reasoning": 300})
    assert prices.cost(model, "openai", tokens).total == pytest.approx(cost)


def test_writing_to_the_cache_has_a_price_of_its_own(prices):
    plain = Tokens(1000, 0, 1000)
    writing = Tokens(1000, 0, 1000, {"cache_creation": 1000})
    asked = ("claude-sonnet-4-5", "anthropic")
    assert prices.cost(*asked, writing).total > prices.cost(*asked, plain).total


@pytest.mark.parametrize("provider", ["openai", "azure", None])
def test_a_model_is_found_by_its_provider_and_without(prices, provider):
    assert prices.cost("gpt-5", provider, Tokens(1000, 1000, 2000)).total > 0


@pytest.mark.parametrize(
    ("model", "provider"), [("no-such-model", "openai"), ("llama3", "ollama"), ("", None)]
)
def test_what_is_not_on_the_list_has_no_price(prices, model, provider):
    assert prices.cost(model, provider, Tokens(1000, 1000, 2000)) is None


def test_counts_that_contradict_each_other_have_no_price(prices):
    assert prices.cost("gpt-5", "openai", Tokens(10, 0, 10, {"cache_read": 500})) is None


def test_a_price_says_where_it_is_from(prices):
    assert prices.cost("gpt-5", "openai", Tokens(1, 1, 2)).priced_by == "genai-prices: openai gpt-5"


def test_the_list_is_loaded_once():
    assert published_prices() is published_prices()
