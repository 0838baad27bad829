"""Runs: their ids, what their children inherit, who hears the rest of them."""

from uuid import UUID, uuid4

import pytest

from callboard import callbacks
from callboard.callbacks import (
    AsyncCallbackManager,
    AsyncRunManager,
    BaseCallbackHandler,
    BaseRunManager,
    CallbackManager,
    ParentRunManager,
    RunManager,
)
from callboard.testing import CountingIds, RecordingHandler, ids_from
from tests.unit.occasions import STARTS

RUN_KINDS = [
    f"{colour}CallbackManagerFor{kind}Run"
    for colour in ("", "Async")
    for kind in ("Chain", "LLM", "Retriever", "Tool")
]
PARENTS = [name for name in RUN_KINDS if "LLM" not in name]
STATE = (
    "run_id",
    "handlers",
    "inheritable_handlers",
    "parent_run_id",
    "tags",
    "inheritable_tags",
    "metadata",
    "inheritable_metadata",
)
every_start = pytest.mark.parametrize("start", sorted(STARTS))


def first(started):
    return started[0] if isinstance(started, list) else started


def begin(start, manager, **more):
    return first(getattr(manager, start)(*STARTS[start].given, **more))


async def abegin(start, manager, **more):
    return first(await getattr(manager, start)(*STARTS[start].given, **more))


# --- Starting -----------------------------------------------------------------------------------


@every_start
async def test_a_run_takes_the_id_it_is_given(start):
    run_id = uuid4()
    assert begin(start, CallbackManager([]), run_id=run_id).run_id == run_id
    assert (await abegin(start, AsyncCallbackManager([]), run_id=run_id)).run_id == run_id


@every_start
async def test_a_run_without_an_id_is_given_a_new_one_that_its_handlers_hear(start):
    recorder = RecordingHandler()
    with ids_from(CountingIds()):
        run = begin(start, CallbackManager([recorder]))
        arun = await abegin(start, AsyncCallbackManager([recorder]))
    assert (run.run_id, arun.run_id) == (UUID(int=1), UUID(int=2))
    assert [heard.run_id for heard in recorder.heard] == [UUID(int=1), UUID(int=2)]


@every_start
def test_a_made_id_is_a_uuid_of_version_7(start):
    assert begin(start, CallbackManager([])).run_id.version == 7


@pytest.mark.parametrize(
    ("start", "given"),
    [("on_llm_start", ["a", "b", "c"]), ("on_chat_model_start", [["a"], ["b"], ["c"]])],
)
async def test_of_several_prompts_the_first_gets_the_id_and_the_others_new_ones(start, given):
    run_id = UUID(int=99)
    recorder = RecordingHandler()
    with ids_from(CountingIds()):
        runs = getattr(CallbackManager([recorder]), start)({}, given, run_id=run_id)
        aruns = await getattr(AsyncCallbackManager([recorder]), start)({}, given, run_id)
    expected = [UUID(int=number) for number in (99, 1, 2, 99, 3, 4)]
    assert [run.run_id for run in (*runs, *aruns)] == expected
    assert [heard.run_id for heard in recorder.heard] == expected
    assert [heard.args[1] for heard in recorder.heard] == [[each] for each in given] * 2


@pytest.mark.parametrize("start", ["on_llm_start", "on_chat_model_start"])
async def test_no_prompts_make_no_runs(start):
    recorder = RecordingHandler()
    assert getattr(CallbackManager([recorder]), start)({}, []) == []
    assert await getattr(AsyncCallbackManager([recorder]), start)({}, []) == []
    assert recorder.events == []


