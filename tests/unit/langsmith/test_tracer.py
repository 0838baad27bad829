"""The tracer that ships runs: what it sends when, and what it says of them."""

import sys
from uuid import UUID

import pytest

import callboard
from callboard.callbacks import AsyncCallbackManager, CallbackManager
from callboard.environment import reload_environment
from callboard.errors import NoTracedRunError, UnknownRunError
from callboard.export import Exporter, MemorySink
from callboard.langsmith.exporters import set_default_exporter
from callboard.langsmith.tracer import LangChainTracer
from callboard.payloads import AIMessage, ChatGeneration, Generation, HumanMessage, LLMResult
from callboard.testing import CountingIds, StepClock, clock_from, ids_from
from callboard.wire.operations import PARTS
from tests.unit.langsmith.sending import Recording

EXAMPLE = UUID(int=7)
ONE, TWO = UUID(int=1), UUID(int=2)


@pytest.fixture
def sent():
    return Recording()


@pytest.fixture
def manager(sent):
    return CallbackManager.configure([LangChainTracer(destination=sent)])


def usage(given, returned, **details):
    told = {"input_tokens": given, "output_tokens": returned, "total_tokens": given + returned}
    return {**told, **details}


def answered(*usages):
    return LLMResult([[ChatGeneration(AIMessage("x", usage_metadata=each))] for each in usages])


def test_a_run_is_sent_when_it_starts_and_again_when_it_ends(manager, sent):
    with clock_from(StepClock()), ids_from(CountingIds()):
        outer = manager.on_chain_start({"name": "agent"}, {"question": "?"}, name="agent")
        assert sent.told() == ["create agent"]
        inner = outer.get_child().on_tool_start({}, "two", name="search")
        inner.on_tool_error(ValueError("no"))
        outer.on_chain_end({"answer": "!"})
    assert sent.told() == ["create agent", "create search", "update search", "update agent"]
    create, update = sent.of("agent"), sent.of("agent", "update")
    assert create.run_id == update.run_id == ONE
    assert create.parts["inputs"] == {"question": "?"}
    assert "serialized" not in create.parts  # That is for models and prompts.
    assert "outputs" not in create.parts
    assert create.head.get("end_time") is None
    assert update.parts["outputs"] == {"answer": "!"}
    assert "inputs" not in update.parts
    assert update.head["end_time"] > create.head["start_time"]
    assert [event["name"] for event in update.parts["events"]] == ["start", "end"]
    failed = sent.of("search", "update")
    assert failed.parts["error"].startswith("ValueError('no')")
    assert failed.parts["outputs"] == {}
    for operation in sent.operations:
        assert {*operation.parts} <= {*PARTS}
        assert operation.head["trace_id"] == ONE
        assert operation.head["id"] == operation.run_id
    assert failed.head["parent_run_id"] == ONE
    assert failed.head["dotted_order"].startswith(f"{create.head['dotted_order']}.")
    assert sent.of("search").head["dotted_order"] == failed.head["dotted_order"]


def test_only_the_end_of_a_trace_is_urgent(manager, sent):
    outer = manager.on_chain_start({}, {}, name="outer")
    outer.get_child().on_tool_start({}, "", name="inner").on_tool_end(1)
    outer.on_chain_end({})
    assert sent.urgent == [False, False, False, True]


