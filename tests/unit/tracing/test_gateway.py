"""What a gateway says of a model's call is in the run's metadata."""

from uuid import uuid4

import pytest

from callboard.callbacks import CallbackManager
from callboard.payloads import AIMessage, ChatGeneration, LLMResult
from callboard.tracers import RunCollectorCallbackHandler

REQUESTED = {"ls_model_name": "asked for", "ls_provider": "asked", "custom": "kept"}


def answered(told, *, fails=False):
    """Have a model answer with what the gateway said, and return its run."""
    collector = RunCollectorCallbackHandler()
    manager = CallbackManager([collector], metadata=REQUESTED)
    (model,) = manager.on_llm_start({}, ["hi"])
    info = None if told is None else {"lc_gateway_metadata": told}
    response = LLMResult([[ChatGeneration(AIMessage("hello"), generation_info=info)]])
    if fails:
        model.on_llm_error(TimeoutError("late"), response=response)
    else:
        model.on_llm_end(response)
    (run,) = collector.traced_runs
    return run


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_that_answered_counts_more_than_the_one_asked_for(fails):
    told = {"model": " real ", "provider": "somebody", "region": "eu"}
    assert answered(told, fails=fails).metadata == {
        "ls_model_name": "real",
        "ls_provider": "somebody",
        "custom": "kept",
        "ls_gateway_info": told,
    }


@pytest.mark.parametrize("told", [{}, {"model": None, "provider": 7}, {"model": "  "}])
def test_what_names_no_model_is_kept_and_replaces_nothing(told):
    assert answered(told).metadata == {**REQUESTED, "ls_gateway_info": told}


@pytest.mark.parametrize("told", [None, "text", 3])
def test_without_a_gateway_the_metadata_stay_as_they_are(told):
    assert answered(told).metadata == REQUESTED


def test_metadata_that_others_hold_are_not_changed():
    held = dict(REQUESTED)
    collector = RunCollectorCallbackHandler()
    collector.on_llm_start({}, ["hi"], run_id=(run_id := uuid4()), metadata=held)
    told = {"lc_gateway_metadata": {"model": "real"}}
    collector.on_llm_end(
        LLMResult([[ChatGeneration(AIMessage("x"), generation_info=told)]]), run_id=run_id
    )
    assert held == REQUESTED