@every_start
async def test_a_run_has_what_its_manager_has(start):
    handler, inherited, parent = BaseCallbackHandler(), BaseCallbackHandler(), uuid4()
    for kind, begun in ((CallbackManager, begin), (AsyncCallbackManager, abegin)):
        manager = kind(
            [handler, inherited],
            [inherited],
            parent,
            tags=["a"],
            inheritable_tags=["b"],
            metadata={"x": 1},
            inheritable_metadata={"y": 2},
        )
        run = begun(start, manager)
        run = await run if kind is AsyncCallbackManager else run
        assert {name: getattr(run, name) for name in STATE[1:]} == {
            "handlers": [handler, inherited],
            "inheritable_handlers": [inherited],
            "parent_run_id": parent,
            "tags": ["a"],
            "inheritable_tags": ["b"],
            "metadata": {"x": 1},
            "inheritable_metadata": {"y": 2},
        }


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        ("on_llm_start", "LLM"),
        ("on_chat_model_start", "LLM"),
        ("on_chain_start", "Chain"),
        ("on_tool_start", "Tool"),
        ("on_retriever_start", "Retriever"),
    ],
)
async def test_each_start_returns_the_run_manager_of_its_kind(start, kind):
    run = begin(start, CallbackManager([]))
    arun = await abegin(start, AsyncCallbackManager([]))
    assert type(run) is getattr(callbacks, f"CallbackManagerFor{kind}Run")
    assert type(arun) is getattr(callbacks, f"AsyncCallbackManagerFor{kind}Run")
    assert isinstance(run, RunManager)
    assert isinstance(arun, AsyncRunManager)


@pytest.mark.parametrize("start", ["on_tool_start", "on_retriever_start"])
async def test_the_parent_of_a_run_is_its_managers_whatever_the_start_is_told(start):
    own, other = uuid4(), uuid4()
    run = begin(start, CallbackManager([], None, own), parent_run_id=other)
    arun = await abegin(start, AsyncCallbackManager([], None, own), parent_run_id=other)
    assert (run.parent_run_id, arun.parent_run_id) == (own, own)


# --- Later ----------------------------------------------------------------------------------


async def test_a_handler_added_after_a_run_started_hears_the_rest_of_it():
    early, late, alate = RecordingHandler(), RecordingHandler(), RecordingHandler()
    manager = CallbackManager([early])
    run = manager.on_chain_start({}, {})
    manager.add_handler(late)
    run.on_chain_end({})
    assert late.events == ["on_chain_end"]

    amanager = AsyncCallbackManager([early])
    arun = await amanager.on_chain_start({}, {})
    amanager.add_handler(alate)
    await arun.on_chain_end({})
    assert alate.events == ["on_chain_end"]


async def test_a_handler_removed_after_a_run_started_hears_no_more_of_it():
    recorder = RecordingHandler()
    manager = CallbackManager([recorder])
    run = manager.on_chain_start({}, {})
    manager.remove_handler(recorder)
    run.on_chain_end({})
    assert recorder.events == ["on_chain_start"]


def test_a_handler_added_to_a_manager_without_any_hears_its_run():
    recorder, manager = RecordingHandler(), CallbackManager([])
    run = manager.on_chain_start({}, {})
    manager.add_handler(recorder)
    run.on_chain_end({})
    assert recorder.events == ["on_chain_end"]


class Vandal(BaseCallbackHandler):
    """Changes whatever it can lay its hands on."""

    run_inline = True

    def on_chain_start(self, serialized, inputs, *, tags, metadata, **kwargs):
        tags.append("poison")
        metadata["poison"] = True

    def on_chain_end(self, outputs, *, tags, **kwargs):
        tags.clear()


async def test_a_handler_that_changes_tags_and_metadata_cannot_poison_later_runs():
    recorder = RecordingHandler()
    for kind in (CallbackManager, AsyncCallbackManager):
        manager = kind(
            [Vandal()],
            [recorder],
            tags=["a"],
            inheritable_tags=["a"],
            metadata={"x": 1},
            inheritable_metadata={"x": 1},
        )
        for _ in range(2):
            run = manager.on_chain_start({}, {})
            run = await run if kind is AsyncCallbackManager else run
            ended = run.on_chain_end({})
            if kind is AsyncCallbackManager:
                await ended
            child = run.get_child()
            assert (child.tags, child.metadata) == (["a"], {"x": 1})
        assert (manager.tags, manager.metadata) == (["a"], {"x": 1})
        manager.set_handler(recorder)
        again = manager.on_chain_start({}, {})
        if kind is AsyncCallbackManager:
            await again
    for heard in recorder.heard:
        assert (heard.kwargs["tags"], heard.kwargs["metadata"]) == (["a"], {"x": 1})
    assert len(recorder.heard) == 2


