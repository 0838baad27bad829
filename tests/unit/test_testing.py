"""What the library offers to its users' own tests: a recorder, a clock, ids."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from callboard import clock, testing
from callboard.callbacks import AsyncCallbackManager, BaseCallbackHandler, CallbackManager
from callboard.events import EVENTS
from callboard.testing import (
    CountingIds,
    Heard,
    RecordingHandler,
    StepClock,
    clock_from,
    ids_from,
)
from tests.unit.occasions import happen


@pytest.fixture
def recorder():
    return RecordingHandler()


@pytest.fixture
def manager(recorder):
    return CallbackManager([recorder], [recorder])


def test_counting_ids_count():
    numbers = CountingIds()
    assert [str(numbers()) for _ in range(2)] == [
        "00000000-0000-0000-0000-000000000001",
        "00000000-0000-0000-0000-000000000002",
    ]
    assert CountingIds(255)() == UUID(int=255)


def test_counting_ids_count_on_between_threads():
    numbers = CountingIds()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: numbers().int, range(500)))
    assert sorted(made) == list(range(1, 501))


def test_a_step_clock_moves_when_it_is_read():
    readings = StepClock()
    assert [readings() for _ in range(3)] == [
        datetime(2025, 1, 1, 0, 0, second, tzinfo=UTC) for second in range(3)
    ]


def test_a_step_clock_starts_and_steps_as_it_is_told():
    readings = StepClock(datetime(2030, 5, 5, tzinfo=UTC), timedelta(minutes=1))
    readings()
    assert readings() == datetime(2030, 5, 5, 0, 1, tzinfo=UTC)


def test_the_clock_tells_the_time_in_utc():
    before = datetime.now(UTC)
    now = clock.now()
    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta(0)


def test_the_time_may_come_from_elsewhere_for_the_length_of_a_block(recorder, manager):
    before = datetime.now(UTC)
    with clock_from(StepClock()):
        manager.on_chain_start({}, {}).on_chain_end({})
        with suppress(LookupError), clock_from(lambda: datetime(1999, 12, 31, tzinfo=UTC)):
            manager.on_chain_start({}, {})
            raise LookupError
        manager.on_chain_start({}, {})
    manager.on_chain_start({}, {})
    *elsewhere, here = [heard.time for heard in recorder.heard]
    assert elsewhere == [
        datetime(2025, 1, 1, 0, 0, 0, tzinfo=UTC),
        datetime(2025, 1, 1, 0, 0, 1, tzinfo=UTC),
        datetime(1999, 12, 31, tzinfo=UTC),
        datetime(2025, 1, 1, 0, 0, 2, tzinfo=UTC),
    ]
    assert before <= here <= datetime.now(UTC)


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_the_recorder_hears_every_event(recorder, event):
    happen(event, recorder)
    assert event in recorder.events
    assert isinstance(recorder, BaseCallbackHandler)


def test_the_recorder_keeps_what_it_heard_and_in_which_thread(recorder, manager):
    run = manager.on_chain_start({"name": "a"}, {"b": 1}, name="c")
    heard = recorder.heard[0]
    assert isinstance(heard, Heard)
    assert heard.event == "on_chain_start"
    assert heard.args == ({"name": "a"}, {"b": 1})
    assert heard.kwargs["name"] == "c"
    assert heard.run_id == run.run_id
    assert heard.thread == threading.current_thread().name


async def test_the_recorder_hears_in_order_in_async_code_unless_told_otherwise():
    recorder = RecordingHandler()
    assert recorder.run_inline
    assert not RecordingHandler(run_inline=False).run_inline
    run = await AsyncCallbackManager([recorder]).on_chain_start({}, {})
    await run.on_chain_end({})
    assert recorder.events == ["on_chain_start", "on_chain_end"]


def test_a_whole_program_is_heard_the_same_every_time():
    def program():
        recorder = RecordingHandler()
        with ids_from(CountingIds()), clock_from(StepClock()):
            run = CallbackManager([recorder], [recorder]).on_chain_start({"name": "a"}, {})
            run.get_child().on_tool_start({"name": "b"}, "in").on_tool_end("out")
            run.on_chain_end({})
        return recorder.heard

    assert program() == program()


# --- The tree ---------------------------------------------------------------------------------


def test_nothing_heard_makes_an_empty_tree(recorder):
    assert recorder.tree() == ""


def test_the_tree_says_kind_name_and_end_of_each_run(recorder, manager):
    chain = manager.on_chain_start({"name": "agent"}, {})
    child = chain.get_child()
    (text,) = child.on_llm_start({"name": "davinci"}, ["hi"])
    text.on_llm_new_token("h")
    text.on_llm_end({})
    (chat,) = child.on_chat_model_start({"name": "gpt"}, [[("user", "hi")]])
    chat.on_llm_error(TimeoutError("too slow"))
    tool = child.on_tool_start({"name": "search"}, "query")
    retriever = tool.get_child().on_retriever_start(None, "query")
    retriever.on_retriever_end([])
    chain.on_text("not a run")
    chain.on_chain_end({})
    assert recorder.tree() == (
        "chain agent (ok)\n"
        "  llm davinci (ok)\n"
        "  chat_model gpt (error: TimeoutError('too slow'))\n"
        "  tool search (running)\n"
        "    retriever (ok)"
    )


def test_the_name_that_a_run_was_given_comes_before_its_components(recorder, manager):
    manager.on_chain_start({"name": "component"}, {}, name="given")
    assert recorder.tree() == "chain given (running)"


def test_runs_whose_parents_were_not_heard_are_roots(recorder):
    silent = CallbackManager([], [recorder]).on_chain_start({"name": "unheard"}, {})
    silent.get_child().on_chain_start({"name": "one"}, {})
    silent.get_child().on_chain_start({"name": "two"}, {}).on_chain_end({})
    assert recorder.tree() == "chain one (running)\nchain two (ok)"


def test_everything_it_offers_is_there():
    assert sorted(testing.__all__) == testing.__all__
    assert all(hasattr(testing, name) for name in testing.__all__)
