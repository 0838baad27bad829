"""Blocks that say where and how what they surround is traced."""

import asyncio
import gc

import pytest

import callboard
from callboard.callbacks import CallbackManager, trace_as_chain_group
from callboard.errors import BadTagsError
from callboard.instrument import (
    get_current_run_tree,
    get_tracing_context,
    trace,
    traceable,
    tracing_context,
)
from callboard.testing import RecordingHandler
from callboard.tracers.context import tracing_v2_enabled


@traceable
def leaf(x=None):
    return x


def projects(sent):
    return [each.head["session_name"] for each in sent.operations if each.kind == "create"]


def test_tracing_is_turned_on_by_a_block_a_function_or_the_environment(sent, monkeypatch):
    leaf()
    assert sent.operations == []
    with tracing_context(enabled=True):
        leaf()
    traceable(enabled=True, name="always")(leaf)()
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    callboard.reload_environment()
    leaf()
    assert [each.head["name"] for each in sent.operations if each.kind == "create"] == [
        "leaf",
        "always",
        "leaf",
        "leaf",
    ]


def test_nothing_is_traced_where_it_is_turned_off(sent):
    heard = RecordingHandler()

    @traceable(callbacks=[heard])
    def outer():
        with tracing_context(enabled=False):
            leaf()
            CallbackManager.configure().on_chain_start({}, {}).on_chain_end({})
            with trace_as_chain_group("group"):
                assert get_current_run_tree() is None
        leaf()

    with tracing_context(enabled=True):
        outer()
    assert heard.tree() == "chain outer (ok)\n  chain leaf (ok)"
    assert sent.told() == ["create outer", "create leaf", "update leaf", "update outer"]


def test_a_function_that_is_not_traced_leaves_what_it_calls_where_it_is():
    heard = RecordingHandler()
    hidden = traceable(enabled=False)(leaf)
    traceable(callbacks=[heard], name="outer")(hidden)()
    assert heard.tree() == "chain outer (ok)\n  chain leaf (ok)"


def test_the_project_is_the_roots_whoever_names_it(sent):
    own = traceable(project_name="own")(leaf)
    with tracing_context(enabled=True):
        own()
        own(langsmith_extra={"project_name": "call's"})
        with tracing_context(project_name="block's"):
            own()
        with trace("outer", project_name="outer's"):
            own()
    assert projects(sent) == [
        *["own"] * 2,
        *["call's"] * 2,
        *["block's"] * 2,
        *["outer's"] * 3,
    ]


def test_the_example_is_the_roots(sent):
    example = "00000000-0000-0000-0000-000000000007"
    with tracing_context(enabled=True):
        traceable(name="outer")(leaf)(langsmith_extra={"reference_example_id": example})
    assert str(sent.of("outer").head["reference_example_id"]) == example
    assert sent.of("leaf").head["reference_example_id"] is None


def test_a_client_can_be_named_to_send_through():
    made = []

    class Client:
        def create_run(self, **told):
            made.append(told["name"])

        def update_run(self, run_id, **told):
            made.append(told["name"])

    traceable(client=Client(), enabled=True, name="f")(lambda: None)()
    assert made == ["f", "f"]


def test_tags_and_metadata_are_added_to_all_inside():
    heard = RecordingHandler()
    outer = tracing_context(tags=["a"], metadata={"m": 1})
    with outer, tracing_context(tags=["b"], metadata={"n": 2}):
        leaf(langsmith_extra={"callbacks": [heard]})
        CallbackManager.configure([heard]).on_chain_start({}, {}).on_chain_end({})
    for start in (heard.heard[0], heard.heard[2]):
        assert start.kwargs["tags"] == ["a", "b"]
        assert start.kwargs["metadata"] == {"m": 1, "n": 2}
    with pytest.raises(BadTagsError), tracing_context(tags="one"):
        pass


def test_a_parent_can_be_named_and_be_none():
    heard = RecordingHandler()
    with trace("first", callbacks=[heard]) as first:
        pass
    with trace("second", callbacks=[heard]):
        with tracing_context(parent=first):
            leaf()
        with tracing_context(parent=False):
            assert get_current_run_tree() is None
            leaf(langsmith_extra={"callbacks": [heard]})
        with tracing_context(tags=["x"]):
            assert get_current_run_tree().name == "second"
            leaf()
    assert heard.tree() == (
        "chain first (ok)\n  chain leaf (ok)\nchain second (ok)\n  chain leaf (ok)\nchain leaf (ok)"
    )


def test_the_context_can_be_carried_to_a_thread():
    import threading

    heard = RecordingHandler()

    def work(context):
        with tracing_context(**context):
            leaf()

    with trace("outer", callbacks=[heard], metadata={"m": 1}):
        thread = threading.Thread(target=work, args=[get_tracing_context()])
        thread.start()
        thread.join()
    assert heard.tree() == "chain outer (ok)\n  chain leaf (ok)"
    assert heard.heard[1].kwargs["metadata"] == {"m": 1}
    assert set(get_tracing_context().values()) == {None}


def test_a_block_that_another_context_closes_is_not_left_in_force():
    import contextvars

    def abandoned():
        with tracing_context(enabled=False):
            yield

    generator = abandoned()
    next(generator)
    contextvars.Context().run(generator.close)
    assert get_tracing_context()["enabled"] is None


@pytest.mark.parametrize("block", [trace("block", callbacks=[]), tracing_context(tags=["t"])])
async def test_a_block_of_a_generator_that_the_loop_closes_is_not_left_in_force(block):
    heard = RecordingHandler()

    async def abandoned():
        with block:
            yield

    with trace("outer", callbacks=[heard]):
        async for _ in abandoned():
            break
        gc.collect()
        await asyncio.sleep(0.01)  # The loop closes it in a task of its own.
        leaf()
    assert "  chain leaf (ok)" in heard.tree().splitlines()
    assert "t" not in heard.heard[-2].kwargs["tags"]


def test_a_group_inside_a_traced_function_is_sent_once(sent, monkeypatch):
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("LANGSMITH_PROJECT", "mine")
    callboard.reload_environment()

    @traceable
    def outer():
        with trace_as_chain_group("group", project_name="another"):
            leaf()

    outer()
    assert sorted(sent.told()) == [
        f"{kind} {name}" for kind in ("create", "update") for name in ("group", "leaf", "outer")
    ]
    assert set(projects(sent)) == {"mine"}


def test_a_tracer_of_a_block_is_inherited_and_not_doubled_by_groups(sent):
    with tracing_v2_enabled("mine"):

        @traceable
        def outer():
            with trace_as_chain_group("group") as group:
                leaf()
                CallbackManager.configure(group).on_chain_start({}, {}, name="x").on_chain_end({})

        outer()
        asyncio.run(traceable(asyncio.sleep)(0))
    assert [each.head["name"] for each in sent.operations if each.kind == "create"] == [
        "outer",
        "group",
        "leaf",
        "x",
        "sleep",
    ]
    assert set(projects(sent)) == {"mine"}