def test_runs_of_one_start_do_not_share_tags_or_metadata():
    one, two = CallbackManager([], tags=["a"], metadata={"x": 1}).on_llm_start({}, ["1", "2"])
    one.tags.append("b")
    one.metadata["y"] = 2
    assert (two.tags, two.metadata) == (["a"], {"x": 1})


# --- Children ---------------------------------------------------------------------------------


@pytest.mark.parametrize("start", sorted(set(STARTS) - {"on_llm_start", "on_chat_model_start"}))
async def test_children_inherit_what_is_inheritable_and_nothing_else(start):
    own, inherited = BaseCallbackHandler(), BaseCallbackHandler()
    for kind, begun in ((CallbackManager, begin), (AsyncCallbackManager, abegin)):
        run = begun(
            start,
            kind(
                [own, inherited],
                [inherited],
                tags=["own", "inherited"],
                inheritable_tags=["inherited"],
                metadata={"own": 1, "inherited": 2},
                inheritable_metadata={"inherited": 2},
            ),
        )
        run = await run if kind is AsyncCallbackManager else run
        child = run.get_child()
        assert type(child) is kind
        assert {name: getattr(child, name) for name in STATE[1:]} == {
            "handlers": [inherited],
            "inheritable_handlers": [inherited],
            "parent_run_id": run.run_id,
            "tags": ["inherited"],
            "inheritable_tags": ["inherited"],
            "metadata": {"inherited": 2},
            "inheritable_metadata": {"inherited": 2},
        }


async def test_a_childs_tag_is_its_own():
    run = CallbackManager([], inheritable_tags=["a"]).on_chain_start({}, {})
    arun = await AsyncCallbackManager([], inheritable_tags=["a"]).on_chain_start({}, {})
    for each in (run, arun):
        child = each.get_child("step:1")
        assert child.tags == ["a", "step:1"]
        assert child.inheritable_tags == ["a"]
        assert each.get_child().tags == ["a"]


def test_an_inheritable_tag_given_to_a_child_again_stays_inheritable():
    run = CallbackManager([], inheritable_tags=["a"]).on_chain_start({}, {})
    assert run.get_child("a").inheritable_tags == ["a"]


def test_children_change_apart_from_their_run_and_each_other():
    run = CallbackManager([], inheritable_tags=["a"], inheritable_metadata={"x": 1}).on_chain_start(
        {}, {}
    )
    child, other = run.get_child(), run.get_child()
    child.add_handler(RecordingHandler())
    child.tags.append("b")
    child.inheritable_tags.append("b")
    child.metadata["y"] = 2
    child.inheritable_metadata["y"] = 2
    for untouched in (other, run.get_child()):
        assert untouched.handlers == []
        assert untouched.tags == untouched.inheritable_tags == ["a"]
        assert untouched.metadata == untouched.inheritable_metadata == {"x": 1}


def test_a_handler_that_was_passed_twice_is_inherited_once():
    one, two = BaseCallbackHandler(), BaseCallbackHandler()
    run = CallbackManager([], [one, two, one]).on_chain_start({}, {})
    child = run.get_child()
    assert (child.handlers, child.inheritable_handlers) == ([one, two], [one, two])


def test_a_chain_of_runs_is_heard_as_a_tree():
    recorder = RecordingHandler()
    manager = CallbackManager([recorder], [recorder])
    chain = manager.on_chain_start({"name": "agent"}, {})
    (model,) = chain.get_child().on_chat_model_start({"name": "model"}, [[("user", "hi")]])
    model.on_llm_end({"generations": []})
    tool = chain.get_child().on_tool_start({"name": "search"}, "query")
    inner = tool.get_child().on_retriever_start(None, "query", name="index")
    inner.on_retriever_error(OSError("offline"))
    chain.on_chain_end({})
    assert recorder.tree() == (
        "chain agent (ok)\n"
        "  chat_model model (ok)\n"
        "  tool search (running)\n"
        "    retriever index (error: OSError('offline'))"
    )


