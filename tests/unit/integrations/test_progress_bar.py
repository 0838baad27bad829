"""A tqdm bar that runs move on."""

import io
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("tqdm", reason="tqdm is not installed")

import tqdm

from callboard.integrations import TqdmCallbackHandler
from tests.unit.integrations.scenes import PRICES, answer, ask, manager_of, serve


@pytest.fixture
def bar():
    with tqdm.tqdm(file=io.StringIO(), mininterval=0, total=4) as bar:
        yield bar


def test_a_bar_counts_outermost_runs_and_tells_what_they_used(bar):
    handler = TqdmCallbackHandler(bar, prices=PRICES)
    for _ in range(3):
        serve(handler)
    manager_of(handler).on_chain_start(None, {}, name="agent").on_chain_error(ValueError())
    assert bar.n == 4
    assert bar.postfix == "tok=360, usd=420.0000, err=1"
    assert "4/4" in bar.fp.getvalue()


def test_what_is_not_known_is_not_shown_and_a_cost_says_if_there_is_more(bar):
    handler = TqdmCallbackHandler(bar, prices=PRICES)
    ask(manager_of(handler, ls_model_name="new"), response=answer(model="new"))
    assert bar.postfix == "tok=120"
    ask(manager_of(handler))
    assert bar.postfix == "tok=240, usd=140.0000+"


@pytest.mark.parametrize(
    ("counts", "counted"),
    [(None, 1), ("chat_model", 1), ("embedding", 0), (lambda record: record.parent is not None, 3)],
)
def test_which_runs_move_the_bar_is_yours_to_choose(bar, counts, counted):
    serve(TqdmCallbackHandler(bar, counts=counts))
    assert bar.n == counted


def test_figures_come_while_the_first_run_is_under_way(bar):
    handler = TqdmCallbackHandler(bar, prices=PRICES)
    root = manager_of(handler).on_chain_start(None, {}, name="agent")
    ask(root.get_child())
    assert bar.n == 0
    assert "tok=120" in bar.fp.getvalue()


def test_threads_move_one_bar(bar):
    handler = TqdmCallbackHandler(bar)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(100):
            pool.submit(serve, handler)
    assert bar.n == 100


def test_your_bar_stays_open_and_one_that_was_made_is_closed(bar, capsys):
    TqdmCallbackHandler(bar).close()
    assert not bar.disable
    with TqdmCallbackHandler(total=2, description="batch") as handler:
        serve(handler)
    assert handler._bar.disable
    drawn = capsys.readouterr().err
    assert "batch:  50%" in drawn
    assert "1/2" in drawn


def test_nothing_is_drawn_for_a_token(bar):
    [run] = manager_of(TqdmCallbackHandler(bar)).on_chat_model_start(None, [[("user", "x")]])
    drawn = bar.fp.getvalue()
    for _ in range(100):
        run.on_llm_new_token("word ")
    assert bar.fp.getvalue() == drawn


def test_what_is_given_up_does_not_count(bar):
    handler = TqdmCallbackHandler(bar)
    manager_of(handler).on_chain_start(None, {}, name="agent")
    handler.close()
    assert bar.n == 0
