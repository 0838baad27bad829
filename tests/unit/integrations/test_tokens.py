"""Tokens, as the records of integrations have them: counted, and the first one's time kept."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from callboard.callbacks.silence import SILENT
from callboard.clock import clock_from
from callboard.integrations import CostCallbackHandler, RunTreeHandler
from callboard.redaction import Redaction
from callboard.testing import StepClock
from tests.unit.integrations.scenes import PRICES, answer, manager_of


class Noting(RunTreeHandler):
    """Keeps the records that end, and the text that streams."""

    def __init__(self, **options):
        super().__init__(**options)
        self.ended, self.texts = [], []

    def run_streamed(self, record, text):
        self.texts.append(text)

    def run_ended(self, record):
        self.ended.append(record)


def started(manager):
    [run] = manager.on_chat_model_start(None, [[("user", "?")]], name="c")
    return run


def their_manager(handler):
    callbacks = pytest.importorskip("langchain_core.callbacks")
    return callbacks.CallbackManager.configure([handler])


@pytest.mark.parametrize("manager", [manager_of, their_manager], ids=["ours", "LangChain's"])
def test_tokens_are_counted_and_the_first_ones_time_is_kept(manager):
    handler = Noting()
    with clock_from(StepClock()):
        run = started(manager(handler))
        for token in ("Te", "a", "."):
            run.on_llm_new_token(token)
        run.on_llm_end(answer())
    [record] = handler.ended
    assert record.token_events == 3
    assert record.first_token_time - record.start_time == timedelta(seconds=1)
    assert handler.texts == ["Te", "a", "."]


def test_content_blocks_are_tokens_too_and_only_their_text_is_told():
    handler = Noting()
    run = started(manager_of(handler))
    run.on_llm_new_token([{"type": "text", "text": "Tea"}, {"type": "image", "url": "x"}])
    run.on_llm_new_token([{"type": "reasoning", "reasoning": "Hm."}])
    run.on_llm_end(answer())
    assert handler.texts == ["Tea"]
    assert handler.ended[0].token_events == 2


@pytest.mark.parametrize("options", [{"redaction": Redaction("emails")}, {"content": False}])
def test_no_token_is_told_where_its_text_may_not_be_but_it_is_counted(options):
    handler = Noting(**options)
    run = started(manager_of(handler))
    run.on_llm_new_token("ada@")
    run.on_llm_end(answer())
    assert handler.texts == []
    assert handler.ended[0].token_events == 1
    assert handler.ended[0].first_token_time is not None


def test_tokens_of_runs_at_once_are_counted_for_each():
    handler = Noting()

    def stream(count):
        run = started(manager_of(handler))
        for _ in range(count):
            run.on_llm_new_token("x")
        run.on_llm_end(answer())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(stream, range(50)))
    assert sorted(record.token_events for record in handler.ended) == list(range(50))


def test_tokens_of_a_run_that_was_given_up_are_nobodys_trouble(caplog):
    handler = Noting(max_runs=1)
    first = started(manager_of(handler))
    second = started(manager_of(handler))
    first.on_llm_new_token("x")
    second.on_llm_new_token("y")
    assert handler.texts == ["y"]
    assert not caplog.records


def test_who_adds_up_costs_does_not_even_hear_tokens():
    handler = CostCallbackHandler(prices=PRICES)
    assert handler.on_llm_new_token.__func__ in SILENT
    run = started(manager_of(handler))
    run.on_llm_new_token("x")
    run.on_llm_end(answer())
    assert handler.total_cost == 140.0


def test_answers_told_as_tuples_are_read_without_content_too():
    from callboard.payloads import LLMResult

    handler = Noting(content=False, prices=PRICES)
    told = answer()
    started(manager_of(handler)).on_llm_end(LLMResult(tuple(map(tuple, told.generations))))
    [record] = handler.ended
    assert (record.tokens.prompt, record.finish_reasons) == (100, ["stop"])
    assert record.outputs is None
