"""Custom events: to the run that is named, or refused with a reason."""

from types import MappingProxyType
from uuid import uuid4

import pytest

from callboard.callbacks import (
    AsyncCallbackManager,
    CallbackManager,
    adispatch_custom_event,
    dispatch_custom_event,
)
from callboard.testing import CountingIds, RecordingHandler, ids_from


@pytest.fixture
def recorder():
    return RecordingHandler()


@pytest.fixture
def run(recorder):
    manager = CallbackManager(
        [recorder],
        [recorder],
        inheritable_tags=["a"],
        inheritable_metadata={"x": 1},
    )
    return manager.on_chain_start({}, {})


async def test_an_event_reaches_the_handlers_of_the_run_that_is_named(recorder, run):
    config = {"callbacks": run.get_child(), "tags": ["b"], "metadata": {"y": 2}}
    dispatch_custom_event("progress", {"done": 1}, config=config)
    await adispatch_custom_event("progress", {"done": 2}, config=config)
    _, *heard = recorder.heard
    assert [each.args for each in heard] == [
        ("progress", {"done": 1}),
        ("progress", {"done": 2}),
    ]
    for each in heard:
        assert each.kwargs == {
            "run_id": run.run_id,
            "tags": ["a", "b"],
            "metadata": {"x": 1, "y": 2},
        }


async def test_the_run_may_be_named_by_a_manager_of_the_other_colour(recorder, run):
    arun = await AsyncCallbackManager([recorder], [recorder]).on_chain_start({}, {})
    dispatch_custom_event("sync", None, config={"callbacks": arun.get_child()})
    await adispatch_custom_event("async", None, config={"callbacks": run.get_child()})
    assert [heard.run_id for heard in recorder.heard[-2:]] == [arun.run_id, run.run_id]


def test_any_mapping_does_for_a_config(recorder, run):
    dispatch_custom_event("e", 1, config=MappingProxyType({"callbacks": run.get_child()}))
    assert recorder.events[-1] == "on_custom_event"


async def test_a_manager_sends_an_event_for_the_run_it_is_given(recorder):
    run_id = uuid4()
    manager = CallbackManager([recorder], tags=["a"], metadata={"x": 1})
    manager.on_custom_event("sync", 1, run_id=run_id)
    amanager = AsyncCallbackManager([recorder], tags=["a"], metadata={"x": 1})
    await amanager.on_custom_event("async", 2, run_id)
    for heard in recorder.heard:
        assert heard.kwargs == {"run_id": run_id, "tags": ["a"], "metadata": {"x": 1}}


async def test_a_manager_makes_the_id_of_a_run_it_is_not_given(recorder):
    with ids_from(CountingIds()):
        CallbackManager([recorder]).on_custom_event("sync", 1)
        await AsyncCallbackManager([recorder]).on_custom_event("async", 2)
    assert [heard.run_id.int for heard in recorder.heard] == [1, 2]


def test_handlers_get_copies_of_tags_and_metadata():
    class Vandal(RecordingHandler):
        def on_custom_event(self, name, data, *, tags, metadata, **kwargs):
            tags.append("poison")
            metadata["poison"] = True

    manager = CallbackManager([Vandal()], tags=["a"], metadata={"x": 1})
    manager.on_custom_event("event", None)
    assert (manager.tags, manager.metadata) == (["a"], {"x": 1})


async def test_without_handlers_an_event_goes_nowhere():
    CallbackManager([]).on_custom_event("event", None)
    await AsyncCallbackManager([]).on_custom_event("event", None)
