"""The tracer in LangChain's place: what subclasses override, and where runs go."""

import threading
from functools import reduce
from unittest.mock import create_autospec
from uuid import uuid4

import langsmith
import pytest
from langchain_core.exceptions import TracerException
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langsmith import run_trees
from langsmith.utils import LangSmithUserError

from callboard.callbacks import CallbackManager
from callboard.langchain.client import ExporterClient, exporter_client
from callboard.langchain.tracers import context
from callboard.langchain.tracers.evaluation import EvaluatorCallbackHandler
from callboard.langchain.tracers.langchain import LangChainTracer, get_client, log_error_once
from callboard.langsmith.tracer import LangChainTracer as Plain
from callboard.tracers import BaseTracer
from callboard.wire.operations import Operation, merge


@pytest.fixture
def client():
    return create_autospec(langsmith.Client, instance=True)


def told(sink, name):
    return [operation.head.get(name) for operation in sink.operations]


def test_what_is_sent_by_hand_meanwhile_is_not_what_is_told_of_the_end(sink):
    tracer = LangChainTracer()
    started = CallbackManager([tracer]).on_chain_start({}, {"q": 1})
    run = tracer.run_map[str(started.run_id)]
    run.add_outputs({"so far": 1})
    run.patch()
    started.on_chain_end({"a": 2})
    tracer.wait_for_futures(10)
    assert [each.kind for each in sink.operations] == ["create", "update", "update"]
    whole = reduce(merge, sink.operations)
    assert whole.parts["outputs"] == {"so far": 1, "a": 2}
    assert whole.head["end_time"] == run.end_time


def traced(tracer):
    """Have a tracer hear a chain with a model in it."""
    manager = CallbackManager([tracer], [tracer])
    chain = manager.on_chain_start({}, {"q": 1}, name="chain")
    (model,) = chain.get_child().on_llm_start({}, ["hi"], name="model")
    model.on_llm_end({"generations": []})
    chain.on_chain_end({"a": 2})
    tracer.wait_for_futures()


