"""Runs told to Sentry: what the client sends, read off its transport."""

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("sentry_sdk", reason="sentry-sdk is not installed")

import sentry_sdk
from sentry_sdk.integrations.dedupe import DedupeIntegration

from callboard.callbacks import AsyncCallbackManager
from callboard.clock import clock_from
from callboard.integrations import SentryCallbackHandler
from callboard.redaction import Redaction
from tests.unit.integrations.scenes import PRICES, ask, manager_of, serve
from tests.unit.integrations.sentry_transport import close_client, set_up_client

CONTENT = {"data_collection": {"gen_ai": {"inputs": True, "outputs": True}}}


@pytest.fixture(autouse=True)
def _no_client():
    with sentry_sdk.isolation_scope():
        yield
    close_client()


def raised(error, cause=None):
    """Return an exception that has been raised, among local variables."""
    try:
        prompt = "write to ada@example.com"
        assert prompt
        raise error from cause
    except type(error) as caught:
        return caught


def nested(handler, error, *names):
    """Runs inside each other that all fail of the same."""
    managers, runs = [manager_of(handler)], []
    for name in names:
        runs.append(managers[-1].on_chain_start(None, {"question": "?"}, name=name))
        managers.append(runs[-1].get_child())
    tool = managers[-1].on_tool_start({"name": "search"}, "tea")
    tool.on_tool_error(error)
    for run in reversed(runs):
        run.on_chain_error(error)


def values_of(event):
    return [(each["type"], each["value"]) for each in event["exception"]["values"]]


def test_an_exception_that_goes_through_five_runs_is_one_event_with_its_stack_trace():
    kept = set_up_client()
    nested(SentryCallbackHandler(), raised(ValueError("no leaves")), "agent", "a", "b", "c")
    [event] = kept.events()
    assert event["level"] == "error"
    [error] = event["exception"]["values"]
    assert (error["type"], error["value"]) == ("ValueError", "no leaves")
    assert error["mechanism"] == {"type": "callboard", "handled": False}
    assert error["stacktrace"]["frames"][-1]["function"] == "raised"
    assert event["tags"]["callboard.run"] == "agent"
    assert event["tags"]["callboard.failed_in"] == "search"
    assert event["contexts"]["callboard"]["failed_in"] == "search"


def test_an_event_tells_what_went_before_it_and_what_that_has_used():
    kept = set_up_client()
    handler = SentryCallbackHandler(prices=PRICES)
    root = manager_of(handler).on_chain_start(None, {}, name="agent")
    ask(root.get_child())
    root.get_child().on_tool_start({"name": "search"}, "tea").on_tool_end("leaves")
    [chat] = root.get_child().on_chat_model_start(None, [[("user", "?")]], name="ChatOpenAI")
    chat.on_llm_error(raised(TimeoutError("too slow")))
    root.on_chain_error(raised(TimeoutError("too slow")))
    [event] = kept.events()
    crumbs = event["breadcrumbs"]["values"]
    assert [(each["category"], each["message"]) for each in crumbs] == [
        ("callboard.chat_model", "ChatOpenAI"),
        ("callboard.tool", "search"),
        ("callboard.chat_model", "ChatOpenAI: TimeoutError: too slow"),
    ]
    assert crumbs[0]["data"]["input_tokens"] == 100
    assert crumbs[2]["level"] == "error"
    assert event["contexts"]["gen_ai"] == {
        "model_calls": 2,
        "input_tokens": 100,
        "output_tokens": 20,
        "cost_usd": 140.0,
    }


def test_tags_name_the_model_that_failed():
    kept = set_up_client()
    handler, error = SentryCallbackHandler(), raised(TimeoutError("too slow"))
    root = manager_of(handler).on_chain_start(None, {}, name="agent")
    [chat] = root.get_child().on_chat_model_start(None, [[("user", "?")]], name="ChatOpenAI")
    chat.on_llm_error(error)
    root.on_chain_error(error)
    [event] = kept.events()
    told = event["tags"]
    assert (told["callboard.model"], told["callboard.provider"]) == ("gpt-5", "openai")
    assert told["callboard.run_type"] == "chain"
    assert told["callboard.trace_id"] == event["contexts"]["callboard"]["trace_id"]


