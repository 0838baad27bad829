"""The event stream as a handler: what each event says, for runs of every kind."""

import copy

import pytest

from callboard.callbacks import CallbackManager
from callboard.errors import BadOptionError
from callboard.payloads import AIMessage, ChatGeneration, Document, Generation
from callboard.testing import CountingIds, ids_from
from callboard.tracers.event_stream import EventStream
from tests.unit.tracing.keeping import ANSWER, CHAT_ANSWER, KINDS


async def told_by(call, **options):
    """Return the events of what a function does with a manager."""
    stream = EventStream(**options)
    with ids_from(CountingIds()):
        call(
            CallbackManager.configure(
                [stream], inheritable_tags=["t"], local_metadata={"user": "u"}
            )
        )
    stream.close()
    return [event async for event in stream]


def every_kind(manager):
    root = manager.on_chain_start({"name": "desk"}, {"question": "?"})
    inner = root.get_child()
    for event, (given, _, end, answer) in KINDS.items():
        runs = getattr(inner, event)({"name": event}, given)
        run = runs[0] if isinstance(runs, list) else runs
        getattr(run, f"{end}_end")(answer)
    root.on_chain_end({"answer": "!"})


async def test_runs_of_every_kind_tell_start_and_end_with_inputs_and_outputs():
    events = await told_by(every_kind)
    assert [event["event"] for event in events[1:-1]] == [
        f"on_{kind}_{what}"
        for kind in ("llm", "chat_model", "chain", "tool", "retriever")
        for what in ("start", "end")
    ]
    data = {event["event"]: event["data"] for event in events[1:-1]}
    llm_output = {"text": "hello", "generation_info": None, "type": "Generation"}
    assert data["on_llm_start"] == {"input": {"prompts": ["hi"]}}
    assert data["on_llm_end"]["output"]["generations"] == [[llm_output]]
    assert data["on_llm_end"]["output"]["llm_output"] == {"model": "m"}
    assert data["on_chat_model_start"] == {"input": {"messages": [["hi"]]}}
    assert data["on_chat_model_end"]["output"] == AIMessage("hello")
    assert data["on_chain_end"] == {"input": {"question": "?"}, "output": {"answer": "!"}}
    assert data["on_tool_end"] == {"input": "two", "output": 2}
    assert data["on_retriever_end"]["output"] == [Document("she")]
    assert data["on_retriever_end"]["input"] == {"query": "who"}


async def test_an_event_says_whose_it_is_and_where():
    first, second, *_ = await told_by(every_kind)
    root_id, run_id = (f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 2))
    assert first == {
        "event": "on_chain_start",
        "data": {"input": {"question": "?"}},
        "name": "desk",
        "run_id": root_id,
        "tags": ["t"],
        "metadata": {"user": "u"},
        "parent_ids": [],
    }
    assert (second["run_id"], second["parent_ids"]) == (run_id, [root_id])


async def test_tokens_are_chunks():
    def stream(manager):
        [model] = manager.on_chat_model_start({}, [["hi"]])
        message = AIMessage("he")
        model.on_llm_new_token("he", chunk=ChatGeneration(message))
        model.on_llm_new_token("llo")
        model.on_llm_end(CHAT_ANSWER)
        model.on_llm_new_token("too late")
        [model] = manager.on_llm_start({}, ["hi"])
        model.on_llm_new_token("x", chunk=Generation("x"))
        model.on_llm_end(ANSWER)

    events = await told_by(stream)
    chunks = [event["data"]["chunk"] for event in events if event["event"].endswith("_stream")]
    assert chunks == [AIMessage("he"), "llo", Generation("x")]
    assert events[1]["event"] == "on_chat_model_stream"


async def test_a_chain_may_say_what_it_is_and_tell_its_input_at_the_end():
    def prompt(manager):
        run = manager.on_chain_start({"id": ["a", "Prompt"]}, {"input": ""}, run_type="prompt")
        run.on_chain_end("text", inputs={"x": 0})

    start, end = await told_by(prompt)
    assert (start["event"], start["name"], start["data"]) == ("on_prompt_start", "Prompt", {})
    assert end["data"] == {"input": {"x": 0}, "output": "text"}


async def test_inputs_that_are_false_are_inputs():
    for given in (0, "", []):
        events = await told_by(
            lambda manager, given=given: manager.on_chain_start({}, given).on_chain_end(given)
        )
        assert [event["data"].get("input") for event in events] == [given, given]


async def test_runs_that_fail_say_so():
    error = ValueError("no")

    def fail(manager):
        root = manager.on_chain_start({}, {"a": 1})
        inner = root.get_child()
        tool = inner.on_tool_start({}, "two", tool_call_id="call-1")
        tool.on_tool_error(error)
        inner.on_retriever_start({}, "who").on_retriever_error(error)
        [model] = inner.on_llm_start({}, ["hi"])
        model.on_llm_error(error)
        root.on_chain_error(error)

    events = [event for event in await told_by(fail) if event["event"].endswith("_error")]
    assert [event["event"] for event in events] == [
        f"on_{kind}_error" for kind in ("tool", "retriever", "llm", "chain")
    ]
    assert events[0]["data"] == {"error": error, "input": "two", "tool_call_id": "call-1"}
    assert events[-1]["data"] == {"error": error, "input": {"a": 1}}


