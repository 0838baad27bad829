"""Evaluators: who is evaluated, where it goes on, and what becomes of what they find."""

import gc
import logging
import threading
import weakref
from types import SimpleNamespace
from uuid import UUID

import pytest
from langsmith.evaluation import EvaluationResult, run_evaluator

from callboard.callbacks import CallbackManager
from callboard.errors import BadOptionError
from callboard.tracers import EvaluatorCallbackHandler
from callboard.tracers.evaluation import wait_for_all_evaluators

EXAMPLE = UUID(int=7)


class Client:
    """In place of LangSmith's client: keeps what it is told."""

    def __init__(self):
        self.feedback, self.operations = [], []

    def read_example(self, example_id):
        return SimpleNamespace(id=example_id, outputs={"answer": 4})

    def create_feedback(self, run_id, key, **told):
        self.feedback.append((run_id, key, told))

    def create_run(self, **told):
        self.operations.append(told)

    def update_run(self, run_id, **told):
        self.operations.append({"id": run_id, **told})


def answer(handler, outputs=None, error=None):
    run = CallbackManager.configure([handler]).on_chain_start({}, {"question": "2 + 2"})
    run.get_child().on_tool_start({}, "2 + 2").on_tool_end(4)
    if error is None:
        run.on_chain_end({"answer": 4} if outputs is None else outputs)
    else:
        run.on_chain_error(error)
    return run.run_id


def right(run, example=None):
    expected = 4 if example is None else example.outputs["answer"]
    return {"key": "right", "score": int(run.outputs["answer"] == expected)}


def test_each_trace_is_evaluated_once_it_ends_and_not_the_runs_inside():
    handler = EvaluatorCallbackHandler([right])
    ids = [answer(handler), answer(handler, {"answer": 5})]
    handler.wait_for_futures()
    assert handler.logged_eval_results == {
        (str(ids[0]), "None"): [{"key": "right", "score": 1}],
        (str(ids[1]), "None"): [{"key": "right", "score": 0}],
    }
    assert not handler.futures


def test_evaluators_of_the_sdk_are_evaluators():
    @run_evaluator
    def by_the_sdk(run, example):
        return {"key": "by the SDK", "score": run.outputs["answer"]}

    handler = EvaluatorCallbackHandler([by_the_sdk], example_id=str(EXAMPLE))
    run_id = answer(handler)
    handler.wait_for_futures()
    [result] = handler.logged_eval_results[str(run_id), str(EXAMPLE)]
    assert isinstance(result, EvaluationResult)
    assert (result.key, result.score) == ("by the SDK", 4)


def test_feedback_goes_through_the_client_with_the_example_and_the_evaluators_trace():
    client = Client()
    traced = []

    def evaluate(run, example):
        run_inside = CallbackManager.configure().on_chain_start({"name": "judge"}, {})
        run_inside.on_chain_end({"ok": True})
        traced.append(run_inside.run_id)
        return {"results": [right(run, example), {"key": "x", "target_run_id": UUID(int=9)}]}

    handler = EvaluatorCallbackHandler([evaluate], client, EXAMPLE, project_name="judges")
    run_id = answer(handler)
    handler.wait_for_futures()
    (first, key, told), (second, *_) = client.feedback
    assert (first, key, told["score"], second) == (run_id, "right", 1, UUID(int=9))
    assert (told["feedback_source_type"], told["source_run_id"]) == ("model", traced[0])
    assert client.operations[0]["project_name"] == "judges"
    assert client.operations[0]["tags"] == ["eval"]
    assert set(handler.logged_eval_results) == {
        (str(run_id), str(EXAMPLE)),
        (str(UUID(int=9)), str(EXAMPLE)),
    }


def test_traces_that_failed_or_returned_nothing_are_left_out_unless_wanted():
    seen = []
    handler = EvaluatorCallbackHandler([lambda run, example: seen.append(run)], max_concurrency=0)
    answer(handler, outputs={})
    answer(handler, error=ValueError("no"))
    assert seen == []
    handler.skip_unfinished = False
    answer(handler, error=ValueError("no"))
    assert len(seen) == 1


def test_an_evaluator_that_fails_is_logged_and_the_others_go_on(caplog):
    def fail(run, example):
        raise ValueError("can't judge")

    handler = EvaluatorCallbackHandler([fail, lambda run, example: 5, right])
    run_id = answer(handler)
    with caplog.at_level(logging.ERROR):
        handler.wait_for_futures()
    assert "can't judge" in caplog.text
    assert "must return a result, with a key" in caplog.text
    assert len(handler.logged_eval_results[str(run_id), "None"]) == 1


def test_no_more_evaluations_than_allowed_go_on_at_once():
    going, most, lock = [0], [0], threading.Lock()
    both = threading.Barrier(2, timeout=10)

    def slow(run, example):
        with lock:
            going[0] += 1
            most[0] = max(most[0], going[0])
        both.wait()
        with lock:
            going[0] -= 1
        return {"key": "slow"}

    handler = EvaluatorCallbackHandler([slow] * 6, max_concurrency=2)
    run_id = answer(handler)
    wait_for_all_evaluators()
    assert len(handler.logged_eval_results[str(run_id), "None"]) == 6
    assert most[0] == 2


def test_without_concurrency_the_application_waits():
    threads = []

    def evaluate(run, example):
        threads.append(threading.current_thread())
        return {"key": "here"}

    answer(EvaluatorCallbackHandler([evaluate], max_concurrency=0))
    assert threads == [threading.current_thread()]
    with pytest.raises(BadOptionError, match="from 0 on"):
        EvaluatorCallbackHandler([], max_concurrency=-1)


def test_a_handler_and_its_threads_go_when_nobody_has_it():
    handler = EvaluatorCallbackHandler([right], max_concurrency=1)
    answer(handler)
    handler.wait_for_futures()
    gone, threads = weakref.ref(handler), handler.executor
    del handler
    gc.collect()
    assert gone() is None
    with pytest.raises(RuntimeError, match="shutdown"):
        threads.submit(print)