def test_what_a_run_got_over_is_a_warning_told_when_that_is_known():
    kept = set_up_client()
    root = manager_of(SentryCallbackHandler()).on_chain_start(None, {}, name="agent")
    tool = root.get_child().on_tool_start({"name": "search"}, "tea")
    tool.on_tool_error(raised(ValueError("no leaves")))
    assert not kept.events()
    root.on_chain_end({})
    [event] = kept.events()
    assert event["level"] == "warning"
    assert event["exception"]["values"][0]["mechanism"]["handled"] is True
    assert event["contexts"]["callboard"]["inside"] == ["agent"]


def test_what_a_run_got_over_is_not_told_to_who_does_not_want_it():
    kept = set_up_client()
    serve(SentryCallbackHandler(recovered=False))
    assert not kept.events()


def test_an_exception_and_what_it_was_raised_from_are_one_event():
    kept = set_up_client()
    root = manager_of(SentryCallbackHandler()).on_chain_start(None, {}, name="agent")
    tool = root.get_child().on_tool_start({"name": "search"}, "tea")
    inner = raised(ValueError("no leaves"))
    tool.on_tool_error(inner)
    root.on_chain_error(raised(RuntimeError("no tea"), inner))
    [event] = kept.events()
    assert values_of(event) == [("ValueError", "no leaves"), ("RuntimeError", "no tea")]
    assert event["tags"]["callboard.failed_in"] == "search"


def test_branches_that_fail_together_are_one_event():
    kept = set_up_client()
    root = manager_of(SentryCallbackHandler()).on_chain_start(None, {}, name="agent")
    errors = [raised(ValueError(str(number))) for number in range(3)]
    for error in errors:
        root.get_child().on_tool_start({"name": "search"}, "tea").on_tool_error(error)
    root.on_chain_error(raised(ExceptionGroup("three", errors)))
    [event] = kept.events()
    assert ("ValueError", "2") in values_of(event)


@pytest.mark.parametrize("kind", [asyncio.CancelledError, GeneratorExit, KeyboardInterrupt])
def test_being_stopped_is_no_failure(kind):
    kept = set_up_client()
    nested(SentryCallbackHandler(), raised(kind()), "agent")
    assert not kept.events()
    [root] = [span for span in kept.spans() if span["description"] == "agent"]
    assert root["status"] == "cancelled"


def test_an_interrupt_of_langgraphs_is_no_failure():
    errors = pytest.importorskip("langgraph.errors")
    kept = set_up_client()
    nested(SentryCallbackHandler(), raised(errors.GraphInterrupt()), "agent")
    assert not kept.events()


def test_a_run_that_goes_on_for_long_does_not_keep_a_failure_to_itself():
    kept = set_up_client()
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    error = raised(ValueError("no leaves"))
    with clock_from(lambda: now[0]):
        root = manager_of(SentryCallbackHandler()).on_chain_start(None, {}, name="agent")
        root.get_child().on_tool_start({"name": "search"}, "tea").on_tool_error(error)
        now[0] += timedelta(minutes=1)
        ask(root.get_child())
        [event] = kept.events()
        assert event["level"] == "error"
        assert event["timestamp"] == "2026-01-01T00:00:00.000000Z"  # When it failed.
        root.on_chain_error(error)  # Of the same, after all.
    assert len(kept.events()) == 1


def test_failures_that_are_waited_for_are_bounded():
    kept = set_up_client()
    root = manager_of(SentryCallbackHandler()).on_chain_start(None, {}, name="agent")
    for number in range(30):
        tool = root.get_child().on_tool_start({"name": "search"}, "tea")
        tool.on_tool_error(raised(ValueError(str(number))))
    assert len(kept.events()) == 10
    root.on_chain_end({})
    assert len(kept.events()) == 30