async def test_custom_events_belong_to_a_run_and_are_chosen_by_their_own_name():
    def custom(manager):
        root = manager.on_chain_start({}, {}, name="root")
        for handler in root.handlers:
            run_id = root.run_id
            handler.on_custom_event("progress", {"done": 1}, run_id=run_id, tags=["x"])

    [_, event] = await told_by(custom)
    assert (event["event"], event["name"], event["data"]) == (
        "on_custom_event",
        "progress",
        {"done": 1},
    )
    assert event["tags"] == ["x"]
    [event] = await told_by(custom, include_types=["progress"])
    assert event["name"] == "progress"


async def test_filters_choose_by_name_type_and_tag():
    async def names(**options):
        events = await told_by(every_kind, **options)
        return sorted(
            {event["event"].removesuffix("_start") for event in events if "start" in event["event"]}
        )

    assert await names(include_types=["tool", "llm"]) == ["on_llm", "on_tool"]
    assert await names(include_names=["desk"]) == ["on_chain"]
    assert len(await names(include_tags=["t"])) == 5
    assert await names(include_tags=["t"], exclude_types=["chain", "tool", "retriever"]) == [
        "on_chat_model",
        "on_llm",
    ]
    assert await names(exclude_tags=["t"]) == []
    assert await names(include_tags=["other"]) == []


@pytest.mark.parametrize("wrong", [0, -1, True, "10", 1.5])
def test_a_bound_that_is_none_is_refused(wrong):
    with pytest.raises(BadOptionError, match="a number of events from 1 on"):
        EventStream(max_pending=wrong)


async def test_a_slow_reader_gets_fewer_and_larger_chunks_and_misses_nothing():
    def stream(manager):
        root = manager.on_chain_start({}, {}, name="root")
        models = [root.get_child().on_llm_start({}, ["hi"])[0] for _ in "ab"]
        for number in range(1000):
            for model in models:
                model.on_llm_new_token(f"{number} ")
        for model in models:
            model.on_llm_end(ANSWER)
        root.on_chain_end({})

    events = await told_by(stream, max_pending=10)
    assert len(events) < 20
    texts = {}
    for event in events:
        if event["event"] == "on_llm_stream":
            texts[event["run_id"]] = texts.get(event["run_id"], "") + event["data"]["chunk"]
    assert list(texts.values()) == ["".join(f"{n} " for n in range(1000))] * 2
    assert [event["event"] for event in events[-3:]] == ["on_llm_end", "on_llm_end", "on_chain_end"]


async def test_chunks_that_do_not_add_up_are_not_added_up():
    stream = EventStream(max_pending=1)
    run = CallbackManager.configure([stream]).on_chain_start({}, {})
    pieces = [1, 2, "a", "b", None, "c"]
    assert list(stream.tap_output_iter(run.run_id, iter(pieces))) == pieces
    run.on_chain_end({})
    stream.close()
    events = [event async for event in stream]
    assert [event["data"]["chunk"] for event in events[1:-1]] == [1, 2, "ab", None, "c"]


async def test_what_happens_between_chunks_stays_between_them():
    stream = EventStream(max_pending=1)
    run = CallbackManager.configure([stream]).on_chain_start({}, {})
    list(stream.tap_output_iter(run.run_id, iter("ab")))
    stream._tapped.clear()
    stream.on_custom_event("middle", None, run_id=run.run_id)
    list(stream.tap_output_iter(run.run_id, iter("cd")))
    stream.close()
    events = [event async for event in stream]
    assert [event["data"] for event in events[1:]] == [{"chunk": "ab"}, None, {"chunk": "cd"}]


async def test_output_that_passes_by_is_told_once_however_often_it_is_tapped():
    stream = EventStream()
    run = CallbackManager.configure([stream]).on_chain_start({}, {})

    async def pieces():
        for piece in "abc":
            yield piece

    inner = stream.tap_output_aiter(run.run_id, pieces())
    assert [piece async for piece in stream.tap_output_aiter(run.run_id, inner)] == ["a", "b", "c"]
    stream.close()
    events = [event async for event in stream]
    assert [event["data"]["chunk"] for event in events[1:]] == ["a", "b", "c"]


def test_output_of_a_run_that_has_ended_passes_whole():
    stream = EventStream()
    run = CallbackManager.configure([stream]).on_chain_start({}, {})
    run.on_chain_end({})
    assert list(stream.tap_output_iter(run.run_id, iter("abc"))) == ["a", "b", "c"]


async def test_what_is_heard_of_unknown_runs_is_passed_over(caplog):
    stream, other = EventStream(), EventStream()
    run = CallbackManager.configure([other]).on_chain_start({}, {})
    run.handlers.append(stream)
    run.on_chain_end({})
    stream.on_llm_end(ANSWER, run_id=run.run_id)
    stream.on_tool_error(ValueError(), run_id=run.run_id)
    stream.close()
    assert [event async for event in stream] == []
    assert not caplog.records


async def test_a_run_inside_itself_is_said_to_be_wrong(caplog):
    stream = EventStream()
    root = CallbackManager.configure([stream]).on_chain_start({}, {})
    root.get_child().on_chain_start({}, {}, run_id=root.run_id)
    assert "an id has been used for two runs" in caplog.text
    stream.close()
    assert len([event async for event in stream]) == 1


def test_copies_tell_the_same_reader():
    stream = EventStream()
    assert copy.copy(stream) is copy.deepcopy(stream) is stream


async def test_runs_that_never_end_are_let_go(monkeypatch):
    monkeypatch.setattr("callboard.tracing.event_stream.MAX_RUNS", 10)
    stream = EventStream()
    manager = CallbackManager.configure([stream])
    for _ in range(50):
        manager.on_chain_start({}, {})
    assert len(stream.run_map) == 10
