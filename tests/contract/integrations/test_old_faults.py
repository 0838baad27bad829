"""Faults that LangChain's handlers of these names and kinds had: ours are held to be without them.

The table in `docs/integrations.md` lists all, with the tests of those that are held elsewhere.
"""

import json
import math
from datetime import timedelta

import pytest

from callboard.callbacks import CallbackManager
from callboard.clock import clock_from
from callboard.errors import RateLimitError
from callboard.integrations import (
    BudgetGuard,
    JsonLinesCallbackHandler,
    RateLimit,
    get_openai_callback,
)
from callboard.payloads import (
    AIMessage,
    ChatGeneration,
    Generation,
    HumanMessage,
    LLMResult,
    SystemMessage,
    ToolMessage,
)
from callboard.testing import StepClock
from tests.contract.integrations.platforms import PLATFORMS, PRICES
from tests.unit.integrations.scenes import ask, manager_of, serve

every_platform = pytest.mark.parametrize("make", list(PLATFORMS.values()), ids=list(PLATFORMS))


def told_by(make, work, caplog, **options):
    """What a platform is told of some work, which is to leave nothing in the log."""
    platform = make(prices=PRICES, **options)
    work(manager_of(platform.handler))
    platform.tree.flush()
    assert not caplog.records
    assert not platform.tree._records
    return platform


# --- What handlers could not take ---------------------------------------------------------------


@every_platform
@pytest.mark.parametrize(
    "given", [{"question": "?"}, {}, "text", None, ["a", 1], HumanMessage("hi"), 0]
)
def test_a_chain_may_be_given_anything(make, given, caplog):
    """langchain#9150: Aim's handler needed a key "input", or died."""

    def work(manager):
        manager.on_chain_start(None, given, name="chain").on_chain_end(given)

    told_by(make, work, caplog)


@every_platform
@pytest.mark.parametrize(
    "response",
    [
        LLMResult([]),
        LLMResult([[]]),
        LLMResult([[Generation("x")]]),
        LLMResult([[Generation("x", generation_info={})]], llm_output={}),
        LLMResult([[ChatGeneration(AIMessage("x"))]], llm_output={"token_usage": None}),
        LLMResult([[ChatGeneration(AIMessage("x"))]], llm_output={"token_usage": {}}),
    ],
    ids=["no prompt", "no answer", "text", "empty", "no usage", "empty usage"],
)
def test_an_answer_need_not_tell_of_its_usage(make, response, caplog):
    """KeyErrors for `token_usage`, `logprobs`, `text`: Infino's, Arthur's, Context's, W&B's."""

    def work(manager):
        [run] = manager.on_chat_model_start(None, [[("user", "x")]], name="c")
        run.on_llm_end(response)

    told_by(make, work, caplog)


@every_platform
@pytest.mark.parametrize("model", ["claude-9", "us.x.y-v1:0", ".", "", None])
def test_a_model_may_have_any_name(make, model, caplog):
    """Bedrock's handler split names at their dots, and raised for a model without a price."""

    def work(manager):
        manager.add_metadata({"ls_model_name": model})
        [run] = manager.on_chat_model_start(None, [[("user", "x")]], name="c")
        said = AIMessage("y", response_metadata={"model_name": model})
        run.on_llm_end(LLMResult([[ChatGeneration(said)]]))

    told_by(make, work, caplog)


@every_platform
def test_messages_of_every_role_and_content_are_taken(make, caplog):
    """PromptLayer's handler raised for a tool's message, Label Studio's for chats as such."""
    messages = [
        SystemMessage("be brief"),
        HumanMessage([{"type": "text", "text": "see"}, {"type": "image_url", "image_url": "u"}]),
        AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "1"}]),
        ToolMessage("found", tool_call_id="1"),
        {"role": "developer", "content": None},
        ("function", "x"),
    ]

    def work(manager):
        [run] = manager.on_chat_model_start(None, [messages], name="c")
        run.on_llm_end(LLMResult([[ChatGeneration(AIMessage("y"))]]))

    told_by(make, work, caplog)


@every_platform
def test_it_goes_on_after_a_flush(make, caplog):
    """SageMaker's handler deleted its folder when it was flushed, and failed at the next event."""
    platform = make(prices=PRICES)
    serve(platform.handler)
    platform.tree.flush()
    before = platform.ended()
    serve(platform.handler)
    assert platform.ended() == 2 * before
    assert not caplog.records


# --- What handlers lost -------------------------------------------------------------------------

TELLING = sorted({"json lines", "opentelemetry", "opentelemetry latest", "openinference"})
LOGGING = sorted({"logging", "structlog", "rich"})


@pytest.mark.parametrize("name", TELLING)
def test_what_a_model_answered_is_told(name, caplog):
    """MLflow's handler stored the result's type, SageMaker's all but the text."""
    told = told_by(PLATFORMS[name], ask, caplog)
    assert "What is drunk here?" in told.text()
    assert "Tea." in told.text()


@pytest.mark.parametrize("name", [*TELLING, *LOGGING])
def test_what_an_error_says_is_told(name, caplog):
    """Aim's and MLflow's handlers counted errors, Comet's tracer told of `None` in their place."""

    def work(manager):
        manager.on_tool_start(None, "x", name="search").on_tool_error(ValueError("no leaves"))

    told = told_by(PLATFORMS[name], work, caplog).text()
    assert "no leaves" in told
    assert "ValueError" in told