def test_breadcrumbs_are_bounded_to_the_last():
    kept = set_up_client()
    root = manager_of(SentryCallbackHandler(max_breadcrumbs=3)).on_chain_start(None, {}, name="a")
    for number in range(10):
        tool = root.get_child().on_tool_start({"name": f"tool {number}"}, "tea")
        tool.on_tool_end("leaves")
    root.on_chain_error(raised(ValueError("no leaves")))
    [event] = kept.events()
    told = [each["message"] for each in event["breadcrumbs"]["values"]]
    assert told == ["tool 7", "tool 8", "tool 9"]


def test_a_failure_without_its_exception_is_told_by_its_text():
    """A run that was stored has no more than that."""

    class Stored(SentryCallbackHandler):
        def run_ended(self, record):
            record.exception = None
            super().run_ended(record)

    kept = set_up_client()
    nested(Stored(), raised(ValueError("no leaves")), "agent", "step")
    [event] = kept.events()
    assert values_of(event) == [("ValueError", "no leaves")]
    assert event["tags"]["callboard.failed_in"] == "search"


def test_what_the_framework_captures_again_is_dropped():
    kept = set_up_client(integrations=[DedupeIntegration()])
    error = raised(ValueError("no leaves"))
    nested(SentryCallbackHandler(), error, "agent")
    sentry_sdk.capture_exception(error)
    assert len(kept.events()) == 1


# Whose events they are.


def fail_in_another_thread(handler, user):
    """A request of a user's, whose tool fails in a thread that knows nothing of the request."""
    with sentry_sdk.isolation_scope() as scope:
        scope.set_tag("user", user)
        root = manager_of(handler).on_chain_start(None, {}, name=f"agent of {user}")
        error = raised(ValueError(user))
        with ThreadPoolExecutor(1) as pool:
            tool = root.get_child().on_tool_start({"name": "search"}, "tea")
            pool.submit(tool.on_tool_error, error).result()
            pool.submit(root.on_chain_error, error).result()


def test_events_of_other_threads_belong_to_the_request_in_which_the_trace_began():
    kept = set_up_client()
    handler = SentryCallbackHandler()
    users = [f"user {number}" for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(functools.partial(fail_in_another_thread, handler), users))
    events = kept.events()
    assert sorted(event["tags"]["user"] for event in events) == users
    for event in events:
        user = event["tags"]["user"]
        assert event["tags"]["callboard.run"] == f"agent of {user}"
        [crumb] = event["breadcrumbs"]["values"]
        assert crumb["message"] == f"search: ValueError: {user}"


async def test_events_of_tasks_belong_to_their_own_request():
    kept = set_up_client()
    handler = SentryCallbackHandler()

    async def request(user):
        with sentry_sdk.isolation_scope() as scope:
            scope.set_tag("user", user)
            manager = manager_of(handler, kind=AsyncCallbackManager)
            root = await manager.on_chain_start(None, {}, name=f"agent of {user}")
            await asyncio.sleep(0)
            await root.on_chain_error(raised(ValueError(user)))

    await asyncio.gather(*(request(f"user {number}") for number in range(5)))
    told = [(event["tags"]["user"], event["tags"]["callboard.run"]) for event in kept.events()]
    assert sorted(told) == [(f"user {n}", f"agent of user {n}") for n in range(5)]


def test_breadcrumbs_and_tags_stay_with_their_event():
    kept = set_up_client()
    nested(SentryCallbackHandler(), raised(ValueError("no leaves")), "agent")
    sentry_sdk.capture_message("something else")
    _, other = kept.events()
    assert not other["breadcrumbs"]["values"]
    assert "callboard" not in other["contexts"]
    assert not any(name.startswith("callboard") for name in other.get("tags", {}))


# Spans.


def by_name(spans):
    return {span["description"]: span for span in spans}


