"""What a handler says about itself: which events it ignores, and by which means it says so."""

import pytest

from callboard.callbacks import AsyncCallbackHandler, BaseCallbackHandler, CallbackManager
from callboard.events import EVENTS
from callboard.testing import RecordingHandler
from tests.unit.occasions import ahappen, happen

FLAGS = sorted({row.ignore for row in EVENTS.values() if row.ignore})
every_flag = pytest.mark.parametrize("flag", FLAGS)
heard_anyway = pytest.mark.parametrize(
    ("flag", "event"),
    [(flag, row.name) for row in EVENTS.values() for flag in FLAGS if flag != row.ignore],
)
silenced = pytest.mark.parametrize(
    ("flag", "event"),
    sorted((row.ignore, row.name) for row in EVENTS.values() if row.ignore),
)


def by_property(flag):
    return type("Ignores", (RecordingHandler,), {flag: property(lambda _: True)})()


def by_class_attribute(flag):
    return type("Ignores", (RecordingHandler,), {flag: True})()


def by_instance_attribute(flag):
    handler = RecordingHandler()
    setattr(handler, flag, True)
    return handler


ways = pytest.mark.parametrize("way", [by_property, by_class_attribute, by_instance_attribute])


def test_there_is_a_flag_for_every_kind_of_run_and_for_retries_and_custom_events():
    assert FLAGS == [
        "ignore_agent",
        "ignore_chain",
        "ignore_chat_model",
        "ignore_custom_event",
        "ignore_llm",
        "ignore_retriever",
        "ignore_retry",
    ]


@every_flag
def test_a_handler_ignores_nothing_unless_it_says_so(flag):
    assert getattr(BaseCallbackHandler(), flag) is False
    assert getattr(AsyncCallbackHandler(), flag) is False


@ways
@silenced
async def test_a_flag_silences_its_events(way, flag, event):
    handler = way(flag)
    happen(event, handler)
    await ahappen(event, handler)
    assert event not in handler.events


@ways
@silenced
async def test_a_flag_silences_its_events_in_handlers_that_are_not_inline(way, flag, event):
    handler = way(flag)
    handler.run_inline = False
    await ahappen(event, handler)
    assert event not in handler.events


@ways
@heard_anyway
def test_a_flag_silences_no_other_events(way, flag, event):
    handler = way(flag)
    happen(event, handler)
    assert event in handler.events


def test_texts_cannot_be_ignored():
    handler = RecordingHandler()
    for flag in FLAGS:
        setattr(handler, flag, True)
    happen("on_text", handler)
    assert handler.events == ["on_text"]


def test_a_flag_may_change_its_mind_during_a_run():
    class Sometimes(RecordingHandler):
        ears_shut = False

        @property
        def ignore_chain(self):
            return self.ears_shut

    handler = Sometimes()
    run = CallbackManager([handler]).on_chain_start({}, {})
    handler.ears_shut = True
    run.on_agent_finish({})
    run.on_chain_error(ValueError())
    handler.ears_shut = False
    run.on_chain_end({})
    assert handler.events == ["on_chain_start", "on_agent_finish", "on_chain_end"]


def test_a_flag_of_one_instance_is_not_its_neighbours():
    deaf, hearing = RecordingHandler(), RecordingHandler()
    deaf.ignore_chain = True
    CallbackManager([deaf, hearing]).on_chain_start({}, {})
    assert (deaf.events, hearing.events) == ([], ["on_chain_start"])


def test_any_true_value_silences():
    handler = RecordingHandler()
    handler.ignore_chain = "yes"
    happen("on_chain_start", handler)
    assert handler.events == []


def test_a_flag_is_not_asked_for_by_an_event_that_the_handler_never_overrode():
    class Asked(BaseCallbackHandler):
        @property
        def ignore_chain(self):
            raise AssertionError("asked")

    handler = Asked()
    handler.raise_error = True
    happen("on_chain_start", handler)


async def test_a_flag_that_fails_is_reported_like_any_other_fault_of_a_handler(caplog):
    class Fails(RecordingHandler):
        @property
        def ignore_chain(self):
            raise RuntimeError("flag out of order")

    handler, other = Fails(), RecordingHandler()
    happen("on_chain_start", handler, other)
    await ahappen("on_chain_start", handler, other)
    assert handler.events == []
    assert other.events == ["on_chain_start"] * 2
    assert [record.getMessage() for record in caplog.records] == [
        "Fails.on_chain_start failed: RuntimeError('flag out of order')"
    ] * 2