def test_tokens_given_and_returned_are_not_taken_for_each_other(caplog):
    """Arize's handler told the total as the prompt's and the completion's as the total."""
    usage = {"input_tokens": 3, "output_tokens": 20, "total_tokens": 23}
    answer = LLMResult([[ChatGeneration(AIMessage("y", usage_metadata=usage))]])

    def work(manager):
        ask(manager, response=answer)

    [line] = told_by(PLATFORMS["json lines"], work, caplog).text().splitlines()
    assert (json.loads(line)["input_tokens"], json.loads(line)["output_tokens"]) == (3, 20)
    span = json.loads(
        told_by(PLATFORMS["opentelemetry"], work, caplog).text().split("\n}")[0] + "}"
    )
    assert span["attributes"]["gen_ai.usage.input_tokens"] == 3
    assert span["attributes"]["gen_ai.usage.output_tokens"] == 20
    exposed = told_by(PLATFORMS["prometheus"], work, caplog).text()
    assert 'llm_tokens_total{model="gpt-5",provider="openai",type="input"} 3.0' in exposed
    assert 'llm_tokens_total{model="gpt-5",provider="openai",type="output"} 20.0' in exposed


# --- What handlers mixed up ---------------------------------------------------------------------


def test_runs_at_the_same_time_have_times_and_errors_of_their_own(tmp_path):
    """Infino's had one start time, Context's one list of messages, MLflow's one set of counters."""
    path = tmp_path / "runs.jsonl"
    with clock_from(StepClock(step=timedelta(seconds=1))), JsonLinesCallbackHandler(path) as to:
        long = manager_of(to).on_chain_start(None, {"number": 1}, name="long")
        short = manager_of(to).on_chain_start(None, {"number": 2}, name="short")
        short.on_chain_error(ValueError("short"))
        long.on_chain_end({"number": 1})
    short, long = map(json.loads, path.read_text().splitlines())
    assert (short["latency"], long["latency"]) == (1.0, 3.0)
    assert (short["inputs"]["number"], long["inputs"]["number"]) == (2, 1)
    assert "error" in short
    assert "error" not in long


@every_platform
def test_what_the_application_gave_stays_as_it_was(make):
    """Trubrics's handler took `user_id` out of the metadata: the second call had no user."""
    metadata, tags = {"user_id": "ada", "ls_model_name": "gpt-5"}, ["a", "b"]
    platform = make()
    for _ in range(2):
        ask(CallbackManager.configure([platform.handler], None, False, tags, None, metadata))
        assert metadata == {"user_id": "ada", "ls_model_name": "gpt-5"}
        assert tags == ["a", "b"]


# --- What handlers took for free, or refused too late -------------------------------------------


@pytest.mark.parametrize(("model", "price"), [("o1", 0.07125), ("o3", 0.00925)])
def test_what_a_reasoning_model_returns_has_its_own_price(model, price):
    """What o1 and o3 return was priced as what they are given: o1's at $0.02625."""
    pytest.importorskip("genai_prices", reason="genai-prices is not installed")
    usage = {
        "input_tokens": 1000,
        "output_tokens": 1000,
        "total_tokens": 2000,
        "input_token_details": {"cache_read": 500},
    }
    said = AIMessage("y", usage_metadata=usage, response_metadata={"model_name": model})
    with get_openai_callback() as costs:
        ask(manager_of(ls_model_name=model), response=LLMResult([[ChatGeneration(said)]]))
    assert costs.total_cost == pytest.approx(price)


@pytest.mark.parametrize(
    ("model", "provider", "known"),
    [
        ("gpt-5.1", "openai", True),
        ("claude-sonnet-4-5", "anthropic", True),
        ("gemini-2.5-pro", "google_genai", True),
        ("no-such-model", "openai", False),
    ],
)
def test_no_model_is_free_because_it_is_not_known(model, provider, known):
    """langchain-community#503, and #471, #504, #533, #556, which were closed: $0.00."""
    pytest.importorskip("genai_prices", reason="genai-prices is not installed")
    usage = {"input_tokens": 1000, "output_tokens": 1000, "total_tokens": 2000}
    said = AIMessage("y", usage_metadata=usage, response_metadata={"model_name": model})
    with get_openai_callback() as costs:
        ask(
            manager_of(ls_model_name=model, ls_provider=provider),
            response=LLMResult([[ChatGeneration(said)]]),
        )
    assert costs.total_cost > 0 if known else math.isnan(costs.total_cost)


def test_a_model_that_no_chain_calls_is_limited():
    """Upstash's handler counted requests at the starts of chains alone."""
    limit = RateLimit(requests=1)
    ask(manager_of(limit))
    with pytest.raises(RateLimitError):
        ask(manager_of(limit))


OPENAIS = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
COMMON = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}


@pytest.mark.parametrize(
    "response",
    [
        LLMResult([[Generation("y")]], llm_output={"token_usage": OPENAIS}),
        LLMResult([[ChatGeneration(AIMessage("y", usage_metadata=COMMON))]]),
    ],
    ids=["in the result", "in the message"],
)
def test_usage_counts_wherever_it_is_told(response):
    """Upstash's handler read the result alone, where few models tell it any more."""
    guard = BudgetGuard(max_tokens=100)
    ask(manager_of(guard), response=response)
    assert guard.spent_tokens == 7
