"""Filters as they are met: in documents, SDKs, tests and programs. Each, and how we write it."""

import pytest

from callboard.query import EXAMPLE_FIELDS, THREAD_FIELDS, parse, to_text

ID = "4070f233-f61e-44eb-bff1-da3c163895a3"

RUNS = {
    # LangSmith's documents and the docstrings of its SDK.
    'and(eq(run_type, "chain"), gt(latency, 10), gt(total_tokens, 5000))': None,
    'eq(name, "extractor")': None,
    'and(eq(feedback_key, "user_score"), eq(feedback_score, 1))': None,
    'and(gt(start_time, "2023-07-15T12:34:56Z"), or(neq(error, null), '
    'and(eq(feedback_key, "Correctness"), eq(feedback_score, 0.0))))': (
        'and(gt(start_time, "2023-07-15T12:34:56Z"), or(neq(error, null), '
        'and(eq(feedback_key, "Correctness"), eq(feedback_score, 0))))'
    ),
    'and(or(has(tags, "experimental"), has(tags, "beta")), gt(latency, 2))': None,
    "and(or(has(tags, 'experimental'), has(tags, 'beta')), gt(latency, 2))": (
        'and(or(has(tags, "experimental"), has(tags, "beta")), gt(latency, 2))'
    ),
    'gt(latency, "5s")': "gt(latency, 5)",
    "neq(error, null)": None,
    'search("image classification")': None,
    "eq(metadata_key, 'user_id')": 'eq(metadata_key, "user_id")',
    f"and(eq(metadata_key, 'user_id'), eq(metadata_value, '{ID}'))": (
        f'and(eq(metadata_key, "user_id"), eq(metadata_value, "{ID}"))'
    ),
    'and(in(metadata_key, ["session_id","conversation_id","thread_id"]), '
    'eq(metadata_value, "abc"))': (
        'and(in(metadata_key, ["session_id", "conversation_id", "thread_id"]), '
        'eq(metadata_value, "abc"))'
    ),
    "and(neq(metadata_key, 'conversation_id'))": 'neq(metadata_key, "conversation_id")',
    "and(eq(metadata_key, 'thread_id'), neq(metadata_value, 'a1b2c3d4'))": (
        'and(eq(metadata_key, "thread_id"), neq(metadata_value, "a1b2c3d4"))'
    ),
    'and(eq(name, "ChatOpenAI"), eq(metadata_key, "k"), eq(metadata_value, "v"))': None,
    'and(eq(is_root, true), and(eq(feedback_key, "user_score"), eq(feedback_score, 1)))': (
        'and(eq(is_root, true), eq(feedback_key, "user_score"), eq(feedback_score, 1))'
    ),
    'and(eq(run_type, "llm"), eq(name, "ChatOpenAI"), eq(input_key, "messages.content"), '
    'like(input_value, "%messages.content%"))': None,
    'and(eq(output_key, "generations.message.kwargs.tool_calls.name"), eq(output_value, "Plan"))': (
        None
    ),
    'notlike(inputs, "not to match")': 'not(search(inputs, "not to match"))',
    'lt(start_time, "2025-01-01T00:00:00Z")': None,
    f'eq(trace_id, "{ID}")': None,
    # The SDK's tests.
    "and(eq(metadata_key,'test_run'),eq(metadata_value,'00ff'))": (
        'and(eq(metadata_key, "test_run"), eq(metadata_value, "00ff"))'
    ),
    f'eq(id, "{ID}")': None,
    'and(eq(is_root, true), neq(status, "pending"))': None,
    # Programs.
    'eq(name,"hitl_pause")': 'eq(name, "hitl_pause")',
    "eq(name, my_chain)": 'eq(name, "my_chain")',
    'gt(total_cost, "0.01")': "gt(total_cost, 0.01)",
    'in(run_type, ["llm", "tool"])': None,
    'eq(run_type, "LLM")': 'eq(run_type, "llm")',
    f'and(eq(session_id, "{ID}"), gt(start_time, "2026-01-02T03:04:05.678901+01:00"))': (
        f'and(eq(session_id, "{ID}"), gt(start_time, "2026-01-02T02:04:05.678901Z"))'
    ),
    'gt(start_time, "2026-01-02T03:04:05.678901")': 'gt(start_time, "2026-01-02T03:04:05.678901Z")',
    "gte(start_time, 2026-01-02T03:04:05+00:00)": 'gte(start_time, "2026-01-02T03:04:05Z")',
    "and(eq(is_root, True), neq(error, None))": "and(eq(is_root, true), neq(error, null))",
    'has(metadata, \'{"run": "r1"}\')': 'and(eq(metadata_key, "run"), eq(metadata_value, "r1"))',
    'and(has(metadata, \'{"run":"1"}\'), has(metadata, \'{"case":"2"}\'))': (
        'and(and(eq(metadata_key, "run"), eq(metadata_value, "1")), '
        'and(eq(metadata_key, "case"), eq(metadata_value, "2")))'
    ),
    'and(eq(feedback_key, "quality"), lt(feedback_score, 0.5), eq(status, "error"))': None,
    'and(and(eq(feedback_key, "correctness"), gte(feedback_score, 0.9)), '
    'lt(start_time, "2026-09-08T00:00:00+00:00"))': (
        'and(eq(feedback_key, "correctness"), gte(feedback_score, 0.9), '
        'lt(start_time, "2026-09-08T00:00:00Z"))'
    ),
    'or(eq(feedback_key, "out_of_scope"), eq(is_root, true))': None,
    'and(neq(name, "monitor step"), neq(name, "judge"), neq(metadata_key, "hidden"))': None,
    'and(neq(metadata_key, "phone"), eq(metadata_value, "1234567890"), neq(tags, "staging"))': (
        'and(neq(metadata_key, "phone"), and(eq(metadata_value, "1234567890")), '
        'not(has(tags, "staging")))'
    ),
    'and(eq(name, "agent"), eq(metadata_key, "n"), eq(metadata_value, 3))': None,
    'and(search("database"), gt(start_time, "2026-01-01T00:00:00Z"))': None,
    'search(name, "my-agent")': 'search(name, "my agent")',
    "gte(metadata_value, 0.5)": None,
}


@pytest.mark.parametrize("text", RUNS)
def test_filters_of_runs(text):
    assert to_text(parse(text)) == (RUNS[text] or text)


@pytest.mark.parametrize(
    "text",
    ["gte(turn_count, 3)", 'and(gt(num_errored_turns, 0), lt(trace_latency_p50, "2s"))'],
)
def test_filters_of_threads(text):
    assert to_text(parse(text, THREAD_FIELDS)) == text.replace('"2s"', "2")


def test_filters_of_examples():
    text = 'and(not(has(metadata, \'{"foo": "bar"}\')), exists(metadata, "tenant_id"))'
    written = (
        'and(not(and(eq(metadata_key, "foo"), eq(metadata_value, "bar"))), '
        'and(eq(metadata_key, "tenant_id")))'
    )
    assert to_text(parse(text, EXAMPLE_FIELDS)) == written
    assert parse(text.replace("metadata", '"metadata"'), EXAMPLE_FIELDS) == parse(written)
