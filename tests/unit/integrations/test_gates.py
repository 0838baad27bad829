"""Budgets and rate limits: what they refuse, when, and what they never disturb."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from callboard import traceable
from callboard.callbacks import AsyncCallbackManager
from callboard.clock import clock_from
from callboard.errors import BadOptionError, BudgetSpentError, LimitError, RateLimitError
from callboard.integrations import BudgetGuard, RateLimit
from callboard.payloads import Generation, LLMResult
from callboard.testing import StepClock
from tests.unit.integrations.scenes import PRICES, answer, ask, manager_of


class Clock:
    """A clock that stands still until it is slept on."""

    def __init__(self):
        self.now = StepClock()()
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    clock = Clock()
    with clock_from(clock):
        yield clock


def test_a_budget_of_money_refuses_the_call_after_the_one_that_spent_it():
    guard = BudgetGuard(max_cost=200, prices=PRICES)
    ask(manager_of(guard))
    ask(manager_of(guard))
    with pytest.raises(BudgetSpentError, match=r"budget of \$200 is spent: \$280 was used"):
        ask(manager_of(guard))
    assert guard.spent_cost == 280


def test_a_traced_function_that_is_refused_is_not_complained_of(caplog):
    @traceable(run_type="llm", callbacks=[BudgetGuard(max_tokens=0)])
    def call(prompt):
        raise AssertionError("It was made all the same")

    with pytest.raises(BudgetSpentError):
        call("tea")
    assert caplog.records == []


def test_a_budget_of_tokens_counts_what_was_used():
    guard = BudgetGuard(max_tokens=120)
    ask(manager_of(guard))
    with pytest.raises(LimitError, match="120 tokens is spent"):
        ask(manager_of(guard))


def test_a_budget_of_tokens_counts_a_total_that_is_all_that_is_told():
    guard = BudgetGuard(max_tokens=100)
    told = {"token_usage": {"total_tokens": 120}}
    ask(manager_of(guard), response=LLMResult([[Generation("Tea.")]], told))
    with pytest.raises(BudgetSpentError, match="120 were used"):
        ask(manager_of(guard))


def test_a_refusal_is_not_logged_as_a_fault(caplog):
    with pytest.raises(BudgetSpentError):
        ask(manager_of(BudgetGuard(max_tokens=0)))
    limited = manager_of(RateLimit(requests=1))
    ask(limited)
    with pytest.raises(RateLimitError):
        ask(limited)
    assert not caplog.records


async def test_a_budget_refuses_in_async_code_too():
    guard = BudgetGuard(max_tokens=0)
    with pytest.raises(BudgetSpentError):
        await manager_of(guard, kind=AsyncCallbackManager).on_chat_model_start(
            None, [[("user", "x")]], name="c"
        )


def test_nothing_is_raised_when_an_answer_is_there_though_it_tells_no_usage():
    """langchain-community's rate limit raised when the answer had been paid for."""
    for gate in (BudgetGuard(max_tokens=1), RateLimit(tokens=1)):
        [run] = manager_of(gate).on_llm_start(None, ["x"], name="old")
        run.on_llm_end(LLMResult([[Generation("y")]]))
        ask(manager_of(gate), response=answer())


def test_a_price_list_that_fails_costs_no_answer(caplog):
    class Broken:
        def cost(self, model, provider, tokens):
            raise ZeroDivisionError

    ask(manager_of(BudgetGuard(max_cost=1, prices=Broken())))
    assert "BudgetGuard can't count a call" in caplog.text


def test_an_end_without_a_start_is_not_raised(caplog):
    from callboard.callbacks import handle_event
    from callboard.ids import new_id

    guard = BudgetGuard(max_cost=1)
    handle_event([guard], "on_llm_end", "ignore_llm", answer(), run_id=new_id())
    assert guard.calls_under_way == 0


def test_calls_under_way_have_something_set_aside():
    guard = BudgetGuard(max_tokens=100, expected_tokens=50)
    manager = manager_of(guard)
    for _ in range(2):
        manager.on_chat_model_start(None, [[("user", "x")]], name="c")
    with pytest.raises(BudgetSpentError, match="2 calls are under way"):
        ask(manager)


def test_a_call_is_refused_for_which_there_is_not_enough_left():
    guard = BudgetGuard(max_tokens=200, expected_tokens=100)
    ask(manager_of(guard))
    with pytest.raises(BudgetSpentError, match="120 were used, and 0 calls are under way"):
        ask(manager_of(guard))


