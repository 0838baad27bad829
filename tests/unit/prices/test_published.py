"""The published prices, as genai-prices has collected them."""

import pytest

pytest.importorskip("genai_prices", reason="genai-prices is not installed")

from callboard.prices import PublishedPrices, Tokens, published, published_prices


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


def test_a_total_alone_has_no_price(prices):
    assert prices.cost("gpt-4o", "openai", Tokens(total=100)) is None


def test_a_price_says_where_it_is_from(prices):
    assert prices.cost("gpt-5", "openai", Tokens(1, 1, 2)).priced_by == "genai-prices: openai gpt-5"


def test_the_list_is_loaded_once():
    assert published_prices() is published_prices()


def test_what_is_reckoned_here_is_what_the_package_reckons(prices):
    """It takes the package some 250 us, in the thread of whoever has asked a model."""
    given = {"cache_read": 300, "cache_creation": 100}
    usages = [Tokens(1000, 200, 1200, given, {"reasoning": 50}), Tokens(0, 0, 0)]
    compared = 0
    for provider in prices._snapshots.get_snapshot().providers:
        for model in provider.models[::7]:
            asked = model.id, provider.id
            for tokens in usages:
                try:
                    flat = prices._flat_cost(*asked, tokens)
                except LookupError:
                    continue
                if flat is not None:
                    assert flat == prices._cost(*asked, tokens)
                    compared += 1
    assert compared > 400
    assert prices._flat_cost("gpt-5", "openai", usages[0]) is not None


def test_a_price_that_depends_on_how_many_there_are_is_the_packages(prices):
    few, many = Tokens(1000, 0, 1000), Tokens(1_000_000, 0, 1_000_000)
    asked = "gemini-2.5-pro", "google"
    assert prices._flat_cost(*asked, few) is None
    assert prices.cost(*asked, many).total > 1000 * prices.cost(*asked, few).total


def test_names_that_are_on_no_list_are_remembered_but_not_without_end(prices, monkeypatch):
    monkeypatch.setattr("callboard.prices.published._MAX_KEPT", len(prices._unknown) + 5)
    for number in range(20):
        assert prices.cost(f"made up {number}", None, Tokens(1, 1, 2)) is None
    assert len(prices._unknown) == published._MAX_KEPT