class Watching(LangChainTracer):
    """Overrides what vendors' tracers do, and goes on."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.called = []

    def _start_trace(self, run):
        self.called.append(f"start {run.name}")
        super()._start_trace(run)

    def _end_trace(self, run):
        self.called.append(f"end {run.name}")
        super()._end_trace(run)

    def _persist_run_single(self, run):
        self.called.append(f"post {run.name}")
        super()._persist_run_single(run)

    def _update_run_single(self, run):
        self.called.append(f"patch {run.name}")
        super()._update_run_single(run)

    def _persist_run(self, run):
        self.called.append(f"root {run.name}")
        super()._persist_run(run)


def test_what_a_subclass_overrides_is_called(sink):
    tracer = Watching()
    traced(tracer)
    assert tracer.called == [
        "start chain",
        "post chain",
        "start model",
        "post model",
        "patch model",
        "end model",
        "patch chain",
        "end chain",
        "root chain",
    ]
    assert told(sink, "name") == ["chain", "model"]


@pytest.mark.parametrize(
    ("step", "events"),
    [
        ("_create_chain_run", ("on_chain_start",)),
        ("_create_llm_run", ("on_llm_start",)),
        ("_create_tool_run", ("on_tool_start",)),
        ("_create_retrieval_run", ("on_retriever_start",)),
        ("_complete_chain_run", ("on_chain_start", "on_chain_end")),
        ("_complete_tool_run", ("on_tool_start", "on_tool_end")),
        ("_complete_retrieval_run", ("on_retriever_start", "on_retriever_end")),
        ("_errored_chain_run", ("on_chain_start", "on_chain_error")),
        ("_errored_tool_run", ("on_tool_start", "on_tool_error")),
        ("_errored_retrieval_run", ("on_retriever_start", "on_retriever_error")),
    ],
)
def test_a_step_that_a_subclass_overrides_makes_the_run(step, events):
    def marked(self, *args, **kwargs):
        run = getattr(BaseTracer, step)(self, *args, **kwargs)
        run.add_tags([step])
        return run

    kind = type("Marking", (BaseTracer,), {step: marked, "_persist_run": lambda _, run: None})
    tracer, run_id = kind(), uuid4()
    start, *end = events
    run = getattr(tracer, start)({}, ["given"], run_id=run_id)
    for name in end:
        run = getattr(tracer, name)(ValueError("no"), run_id=run_id)
    assert run.tags == [step]


def test_a_tracer_of_callboards_own_is_taken_for_langchains():
    assert isinstance(Plain(), LangChainTracer)
    assert not isinstance(Plain(), Watching)
    assert not isinstance(object(), LangChainTracer)


def test_without_a_client_runs_go_by_the_exporter(sink):
    traced(LangChainTracer(project_name="mine"))
    assert told(sink, "session_name") == ["mine"] * 2
    assert told(sink, "run_type") == ["chain", "llm"]


def test_they_go_by_a_client_that_is_given(sink, client):
    traced(LangChainTracer(client=client))
    assert [call.kwargs["name"] for call in client.create_run.mock_calls] == ["chain", "model"]
    assert client.update_run.call_count == 2
    assert client.flush.called
    assert not sink.operations


def test_they_go_by_the_client_that_the_program_has_configured(sink, client, monkeypatch):
    monkeypatch.setattr(run_trees, "_CLIENT", client)
    assert get_client() is client
    traced(LangChainTracer())
    assert client.create_run.call_count == 2
    assert not sink.operations


def test_they_go_by_the_client_of_the_context(sink, client):
    with langsmith.tracing_context(client=client, enabled=True, tags=["around"]):
        CallbackManager.configure().on_chain_start({}, {}).on_chain_end({})
    assert client.create_run.call_args.kwargs["tags"] == ["around"]
    assert not sink.operations


def test_inputs_are_sent_again_only_if_they_have_changed(client):
    tracer = LangChainTracer(client=client)
    traced(tracer)
    assert [call.kwargs["inputs"] for call in client.update_run.mock_calls] == [None, None]
    client.reset_mock()
    run = CallbackManager([tracer]).on_chain_start({}, {"q": 1})
    tracer.run_map[str(run.run_id)].add_inputs({"late": 2})
    run.on_chain_end({})
    assert client.update_run.call_args.kwargs["inputs"] == {"q": 1, "late": 2}


def test_a_run_that_is_sent_by_the_program_takes_the_same_way(sink):
    tracer = LangChainTracer()
    run = CallbackManager([tracer]).on_chain_start({}, {})
    held = [1]
    child = tracer.run_map[str(run.run_id)].create_child("by hand", inputs={"held": held})
    child.post()
    held.append(2)
    child.end(outputs={"o": 1})
    child.patch()
    tracer.wait_for_futures()
    _, created, updated = sink.operations
    assert (created.kind, updated.kind) == ("create", "update")
    assert created.head["name"] == "by hand"
    assert created.head["parent_run_id"] == run.run_id
    assert created.parts["inputs"] == {"held": [1]}
    assert updated.parts["outputs"] == {"o": 1}


def test_attachments_go_with_the_runs_of_the_sdk(sink, tmp_path):
    file = tmp_path / "note"
    file.write_bytes(b"on disk")
    run = langsmith.RunTree(
        name="r",
        ls_client=exporter_client(),
        dangerously_allow_filesystem=True,
        attachments={
            "bytes": ("text/plain", b"hello"),
            "file": ("text/plain", file),
            "missing": ("text/plain", tmp_path / "none"),
            "a text is no path": ("text/plain", str(file)),
        },
    )
    run.post()
    file.unlink()
    exporter_client().flush()
    (created,) = sink.operations
    assert created.attachments == {
        "bytes": ("text/plain", b"hello"),
        "file": ("text/plain", b"on disk"),
        "a text is no path": ("text/plain", str(file).encode()),
    }


def test_a_run_that_fails_is_told_of_to_every_replica(client):
    tracer = LangChainTracer(client=client)
    with langsmith.tracing_context(replicas=[{"project_name": "a"}, {"project_name": "b"}]):
        run = CallbackManager([tracer]).on_tool_start({}, "q", name="tool")
        run.on_tool_error(ValueError("no"))
    ends = client.update_run.call_args_list
    assert [(end.kwargs["session_name"], end.kwargs["outputs"]) for end in ends] == [
        ("a", {}),
        ("b", {}),
    ]
    assert all("ValueError" in end.kwargs["error"] for end in ends)


@pytest.mark.parametrize("replicas", [[], [{"project_name": "a"}, {"project_name": "b"}]])
def test_a_client_of_the_programs_is_given_what_may_leave_alone(
    client, sink, environment, replicas
):
    environment(CALLBOARD_REDACT="emails")
    own = create_autospec(langsmith.Client, instance=True)
    tracer = LangChainTracer(client=client)
    replicas = [*replicas, {"project_name": "c", "client": own}] if replicas else []
    with langsmith.tracing_context(replicas=replicas):
        manager = CallbackManager([tracer], [tracer], inheritable_tags=["to:ada@example.com"])
        run = manager.on_chain_start({}, {"to": "ada@example.com"}, name="chain")
        run.get_child().on_tool_start({}, "ada@example.com", name="tool").on_tool_end("ok")
        files = {"note": ("text/plain", b"ada@example.com")}
        run.on_chain_error(ValueError("ada@example.com"), attachments=files)
    calls = [*client.mock_calls, *own.mock_calls]
    assert len(calls) == 4 * (len(replicas) or 1)
    assert "ada@example.com" not in repr(calls)
    assert "<email>" in repr(calls)
    assert tracer.latest_run.ls_client is client
    assert not sink.operations


def test_the_environments_project_is_the_one_that_the_sdk_reads(environment, sink):
    environment(LANGSMITH_PROJECT="of the environment")
    tracer = LangChainTracer()
    assert tracer.project_name is None
    traced(tracer)
    assert set(told(sink, "session_name")) == {"of the environment"}


def test_runs_of_an_agent_go_to_its_address_in_no_project(sink):
    traced(LangChainTracer(address=langsmith.agent_address("some-agent", "local")))
    assert set(told(sink, "address")) == {"lrn:agents/some-agent/environments/local"}
    assert set(told(sink, "session_name")) == {None}
    assert set(told(sink, "trace_id")) == {sink.operations[0].run_id}


def test_an_address_that_is_no_agents_is_refused():
    with pytest.raises(LangSmithUserError):
        LangChainTracer(address={"kind": "EVALUATOR"})


def test_replicas_in_projects_of_one_server_have_ids_of_their_own(sink):
    tracer = LangChainTracer()
    replicas = [{"project_name": "first", "primary": True}, {"project_name": "second"}]
    with langsmith.tracing_context(replicas=replicas):
        traced(tracer)
    by_project = {"first": [], "second": []}
    for operation in sink.operations:
        by_project[operation.head["session_name"]].append(operation)
    for operations in by_project.values():
        chain, model, model_end, chain_end = operations
        assert model.head["parent_run_id"] == chain.run_id == model.head["trace_id"]
        assert model.head["dotted_order"].startswith(chain.head["dotted_order"] + ".")
        assert (model_end.run_id, chain_end.run_id) == (model.run_id, chain.run_id)
    assert by_project["first"][0].run_id != by_project["second"][0].run_id
    assert tracer.latest_run.id == by_project["first"][0].run_id


def test_runs_in_a_context_that_disables_tracing_are_not_sent(sink):
    with langsmith.tracing_context(enabled=False):
        traced(LangChainTracer())
    assert not sink.operations


def test_a_trace_is_sent_or_not_by_the_sdks_rule(environment, sink):
    environment(LANGSMITH_TRACING_SAMPLING_RATE="0")
    traced(LangChainTracer())
    assert not sink.operations


def test_the_exporters_client_is_one_and_starts_no_thread(sink):
    before = threading.active_count()
    assert get_client() is exporter_client() is get_client()
    assert isinstance(get_client(), ExporterClient)
    assert isinstance(get_client(), langsmith.Client)
    assert threading.active_count() == before


def test_an_event_of_a_run_that_nobody_started_is_langchains_error():
    with pytest.raises(TracerException, match="its start was not heard"):
        LangChainTracer().on_chain_end({}, run_id=uuid4())


def test_a_run_has_what_it_runs_on(sink):
    traced(LangChainTracer())
    runtime = sink.operations[0].parts["extra"]["runtime"]
    assert (runtime["library"], runtime["sdk"]) == ("langchain-core", "callboard-py")


def test_a_copy_for_a_call_inside_shares_the_tree(client):
    tracer = Watching(client=client, metadata={"a": 1, "ls_agent_type": "root"})
    twin = tracer.copy_with_metadata_defaults(
        metadata={"a": 2, "b": 2, "ls_agent_type": "sub"}, tags=["t"]
    )
    assert isinstance(twin, Watching)
    assert twin.tracing_metadata == {"a": 1, "b": 2, "ls_agent_type": "sub"}
    assert twin.run_map is tracer.run_map
    assert twin.client is client
    assert twin.tags == ["t"]


def test_the_first_token_is_known_while_a_model_runs():
    tracer = LangChainTracer(client=exporter_client())
    (run,) = CallbackManager([tracer]).on_llm_start({}, ["hi"])
    assert tracer.run_has_token_event_map == {}
    run.on_llm_new_token("a")
    run.on_llm_new_token("b")
    assert tracer.run_has_token_event_map == {str(run.run_id): True}


def test_what_a_failing_client_says_is_logged_once(client, caplog):
    for _ in range(2):
        log_error_once("post", ConnectionAbortedError("gone"))
    assert caplog.text.count("gone") == 1


def test_tracing_is_on_as_the_sdk_says(environment):
    assert not context._tracing_v2_is_enabled()
    environment(LANGSMITH_TRACING="true")
    assert context._tracing_v2_is_enabled()
    with langsmith.tracing_context(enabled=False):
        assert not context._tracing_v2_is_enabled()
        with context.tracing_v2_enabled():
            assert context._tracing_v2_is_enabled()


def test_an_operation_of_the_exporters_client_keeps_nothing_of_the_programs(sink):
    run = langsmith.RunTree(name="r", inputs={"lock": threading.Lock()}, ls_client=get_client())
    run.post()
    get_client().flush()
    (operation,) = sink.operations
    assert isinstance(operation, Operation)
    assert "lock" in operation.parts["inputs"]["lock"]


def test_what_evaluators_find_is_sent_by_the_client_that_runs_go_by(client, monkeypatch):
    monkeypatch.setattr(run_trees, "_CLIENT", client)
    seen = []

    def evaluate(run, example):
        seen.append(run)
        CallbackManager.configure().on_chain_start({}, {}, name="evaluator").on_chain_end({})
        return {"key": "right", "score": 1}

    handler = EvaluatorCallbackHandler([evaluate], max_concurrency=0)
    run = CallbackManager([handler]).on_chain_start({}, {"q": 1})
    run.on_chain_end({"a": 2})
    assert isinstance(seen[0], langsmith.RunTree)
    (feedback,) = client.create_feedback.call_args_list
    assert (feedback.args[:2], feedback.kwargs["score"]) == ((run.run_id, "right"), 1)
    traced = client.create_run.call_args.kwargs
    assert (traced["session_name"], traced["tags"]) == ("evaluators", ["eval"])
    assert feedback.kwargs["source_run_id"] == traced["id"]


def test_a_message_is_sent_by_its_fields_and_to_and_from_models_in_langchains_form(sink):
    manager = CallbackManager([tracer := LangChainTracer()])
    message = HumanMessage("hi")
    manager.on_chain_start({}, {"messages": [message]}).on_chain_end(message)
    (model,) = manager.on_chat_model_start({}, [[message]])
    model.on_llm_end(LLMResult(generations=[[ChatGeneration(message=AIMessage("hello"))]]))
    tracer.wait_for_futures()
    chain, chat = (operation.parts for operation in sink.operations)
    fields = message.model_dump(exclude_none=True)
    assert chain["inputs"] == {"messages": [fields]}
    assert chain["outputs"] == {"output": fields}
    assert chat["inputs"] == {"messages": [[dumpd(message)]]}
    assert chat["outputs"]["generations"][0][0]["message"]["lc"] == 1


def test_tags_keep_their_order(sink):
    tracer = LangChainTracer(tags=["z", "y"])
    CallbackManager([tracer], tags=["x"]).on_chain_start({}, {})
    tracer.wait_for_futures()
    assert sink.operations[0].head["tags"] == ["x", "z", "y"]


class Vendors(BaseTracer):
    """A tracer as OpenInference's is: with a map of its own, and LangChain's chat models."""

    def __init__(self):
        super().__init__()
        self.kept = []
        self.run_map = dict(self.run_map)
        self.order_map = dict(self.order_map)

    def on_chat_model_start(self, *args, **kwargs):
        return LangChainTracer.on_chat_model_start(self, *args, **kwargs)

    def _persist_run(self, run):
        self.kept.append(run)


def test_a_vendors_tracer_may_have_its_own_maps_and_borrow_the_start_of_chat_models():
    tracer = Vendors()
    run_map = tracer.run_map
    [run] = CallbackManager([tracer]).on_chat_model_start({"name": "m"}, [[HumanMessage("hi")]])
    assert list(run_map) == [str(run.run_id)]
    run.on_llm_end(LLMResult(generations=[], llm_output={"model": "m"}))
    assert run_map == {}
    [traced] = tracer.kept
    assert traced.run_type == "llm"
    assert traced.inputs == {"messages": [[dumpd(HumanMessage("hi"))]]}
    assert list(traced.outputs)[:2] == ["generations", "llm_output"]


def test_a_run_says_itself_what_it_runs_on():
    tracer = LangChainTracer()
    chain = CallbackManager([tracer]).on_chain_start({}, {}, name="chain")
    started = tracer.run_map[str(chain.run_id)]
    assert started.extra["runtime"]["library"] == "langchain-core"
    chain.on_chain_end({})
