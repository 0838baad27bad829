"""The table of events."""

import pytest

from callboard.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from callboard.events import EVENTS, Event, named


def test_the_table_has_a_row_for_every_method_of_a_handler_and_no_other():
    methods = {name for name in dir(BaseCallbackHandler) if name.startswith("on_")}
    assert methods == set(EVENTS)
    assert all(EVENTS[name].name == name for name in EVENTS)


def test_the_table_cannot_be_changed():
    with pytest.raises(TypeError):
        EVENTS["on_own"] = EVENTS["on_text"]


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_a_row_closes_a_run_if_it_is_the_end_or_error_of_one(event):
    assert EVENTS[event].closes == event.endswith(("_end", "_error"))


def test_only_a_chat_models_start_has_a_fallback():
    fallbacks = {name: row.fallback for name, row in EVENTS.items() if row.fallback}
    assert fallbacks == {"on_chat_model_start": EVENTS["on_llm_start"]}


def test_a_row_prints_its_name():
    assert repr(EVENTS["on_llm_end"]) == "<Event on_llm_end>"


def test_a_known_event_of_its_own_flag_is_the_row_itself():
    assert named("on_llm_end", "ignore_llm") is EVENTS["on_llm_end"]


def test_a_known_event_under_another_flag_is_the_same_but_for_the_flag():
    row = named("on_chat_model_start", None)
    assert (row.name, row.ignore, row.closes) == ("on_chat_model_start", None, False)
    assert row.fallback is EVENTS["on_llm_start"]
    assert named("on_llm_end", "ignore_own").closes


def test_an_event_that_is_not_in_the_table_is_made_for_the_occasion():
    row = named("on_resume", "ignore_resume")
    assert isinstance(row, Event)
    assert (row.name, row.ignore, row.closes, row.fallback) == (
        "on_resume",
        "ignore_resume",
        False,
        None,
    )
    assert "on_resume" not in EVENTS


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_every_method_is_documented_once_for_both_colours(event):
    documented = getattr(BaseCallbackHandler, event).__doc__
    assert documented
    assert getattr(AsyncCallbackHandler, event).__doc__ == documented