async def test_async_code_sends_the_same_in_the_same_order(sent):
    manager = AsyncCallbackManager.configure([LangChainTracer(destination=sent)])
    outer = await manager.on_chain_start({}, {}, name="outer")
    inner = await outer.get_child().on_tool_start({}, "", name="inner")
    await inner.on_tool_end(1)
    await outer.on_chain_end({})
    assert sent.told() == ["create outer", "create inner", "update inner", "update outer"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_run_whose_inputs_come_at_its_end_is_sent_once_with_them(manager, sent, fails):
    run = manager.on_chain_start({}, {"input": ""}, name="stream", defers_inputs=True)
    assert sent.operations == []
    if fails:
        run.on_chain_error(ValueError("no"), inputs={"input": "whole"})
    else:
        run.on_chain_end({"b": 2}, inputs={"input": "whole"})
    (operation,) = sent.operations
    assert operation.kind == "create"
    assert operation.parts["inputs"] == {"input": "whole"}
    assert operation.head["end_time"]
    assert ("error" if fails else "outputs") in operation.parts


@pytest.mark.parametrize("started_with", [{}, {"input": ""}])
def test_inputs_that_come_at_the_end_of_a_run_that_was_sent_are_sent_then(
    manager, sent, started_with
):
    run = manager.on_chain_start({}, started_with, name="stream")
    run.on_chain_end({}, inputs={"input": "whole"})
    assert sent.told() == ["create stream", "update stream"]
    assert sent.of("stream", "update").parts["inputs"] == {"input": "whole"}


def test_what_happens_to_values_after_the_call_does_not_show(manager, sent):
    inputs, outputs, metadata, tags = {"list": [1]}, {"list": [1]}, {"list": [1]}, ["t"]
    serialized, parameters = {"kwargs": {"list": [1]}}, {"stop": [1]}
    tracer_manager = CallbackManager.configure(
        manager, inheritable_metadata=metadata, inheritable_tags=tags
    )
    run = tracer_manager.on_chain_start(
        serialized, inputs, name="run", run_type="prompt", options=parameters
    )
    run.on_chain_end(outputs)
    for mine in (
        inputs["list"],
        outputs["list"],
        metadata["list"],
        tags,
        serialized["kwargs"]["list"],
        parameters["stop"],
    ):
        mine.append("later")
    create, update = sent.of("run"), sent.of("run", "update")
    assert create.parts["inputs"] == update.parts["outputs"] == {"list": [1]}
    assert create.parts["serialized"] == {"kwargs": {"list": [1]}}
    assert create.head["tags"] == update.head["tags"] == ["t"]
    for operation in (create, update):
        assert operation.parts["extra"]["metadata"]["list"] == [1]
        assert operation.parts["extra"]["options"] == {"stop": [1]}


def test_the_creation_does_not_change_with_what_happens_to_the_run(manager, sent):
    (run,) = manager.on_llm_start({}, ["hi"], name="model")
    create = sent.of("model")
    before = ([*create.parts["events"]], {**create.parts["extra"]})
    run.on_llm_new_token("x")
    run.on_llm_end(LLMResult([[Generation("x")]], {"token_usage": {"prompt_tokens": 1}}))
    assert (create.parts["events"], create.parts["extra"]) == before


def test_chat_models_are_told_apart_by_their_inputs_and_sent_as_models(manager, sent):
    (run,) = manager.on_chat_model_start({}, [[HumanMessage("hi")]], name="model")
    run.on_llm_end(answered(None))
    create = sent.of("model")
    assert create.head["run_type"] == "llm"
    assert create.parts["inputs"]["messages"][0][0]["kwargs"]["content"] == "hi"


def test_of_tokens_only_the_first_is_sent_for_its_time(manager, sent):
    (run,) = manager.on_llm_start({}, ["hi"], name="model")
    for token in "abc":
        run.on_llm_new_token(token)
    run.on_llm_end(LLMResult([[Generation("abc")]]))
    events = sent.of("model", "update").parts["events"]
    assert [event["name"] for event in events] == ["start", "new_token", "end"]
    assert "kwargs" not in events[1]  # What it says is in the outputs.
    assert len(sent.operations) == 2


def test_the_usage_of_all_generations_is_added_up_in_the_metadata(manager, sent):
    (run,) = manager.on_chat_model_start({}, [["hi"]], name="model")
    run.on_llm_end(
        answered(
            usage(3, 4, input_token_details={"cache_read": 2}),
            None,
            usage(30, 40, input_token_details={"cache_read": 20}),
        )
    )
    update = sent.of("model", "update")
    assert update.parts["extra"]["metadata"]["usage_metadata"] == usage(
        33, 44, input_token_details={"cache_read": 22}
    )
    assert "usage_metadata" not in sent.of("model").parts["extra"].get("metadata", {})


def test_the_usage_of_langchains_messages_is_read_too(manager, sent):
    from langchain_core.messages import AIMessage as TheirMessage
    from langchain_core.outputs import ChatGeneration as TheirGeneration
    from langchain_core.outputs import LLMResult as TheirResult

    (run,) = manager.on_chat_model_start({}, [[]], name="model")
    message = TheirMessage("x", usage_metadata=usage(1, 2))
    run.on_llm_end(TheirResult(generations=[[TheirGeneration(message=message)]]))
    metadata = sent.of("model", "update").parts["extra"]["metadata"]
    assert metadata["usage_metadata"] == usage(1, 2)


def test_a_provider_that_tells_no_usage_adds_none(manager, sent):
    (run,) = manager.on_llm_start({}, ["hi"], name="model")
    run.on_llm_end(LLMResult([[Generation("x")]]))
    assert "usage_metadata" not in sent.of("model", "update").parts["extra"].get("metadata", {})


def test_tags_and_metadata_are_the_runs_first_and_then_the_tracers(sent):
    tracer = LangChainTracer(
        destination=sent, tags=["all", "own"], metadata={"kept": "tracer", "more": "tracer"}
    )
    manager = CallbackManager.configure(
        [tracer], inheritable_tags=["own"], inheritable_metadata={"kept": "run"}
    )
    manager.on_chain_start({}, {}, name="run").on_chain_end({})
    for operation in sent.operations:
        assert operation.head["tags"] == ["own", "all"]
        metadata = operation.parts["extra"]["metadata"]
        assert metadata == {"kept": "run", "more": "tracer"}


@pytest.mark.parametrize("example_id", [EXAMPLE, str(EXAMPLE)])
def test_an_example_is_run_by_the_root_alone(sent, example_id):
    manager = CallbackManager.configure([LangChainTracer(example_id, destination=sent)])
    outer = manager.on_chain_start({}, {}, name="outer")
    outer.get_child().on_tool_start({}, "", name="inner")
    assert sent.of("outer").head["reference_example_id"] == EXAMPLE
    assert sent.of("inner").head.get("reference_example_id") is None


def test_children_belong_to_their_parents_project(sent):
    tracer = LangChainTracer(project_name="outer's", destination=sent)
    run = CallbackManager.configure([tracer]).on_chain_start({}, {}, name="outer")
    other = LangChainTracer(
        project_name="other",
        destination=sent,
        run_map=tracer.run_map,
        order_map=tracer.order_map,
    )
    other.on_tool_start(None, "", run_id=TWO, parent_run_id=run.run_id, name="inner")
    assert sent.of("inner").head["session_name"] == "outer's"


def test_the_project_is_the_environments_if_none_is_given(environment, sent):
    assert LangChainTracer().project_name == "default"
    environment(LANGSMITH_PROJECT="mine")
    assert LangChainTracer().project_name == "mine"
    assert LangChainTracer(project_name="given").project_name == "given"


def test_each_run_says_what_it_runs_on(manager, sent):
    manager.on_chain_start({}, {}, name="run").on_chain_end({})
    for operation in sent.operations:
        runtime = operation.parts["extra"]["runtime"]
        assert runtime["sdk_version"] == callboard.__version__
        assert runtime["runtime_version"] == sys.version.split()[0]


def test_a_copy_with_defaults_is_the_same_tracer_for_its_runs(sent):
    tracer = LangChainTracer(EXAMPLE, "project", destination=sent, tags=["b"], metadata={"a": 1})
    twin = tracer.copy_with_metadata_defaults(metadata={"a": 2, "c": 3}, tags=["a", "b"])
    assert (twin.example_id, twin.project_name, twin.tags) == (EXAMPLE, "project", ["a", "b"])
    assert twin.tracing_metadata == {"a": 1, "c": 3}
    assert (tracer.tags, tracer.tracing_metadata) == (["b"], {"a": 1})
    assert twin.run_map is tracer.run_map
    assert twin.order_map is tracer.order_map
    tracer.on_chain_start(None, {}, run_id=ONE, name="outer")
    twin.on_tool_start(None, "", run_id=TWO, parent_run_id=ONE, name="inner")
    assert sent.of("inner").head["trace_id"] == ONE
    assert sent.of("inner").parts["extra"]["metadata"] == {"a": 1, "c": 3}


def test_a_copy_of_a_subclass_is_of_that_class(sent):
    class Mine(LangChainTracer):
        pass

    assert type(Mine(destination=sent).copy_with_metadata_defaults()) is Mine


@pytest.mark.parametrize(
    ("held", "more", "both"),
    [
        (None, None, None),
        ({"a": 1}, None, {"a": 1}),
        (None, {"a": 1}, {"a": 1}),
        ({"a": 1}, {"a": 2, "b": 2}, {"a": 1, "b": 2}),
        ({"ls_agent_type": "root"}, {"ls_agent_type": "subagent"}, {"ls_agent_type": "subagent"}),
        ({"ls_agent_type": "root"}, {"b": 2}, {"ls_agent_type": "root", "b": 2}),
    ],
)
def test_the_first_value_holds_but_for_who_runs_where_the_nearest_does(held, more, both):
    twin = LangChainTracer(metadata=held).copy_with_metadata_defaults(metadata=more)
    assert twin.tracing_metadata == both
    if twin.tracing_metadata is not None:
        assert twin.tracing_metadata is not held
        assert twin.tracing_metadata is not more


def test_a_call_may_label_its_tracer_and_no_others(sent, environment):
    environment(LANGSMITH_TRACING="false")
    from callboard.callbacks.surroundings import surround_with_tracing

    surround_with_tracing()
    tracer = LangChainTracer(destination=sent)
    labelled = CallbackManager.configure(
        [tracer],
        langsmith_inheritable_metadata={"thread": "7"},
        langsmith_inheritable_tags=["labelled"],
    )
    outer = labelled.on_chain_start({}, {}, name="outer")
    outer.get_child().on_tool_start({}, "", name="inner")
    CallbackManager.configure([tracer]).on_chain_start({}, {}, name="other")
    for name in ("outer", "inner"):
        assert sent.of(name).parts["extra"]["metadata"]["thread"] == "7"
        assert sent.of(name).head["tags"] == ["labelled"]
    assert sent.of("other").head["tags"] == []
    assert outer.metadata == {}


def test_a_trace_is_sent_whole_or_not_at_all(environment, sent, manager):
    environment(LANGSMITH_TRACING_SAMPLING_RATE="0.5")
    for number in range(100):
        outer = manager.on_chain_start({}, {}, name=f"outer {number}")
        outer.get_child().on_tool_start({}, "", name=f"inner {number}").on_tool_end(1)
        outer.on_chain_end({})
    traces = {}
    for operation in sent.operations:
        traces.setdefault(operation.head["trace_id"], []).append(operation)
    assert {len(operations) for operations in traces.values()} == {4}
    assert 20 < len(traces) < 80


def started_and_ended(manager):
    run = manager.on_chain_start({}, {"secret": "in"}, name="run", options={"a": 1})
    run.on_chain_end({"secret": "out"})
    (model,) = manager.on_chat_model_start({}, [["secret in"]], name="model")
    model.on_llm_new_token("secret out")
    model.on_llm_end(answered(usage(1, 2)))


def test_hidden_inputs_do_not_leave_the_process(environment, sent, manager):
    environment(LANGSMITH_HIDE_INPUTS="true")
    started_and_ended(manager)
    assert "in" not in [operation.parts.get("inputs") for operation in sent.operations]
    assert sent.of("run").parts["inputs"] == {}
    assert sent.of("model").parts["inputs"] == {}
    assert sent.of("run", "update").parts["outputs"] == {"secret": "out"}


@pytest.mark.parametrize("defers", [False, True])
def test_nor_do_hidden_inputs_that_come_at_the_end(environment, sent, manager, defers):
    environment(LANGSMITH_HIDE_INPUTS="true")
    told = {"defers_inputs": True} if defers else {}
    run = manager.on_chain_start({}, {}, name="run", **told)
    run.on_chain_end({}, inputs={"secret": "in"})
    assert "secret" not in str([operation.parts for operation in sent.operations])


def test_hidden_outputs_do_not_leave_the_process(environment, sent, manager):
    environment(LANGSMITH_HIDE_OUTPUTS="true")
    started_and_ended(manager)
    assert sent.of("run").parts["inputs"] == {"secret": "in"}
    update = sent.of("model", "update")
    assert update.parts["outputs"] == {}
    assert [event["name"] for event in update.parts["events"]] == ["start", "new_token", "end"]
    assert "out" not in str([operation.parts for operation in sent.operations]).replace(
        "output", ""
    )


def test_of_hidden_metadata_only_the_usage_leaves_the_process(environment, sent, manager):
    environment(LANGSMITH_HIDE_METADATA="true")
    secret = CallbackManager.configure(manager, inheritable_metadata={"user": "secret"})
    (model,) = secret.on_chat_model_start({}, [["hi"]], name="model")
    model.on_llm_end(answered(usage(1, 2)))
    secret.on_chain_start({}, {}, name="run").on_chain_end({})
    said = {"callboard.redacted": {"hide_metadata": 1}}
    metadata = sent.of("model", "update").parts["extra"]["metadata"]
    assert metadata == {"usage_metadata": usage(1, 2)} | said
    assert sent.of("run").parts["extra"]["metadata"] == said


def test_the_latest_trace_has_an_address(environment, sent, manager):
    (tracer,) = manager.handlers
    with pytest.raises(NoTracedRunError, match="No trace has ended yet"):
        tracer.get_run_url()
    run = manager.on_chain_start({}, {}, name="outer")
    run.get_child().on_tool_start({}, "").on_tool_end(1)
    with pytest.raises(NoTracedRunError):
        tracer.get_run_url()
    run.on_chain_end({})
    assert tracer.get_run_url().endswith(f"/r/{run.run_id}")


def test_ended_traces_leave_nothing_behind(sent, manager):
    (tracer,) = manager.handlers
    for _ in range(10):
        run = manager.on_chain_start({}, {})
        run.get_child().on_tool_start({}, "").on_tool_end(1)
        run.on_chain_end({})
    assert tracer.run_map == {}
    assert tracer.latest_run.child_runs == []


def test_waiting_is_the_destinations_affair(sent):
    assert LangChainTracer(destination=sent).wait_for_futures(3.5) is True
    assert sent.flushed == [3.5]


def test_without_a_destination_the_processs_exporter_is_it():
    sink = MemorySink()
    exporter = Exporter(sink)
    assert set_default_exporter(exporter) is None
    tracer = LangChainTracer()
    tracer.on_chain_start(None, {}, run_id=ONE, name="run")
    assert tracer.wait_for_futures(10)
    assert [operation.run_id for operation in sink.operations] == [ONE]
    assert set_default_exporter(None) is exporter
    exporter.shutdown(5)


def test_a_destination_that_fails_does_not_break_the_application(caplog):
    class Failing(Recording):
        def submit(self, operation, *, urgent=False):
            raise OSError("gone")

    tracer = LangChainTracer(destination=Failing())
    run = CallbackManager([tracer]).on_chain_start({}, {})
    run.on_chain_end({})
    assert tracer.run_map == {}
    assert all("OSError('gone')" in record.message for record in caplog.records)


def test_what_a_server_is_told_of_a_failed_model_has_its_partial_answer(manager, sent):
    (model,) = manager.on_llm_start({}, ["hi"], name="model")
    model.on_llm_error(ValueError("cut"), response=LLMResult([[Generation("hel")]]))
    update = sent.of("model", "update")
    assert update.parts["error"].startswith("ValueError('cut')")
    assert update.parts["outputs"]["generations"][0][0]["text"] == "hel"


def test_the_environment_is_asked_again_after_it_was_reloaded(manager, sent, monkeypatch):
    manager.on_chain_start({}, {"a": 1}, name="shown")
    monkeypatch.setenv("LANGSMITH_HIDE_INPUTS", "true")
    reload_environment()
    manager.on_chain_start({}, {"a": 1}, name="hidden")
    assert sent.of("shown").parts["inputs"] == {"a": 1}
    assert sent.of("hidden").parts["inputs"] == {}


def test_of_streams_that_take_turns_the_first_token_of_each_is_recorded(manager, sent):
    runs = [manager.on_llm_start({}, ["hi"], name=name)[0] for name in ("one", "two")]
    for token in "abc":
        for run in runs:
            run.on_llm_new_token(token)
    for run in runs:
        run.on_llm_end(LLMResult([]))
    for name in ("one", "two"):
        _, first, _ = sent.of(name, "update").parts["events"]
        assert first["name"] == "new_token"


def test_a_token_after_the_end_is_of_no_run(sent):
    tracer = LangChainTracer(destination=sent)
    [run] = CallbackManager([tracer]).on_llm_start({}, ["hi"])
    run.on_llm_new_token("a")
    run.on_llm_end(LLMResult([]))
    with pytest.raises(UnknownRunError):
        tracer.on_llm_new_token("b", run_id=run.run_id)


def test_an_operation_that_is_read_late_tells_what_was_when_it_was_sent(sent):
    tracer = LangChainTracer(destination=sent)
    run = CallbackManager([tracer]).on_chain_start({}, {"a": 1}, name="x")
    held = tracer.run_map[str(run.run_id)]
    held.tags.append("later")
    held.extra["later"] = True
    held.name = "later"
    run.on_chain_end({"b": 2})
    create, update = sent.operations
    assert (create.head["name"], create.head["tags"]) == ("x", [])
    assert "later" not in create.parts["extra"]
    assert [event["name"] for event in create.parts["events"]] == ["start"]
    assert "outputs" not in create.parts
    assert (update.head["name"], update.head["tags"]) == ("later", ["later"])
    assert update.parts["extra"]["later"] is True


def test_an_object_that_a_chain_is_given_or_returns_stays_under_one_key(sent, manager):
    """Only a dictionary stands for itself; a message that is recorded as one does not."""
    run = manager.on_chain_start({}, HumanMessage("hi"), name="chain")
    run.on_chain_end(AIMessage("hello"))
    (given,) = sent.of("chain").parts["inputs"]
    (returned,) = sent.of("chain", "update").parts["outputs"]
    assert (given, returned) == ("input", "output")


def test_a_run_of_a_remote_parent_is_the_last_of_its_trace_here(sent):
    """Then a serverless process may be stopped, so all must be out."""
    tracer = LangChainTracer(destination=sent)
    tracer.order_map[TWO] = (ONE, f"20260101T000000000000Z{ONE}.20260101T000000000000Z{TWO}")
    manager = CallbackManager.configure([tracer])
    here = CallbackManager([tracer], parent_run_id=TWO).on_chain_start({}, {}, name="here")
    here.get_child().on_tool_start({}, "", name="inside").on_tool_end(1)
    here.on_chain_end({})
    alone = manager.on_chain_start({}, {}, name="alone")
    alone.on_chain_end({})
    urgent = [name for name, is_urgent in zip(sent.told(), sent.urgent, strict=True) if is_urgent]
    assert urgent == ["update here", "update alone"]
    assert sent.of("here").head["trace_id"] == ONE


def test_what_a_model_is_called_with_is_in_its_metadata_too(sent):
    tracer = LangChainTracer(destination=sent, metadata={"temperature": 0})
    options = {"model": "m", "temperature": 0.5, "tools": [{}], "stop": None}
    manager = CallbackManager.configure([tracer], inheritable_metadata={"model": "mine"})
    manager.on_llm_start({}, ["hi"], name="model", invocation_params=options)
    told = sent.of("model").parts["extra"]
    assert told["metadata"] | {"model": "mine", "temperature": 0, "stop": None} == told["metadata"]
    assert "tools" not in told["metadata"]
    assert told["invocation_params"] == options


def test_a_components_drawing_is_not_sent(manager, sent):
    manager.on_llm_start({"name": "model", "graph": {"nodes": []}}, ["hi"], name="model")
    assert sent.of("model").parts["serialized"] == {"name": "model"}


def test_what_a_start_tells_in_a_form_of_its_own_is_sent_all_the_same(sent, environment):
    environment(LANGSMITH_PROJECT="mine")
    tracer = LangChainTracer(destination=sent)
    tracer.on_llm_start("a model", ["hi"], run_id=ONE, name="model", metadata="none")
    assert sent.of("model").parts["extra"]["metadata"] == "none"
    assert "serialized" not in sent.of("model").parts


def test_a_run_under_way_does_not_hold_what_has_ended_inside_it(manager):
    (tracer,) = manager.handlers
    run = manager.on_chain_start({}, {})
    run.get_child().on_tool_start({}, "").on_tool_end(1)
    assert tracer.run_map[str(run.run_id)].child_runs == []


def test_a_subclass_that_is_given_traces_is_given_the_whole_of_them(sent):
    class Keeping(LangChainTracer):
        def _persist_run(self, run):
            self.kept = [child.name for child in run.child_runs]

    tracer = Keeping(destination=sent)
    run = CallbackManager.configure([tracer]).on_chain_start({}, {})
    run.get_child().on_tool_start({}, "", name="search").on_tool_end(1)
    run.on_chain_end({})
    assert tracer.kept == ["search"]