# --- Made by hand, and no-ops -------------------------------------------------------------------


@pytest.mark.parametrize("name", [*RUN_KINDS, "RunManager", "ParentRunManager", "BaseRunManager"])
def test_a_run_manager_may_be_made_by_hand(name):
    given = {
        "run_id": uuid4(),
        "handlers": [BaseCallbackHandler()],
        "inheritable_handlers": [BaseCallbackHandler()],
        "parent_run_id": uuid4(),
        "tags": ["a"],
        "inheritable_tags": ["b"],
        "metadata": {"x": 1},
        "inheritable_metadata": {"y": 2},
    }
    run = getattr(callbacks, name)(**given)
    assert {field: getattr(run, field) for field in STATE} == given


def test_run_managers_made_by_hand_tell_their_handlers():
    recorder, run_id = RecordingHandler(), uuid4()
    run = RunManager(run_id=run_id, handlers=[recorder], inheritable_handlers=[])
    run.on_text("text")
    run.on_retry({})
    parent = ParentRunManager(run_id=run_id, handlers=[], inheritable_handlers=[recorder])
    assert parent.get_child().parent_run_id == run_id
    assert recorder.events == ["on_text", "on_retry"]


@pytest.mark.parametrize("name", RUN_KINDS)
def test_a_no_op_manager_has_a_new_id_and_nothing_else(name):
    kind = getattr(callbacks, name)
    one, two = kind.get_noop_manager(), kind.get_noop_manager()
    assert type(one) is kind
    assert one.run_id != two.run_id
    assert [getattr(one, field) for field in STATE[1:]] == [[], [], None, [], [], {}, {}]
    one.handlers.append(BaseCallbackHandler())
    one.metadata["x"] = 1
    assert (two.handlers, two.metadata) == ([], {})


async def test_no_op_managers_may_be_told_anything():
    for name in RUN_KINDS:
        run = getattr(callbacks, name).get_noop_manager()
        sent = [run.on_text("text"), run.on_retry({})]
        sent += [
            getattr(run, method)("anything")
            for method in dir(run)
            if method.startswith("on_") and method.endswith(("_end", "_error", "_token"))
        ]
        for each in sent:
            if "Async" in name:
                await each
            else:
                assert each is None


@pytest.mark.parametrize("name", PARENTS)
def test_a_no_op_managers_children_are_told_to_nobody(name):
    run = getattr(callbacks, name).get_noop_manager()
    child = run.get_child("tag")
    assert (child.handlers, child.parent_run_id, child.tags) == ([], run.run_id, ["tag"])


@pytest.mark.parametrize("name", [name for name in RUN_KINDS if name.startswith("Async")])
def test_the_sync_manager_of_an_async_run_has_all_that_it_has(name):
    run = getattr(callbacks, name)(
        run_id=uuid4(),
        handlers=[BaseCallbackHandler()],
        inheritable_handlers=[BaseCallbackHandler()],
        parent_run_id=uuid4(),
        tags=["a"],
        inheritable_tags=["b"],
        metadata={"x": 1},
        inheritable_metadata={"y": 2},
    )
    sync = run.get_sync()
    assert type(sync) is getattr(callbacks, name.removeprefix("Async"))
    assert {field: getattr(sync, field) for field in STATE} == {
        field: getattr(run, field) for field in STATE
    }


def test_an_async_run_manager_that_cannot_say_its_sync_one_cannot_be_made():
    with pytest.raises(TypeError, match="get_sync"):
        AsyncRunManager(run_id=uuid4(), handlers=[], inheritable_handlers=[])


@pytest.mark.parametrize("name", RUN_KINDS)
def test_every_run_manager_is_a_base_run_manager(name):
    assert issubclass(getattr(callbacks, name), BaseRunManager)
