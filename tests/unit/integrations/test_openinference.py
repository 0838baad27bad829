"""Runs as spans in OpenInference's convention, held against its package of constants."""

import pytest

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")

from opentelemetry import context

from callboard.callbacks import CallbackManager
from callboard.environment import reload_environment
from tests.unit.integrations.otel_backend import Backend
from tests.unit.integrations.scenes import PRICES, serve


@pytest.fixture
def backend():
    return Backend()


def test_openinference_tells_kinds_messages_documents_tokens_and_costs(backend):
    conventions = pytest.importorskip("openinference.semconv.trace")
    serve(backend.handler(conventions="openinference", prices=PRICES))
    spans = {span.name: dict(span.attributes) for span in backend.spans.get_finished_spans()}
    kinds = {name: told["openinference.span.kind"] for name, told in spans.items()}
    assert kinds == {
        "agent": "CHAIN",
        "shelf": "RETRIEVER",
        "ChatOpenAI": "LLM",
        "search": "TOOL",
    }
    assert set(kinds.values()) <= {each.value for each in conventions.OpenInferenceSpanKindValues}
    chat = spans["ChatOpenAI"]
    names = conventions.SpanAttributes
    assert chat[names.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_READ] == 40
    assert chat[names.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_WRITE] == 10
    assert chat[names.LLM_TOKEN_COUNT_COMPLETION_DETAILS_REASONING] == 5
    assert chat[names.LLM_COST_TOTAL] == 140.0
    assert chat[names.SESSION_ID] == "s-1"
    assert chat["llm.input_messages.1.message.role"] == "user"
    assert chat["llm.output_messages.0.message.content"] == "Tea."
    shelf = spans["shelf"]
    assert shelf["retrieval.documents.0.document.content"] == "On tea"
    assert shelf["retrieval.documents.0.document.score"] == 0.5
    assert spans["agent"][names.INPUT_VALUE] == "?"


def test_openinferences_names_are_its_packages_constants(backend):
    conventions = pytest.importorskip("openinference.semconv.trace")
    serve(backend.handler(conventions="openinference", prices=PRICES))
    known = {
        value
        for table in (
            conventions.SpanAttributes,
            conventions.MessageAttributes,
            conventions.DocumentAttributes,
            conventions.ToolCallAttributes,
            conventions.ToolAttributes,
        )
        for name, value in vars(table).items()
        if name.isupper()
    } | {"error.type"}

    def parts(name):
        """Take a name with numbers in it apart into the constants that it is made of."""
        part = ""
        for piece in name.split("."):
            if piece.isdigit():
                yield part
                part = ""
            else:
                part = f"{part}.{piece}".removeprefix(".")
        yield part

    for span in backend.spans.get_finished_spans():
        for name in span.attributes:
            assert set(parts(name)) <= known, name


HIDDEN = [
    ("HIDE_INPUTS", {"input.", "llm.input_messages.", "llm.tools."}),
    ("HIDE_OUTPUTS", {"output.", "llm.output_messages.", "retrieval.documents."}),
    ("HIDE_INPUT_MESSAGES", {"llm.input_messages."}),
    ("HIDE_OUTPUT_MESSAGES", {"llm.output_messages."}),
    ("HIDE_RETRIEVAL_DOCUMENTS", {"retrieval.documents."}),
    ("HIDE_LLM_INVOCATION_PARAMETERS", {"llm.invocation_parameters"}),
    ("HIDE_LLM_TOOLS", {"llm.tools."}),
]
BEGINNINGS = set().union(*(beginnings for _, beginnings in HIDDEN))


def beginnings(backend):
    names = {name for span in backend.spans.get_finished_spans() for name in span.attributes}
    return {each for each in BEGINNINGS if any(name.startswith(each) for name in names)}


@pytest.mark.parametrize(("variable", "hidden"), HIDDEN)
def test_openinferences_own_variables_hide_what_they_name(backend, monkeypatch, variable, hidden):
    handler = backend.handler(conventions="openinference")
    serve(handler)
    assert beginnings(backend) == BEGINNINGS
    backend.spans.clear()
    monkeypatch.setenv(f"OPENINFERENCE_{variable}", "true")
    reload_environment()
    serve(handler)
    assert beginnings(backend) == BEGINNINGS - hidden


def test_texts_alone_can_be_hidden(backend, monkeypatch):
    monkeypatch.setenv("OPENINFERENCE_HIDE_INPUT_TEXT", "true")
    monkeypatch.setenv("OPENINFERENCE_HIDE_OUTPUT_TEXT", "true")
    reload_environment()
    serve(backend.handler(conventions="openinference"))
    chat = backend.named("ChatOpenAI").attributes
    assert chat["llm.input_messages.1.message.role"] == "user"
    assert not [name for name in chat if name.endswith(".message.content")]


def test_what_is_set_for_a_block_is_on_its_spans(backend):
    with_user = context.set_value("user.id", "ada")
    token = context.attach(context.set_value("session.id", "of the block", with_user))
    manager = CallbackManager.configure([backend.handler(conventions="openinference")])
    run = manager.on_chain_start(None, {}, name="bare")
    run.on_chain_end({})
    serve(backend.handler(conventions="openinference"))
    context.detach(token)
    bare, agent = backend.named("bare").attributes, backend.named("agent").attributes
    assert (bare["session.id"], bare["user.id"]) == ("of the block", "ada")
    assert (agent["session.id"], agent["user.id"]) == ("s-1", "ada")  # The run says which.
