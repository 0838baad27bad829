"""Runs as spans in OpenInference's convention, held against its package of constants."""

import pytest

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")

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