def test_a_call_that_failed_is_under_way_no_more():
    guard = BudgetGuard(max_tokens=100, expected_tokens=100)
    [run] = manager_of(guard).on_chat_model_start(None, [[("user", "x")]], name="c")
    run.on_llm_error(ValueError())
    ask(manager_of(guard))
    assert guard.spent_tokens == 120


def test_a_call_that_another_handler_refuses_is_not_under_way(caplog):
    guard, limit = BudgetGuard(max_tokens=100), RateLimit(requests=2)
    with pytest.raises(RateLimitError):
        manager_of(guard, limit).on_llm_start(None, ["1", "2", "3"], name="old")
    assert guard.calls_under_way == 0
    assert "can't count" not in caplog.text


def test_an_unknown_price_is_said_once_or_refuses_what_follows(caplog):
    unknown = answer(model="new")
    guard = BudgetGuard(max_cost=1, prices=PRICES)
    for _ in range(2):
        ask(manager_of(guard, ls_model_name="new"), response=unknown)
    assert caplog.text.count("What new costs is not known") == 1
    strict = BudgetGuard(max_cost=1, prices=PRICES, unpriced="refuse")
    ask(manager_of(strict, ls_model_name="new"), response=unknown)
    with pytest.raises(BudgetSpentError, match="What new costs is not known"):
        ask(manager_of(strict))


def test_a_budget_is_kept_by_threads_together():
    guard = BudgetGuard(max_tokens=10**9)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(100):
            pool.submit(ask, manager_of(guard))
    assert guard.spent_tokens == 12_000
    assert guard.calls_under_way == 0


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"max_cost": -1},
        {"max_tokens": -1},
        {"max_cost": 1, "expected_cost": -1},
        {"max_tokens": 1, "expected_tokens": -1},
        {"max_cost": 1, "unpriced": "raise"},
    ],
)
def test_a_budget_without_a_limit_is_refused(limits):
    with pytest.raises(BadOptionError):
        BudgetGuard(**limits)


def test_a_rate_limit_refuses_and_says_when_to_come_back(clock):
    limit = RateLimit(requests=2, period=60)
    for _ in range(2):
        ask(manager_of(limit))
    with pytest.raises(RateLimitError, match="room again in 30 seconds") as refused:
        ask(manager_of(limit))
    assert refused.value.retry_after == pytest.approx(30)
    clock.sleep(30)
    ask(manager_of(limit))


def test_a_rate_limit_may_wait(clock):
    limit = RateLimit(requests=1, period=10, max_wait=60, sleep=clock.sleep)
    for _ in range(3):
        ask(manager_of(limit))
    assert clock.slept == pytest.approx([10, 10])


def test_tokens_that_were_used_have_to_be_paid_back(clock):
    limit = RateLimit(tokens=60, period=60)
    ask(manager_of(limit))
    with pytest.raises(RateLimitError) as refused:
        ask(manager_of(limit))
    assert refused.value.retry_after == pytest.approx(61)


async def test_a_rate_limit_waits_beside_the_event_loop():
    import asyncio
    import threading

    main, waited_in = threading.get_ident(), []
    clock = Clock()

    def sleep(seconds):
        waited_in.append(threading.get_ident())
        clock.sleep(seconds)

    with clock_from(clock):
        limit = RateLimit(requests=1, period=10, max_wait=60, sleep=sleep)
        manager = manager_of(limit, kind=AsyncCallbackManager)
        await asyncio.gather(
            *(manager.on_chat_model_start(None, [[("user", "x")]], name="c") for _ in range(2))
        )
    assert waited_in
    assert main not in waited_in


def test_an_allowance_of_ones_own_is_asked_and_charged():
    class Shared:
        def __init__(self):
            self.taken, self.charged = [], []

        def take(self, count):
            self.taken.append(count)
            return 0.0

        def charge(self, count):
            self.charged.append(count)

    requests, tokens = Shared(), Shared()
    ask(manager_of(RateLimit(requests=requests, tokens=tokens)))
    assert (requests.taken, tokens.taken, tokens.charged) == ([1], [0], [120])


def test_a_limit_may_be_any_number_from_one_up(clock):
    limit = RateLimit(tokens=1.2e2, period=60, max_wait=60, sleep=clock.sleep)
    for _ in range(2):
        ask(manager_of(limit))
    assert clock.slept == pytest.approx([0.5])


@pytest.mark.parametrize(
    "limits", [{}, {"requests": 0}, {"requests": 0.5}, {"tokens": 5, "period": 0}, {"tokens": "5"}]
)
def test_a_rate_limit_without_a_limit_is_refused(limits):
    with pytest.raises(BadOptionError):
        RateLimit(**limits)