def test_runs_are_operations_under_the_current_transaction():
    kept = set_up_client(**CONTENT)
    with sentry_sdk.start_transaction(name="GET /ask") as transaction:
        serve(SentryCallbackHandler(prices=PRICES))
    spans = by_name(kept.spans())
    assert {name: span["op"] for name, span in spans.items() if name != "GET /ask"} == {
        "agent": "function",
        "shelf": "function",
        "chat gpt-5": "gen_ai.chat",
        "execute_tool search": "gen_ai.execute_tool",
    }
    assert spans["agent"]["parent_span_id"] == transaction.span_id
    inside = {spans[name]["parent_span_id"] for name in ("shelf", "chat gpt-5")}
    assert inside == {spans["agent"]["span_id"]}
    assert {span["trace_id"] for span in spans.values()} == {transaction.trace_id}
    data = spans["chat gpt-5"]["data"]
    assert data["gen_ai.operation.name"] == "chat"
    assert data["gen_ai.request.model"] == "gpt-5"
    assert data["gen_ai.response.model"] == "gpt-5-2025"
    assert data["gen_ai.usage.total_tokens"] == 120
    assert data["gen_ai.usage.cache_read.input_tokens"] == 40
    assert data["gen_ai.cost.total_tokens"] == 140.0
    assert data["gen_ai.conversation.id"] == "s-1"
    assert "What is drunk here?" in data["gen_ai.input.messages"]
    assert "gen_ai.operation.name" not in spans["shelf"]["data"]
    assert spans["execute_tool search"]["data"]["error.type"] == "ValueError"


def test_names_of_attributes_are_sentrys_own():
    from sentry_sdk.consts import OP, SPANDATA

    kept = set_up_client(**CONTENT)
    serve(SentryCallbackHandler(prices=PRICES))
    known = {value for name, value in vars(SPANDATA).items() if name.isupper()}
    operations = {value for name, value in vars(OP).items() if name.isupper()}
    # Of the conventions, or what Sentry works out itself for those who do not tell it.
    others = {"gen_ai.request.stop_sequences", "gen_ai.request.stream", "gen_ai.tool.type"}
    others |= {"gen_ai.tool.call.id", "gen_ai.workflow.name"}
    for span in kept.spans():
        assert span["op"] in operations
        told = {name for name in span["data"] if name.startswith("gen_ai.")} - others
        strange = {
            name for name in told - known if ".cost." not in name and ".retrieval." not in name
        }
        assert not strange


def test_an_agent_is_an_agent_and_its_calls_say_whose_they_are():
    kept = set_up_client()
    manager = manager_of(SentryCallbackHandler(), lc_agent_name="waiter")
    root = manager.on_chain_start(None, {}, name="waiter")
    ask(root.get_child())
    root.on_chain_end({})
    spans = by_name(kept.spans())
    assert spans["invoke_agent waiter"]["op"] == "gen_ai.invoke_agent"
    assert spans["chat gpt-5"]["data"]["gen_ai.agent.name"] == "waiter"


def test_parents_are_told_by_run_id_in_whatever_thread():
    kept = set_up_client()
    handler = SentryCallbackHandler()
    first, second = (
        manager_of(handler).on_chain_start(None, {}, name=name) for name in ("first", "second")
    )

    def work(root, name):
        with sentry_sdk.start_transaction(name="of the thread"):
            root.get_child().on_tool_start({"name": name}, "tea").on_tool_end("leaves")

    with ThreadPoolExecutor(2) as pool:
        for root, name in ((first, "a"), (second, "b")) * 4:
            pool.submit(work, root, name)
    second.on_chain_end({})
    first.on_chain_end({})
    spans = kept.spans()
    roots = {span["span_id"]: span["description"] for span in spans}
    told = [
        (span["description"], roots[span["parent_span_id"]])
        for span in spans
        if span["op"] == "gen_ai.execute_tool"
    ]
    assert sorted(told) == [("execute_tool a", "first")] * 4 + [("execute_tool b", "second")] * 4


def test_the_current_span_stays_what_it_was():
    set_up_client()
    root = manager_of(SentryCallbackHandler()).on_chain_start(None, {}, name="agent")
    assert sentry_sdk.get_current_span() is None
    root.on_chain_end({})


def test_an_event_is_on_the_span_of_its_run():
    kept = set_up_client()
    nested(SentryCallbackHandler(), raised(ValueError("no leaves")), "agent")
    [event] = kept.events()
    [root] = [span for span in kept.spans() if span["description"] == "agent"]
    assert event["contexts"]["trace"]["span_id"] == root["span_id"]
    assert event["contexts"]["trace"]["trace_id"] == root["trace_id"]


def test_spans_that_are_sent_one_by_one_form_the_same_tree():
    pytest.importorskip("sentry_sdk.traces")
    kept = set_up_client(trace_lifecycle="stream", **CONTENT)
    serve(SentryCallbackHandler(prices=PRICES))
    spans = by_name(kept.spans())
    assert spans["chat gpt-5"]["parent_span_id"] == spans["agent"]["span_id"]
    assert spans["chat gpt-5"]["data"]["gen_ai.usage.total_tokens"] == 120
    assert spans["execute_tool search"]["status"] == "error"


@pytest.mark.parametrize("rate", [None, 0.0])
def test_no_spans_without_tracing(rate):
    kept = set_up_client(traces_sample_rate=rate)
    serve(SentryCallbackHandler())
    assert not kept.spans()
    assert len(kept.events()) == 1


def test_spans_and_errors_can_be_turned_off():
    kept = set_up_client()
    serve(SentryCallbackHandler(spans=False, errors=False))
    assert not kept.envelopes


def test_what_never_ends_is_told_as_such_with_what_is_inside_of_it():
    kept = set_up_client()
    handler = SentryCallbackHandler()
    root = manager_of(handler).on_chain_start(None, {}, name="agent")
    root.get_child().on_tool_start({"name": "search"}, "tea")
    handler.close()
    assert {span["data"]["callboard.unfinished"] for span in kept.spans()} == {True}
    assert len(kept.spans()) == 2
    assert not kept.events()


# What is not told.


@pytest.mark.parametrize(
    ("told", "given", "returned"),
    [
        ({}, False, False),
        (CONTENT, True, True),
        ({"data_collection": {"gen_ai": {"inputs": False, "outputs": True}}}, False, True),
        ({"data_collection": {"gen_ai": {"inputs": True, "outputs": False}}}, True, False),
        ({"send_default_pii": True}, True, True),
        ({"send_default_pii": False}, False, False),
    ],
)
@pytest.mark.filterwarnings("ignore:The send_default_pii option:DeprecationWarning")
def test_content_is_told_only_if_the_client_is_to_tell_it(told, given, returned):
    kept = set_up_client(**told)
    serve(SentryCallbackHandler())
    assert ("What is drunk here?" in kept.text()) == given
    assert ("Tea." in kept.text()) == returned


def test_content_is_told_only_if_the_handler_is_to_tell_it():
    kept = set_up_client(**CONTENT)
    handler = SentryCallbackHandler(content=False)
    serve(handler)
    nested(handler, raised(ValueError("no leaves")), "agent")
    assert "What is drunk here?" not in kept.text()
    assert "Tea." not in kept.text()
    assert not any("vars" in frame for frame in frames_of(kept.events()[-1]))


def frames_of(event):
    return [
        frame
        for error in event["exception"]["values"]
        for frame in error.get("stacktrace", {}).get("frames", ())
    ]


def test_local_variables_are_told_where_content_is():
    kept = set_up_client(**CONTENT)
    nested(SentryCallbackHandler(), raised(ValueError("no leaves")), "agent")
    assert "ada@example.com" in frames_of(kept.events()[0])[-1]["vars"]["prompt"]


def test_a_secret_in_an_exception_its_cause_or_its_variables_is_not_told():
    kept = set_up_client(**CONTENT)
    address = "ada@example.com"
    inner = raised(ValueError(f"{address} bounced"))
    error = raised(RuntimeError(f"not sent to {address}"), inner)
    nested(SentryCallbackHandler(redaction=Redaction("emails")), error, "agent")
    [event] = kept.events()
    assert values_of(event) == [
        ("ValueError", "<email> bounced"),
        ("RuntimeError", "not sent to <email>"),
    ]
    assert not any("vars" in frame for frame in frames_of(event))


# The client is the application's.


def test_the_client_stays_open_and_set_up():
    kept = set_up_client()
    with SentryCallbackHandler() as handler:
        serve(handler)
    assert not kept.is_killed
    assert sentry_sdk.capture_message("still here") is not None


def test_without_a_client_nothing_happens(caplog):
    serve(SentryCallbackHandler())
    assert not caplog.records
    assert not sentry_sdk.get_client().is_active()
