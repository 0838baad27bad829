"""The law, sentence by sentence."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from callboard.query import RunFacts, matches, parse
from callboard.query.entries import entries_of, number_of, text_of
from callboard.query.patterns import canonical, fits
from callboard.query.terms import terms_of

ID = UUID(int=7)
START = datetime(2026, 11, 21, 18, 44, 30, tzinfo=UTC)

RUN = RunFacts(
    fields={
        "id": ID,
        "name": "RetrieveDocs",
        "run_type": "retriever",
        "status": "error",
        "error": "TimeoutError: the index did not answer",
        "start_time": START,
        "latency": 5.5,
        "is_root": False,
        "total_tokens": 120,
        "thread_id": "",
    },
    tags=["beta", "Oslo"],
    metadata={"env": "prod", "retries": 3, "ratio": 1.0, "flags": {"dry": True}, "no": None},
    inputs={"messages": [{"role": "user", "content": "Where is my refund?"}]},
    outputs={"documents": [{"page": 4}, {"page": 7}], "empty": {}},
)


@pytest.mark.parametrize(
    "text",
    [
        f"eq(id, {ID})",
        "eq(name, RetrieveDocs)",
        "neq(name, retrievedocs)",
        "in(run_type, [llm, RETRIEVER])",
        "gt(latency, '5s')",
        "not(gt(latency, 5.5))",
        "gte(latency, 5500ms)",
        "gt(total_tokens, 119.5)",
        "eq(total_tokens, 120.0)",
        "gt(start_time, '2026-11-21T18:44:29.999999')",
        "lte(start_time, '2026-11-21T20:44:30+02:00')",
        "eq(is_root, false)",
        "neq(error, null)",
        "eq(end_time, null)",
        "neq(thread_id, null)",
        "eq(thread_id, '')",
        "like(name, '%docs')",
        "like(name, 'retrieve____')",
        "like(error, 'timeout%ANSWER')",
        "notlike(name, 'Docs')",
        "and(has(tags, beta), neq(tags, oslo))",
        "exists(metadata, flags.dry)",
        "not(exists(metadata, no))",
        "not(exists(metadata, flags))",
        'has(metadata, \'{"env": "prod", "retries": 3, "flags": {"dry": true}, "no": null}\')',
        "and(eq(metadata_key, retries), eq(metadata_value, '3'))",
        "and(eq(metadata_key, retries), eq(metadata_value, 3))",
        "and(eq(metadata_key, ratio), eq(metadata_value, 1))",
        "and(eq(metadata_key, ratio), eq(metadata_value, '1.0'))",
        "and(eq(metadata_key, retries), gt(metadata_value, '2.5'))",
        "and(eq(metadata_key, env), not(gt(metadata_value, 0)))",
        "and(eq(metadata_key, env), lt(metadata_value, 'prod '), eq(status, error))",
        "and(eq(input_key, messages.content), like(input_value, '%REFUND%'))",
        "and(eq(output_key, documents.page), eq(output_value, 7))",
        "search('refund WHERE')",
        "search('refund index 7')",
        "search(inputs, 'refund')",
        "search(error, timeouterror)",
        "search(name, retrievedocs)",
        "not(search('refun'))",
        "not(search('content'))",
        "not(search(inputs, '7'))",
        "not(search(name, docs))",
        "and()",
        "not(or())",
    ],
)
def test_what_is_true_of_the_run(text):
    assert matches(parse(text), RUN)
    assert not matches(parse(f"not({text})"), RUN)


@pytest.mark.parametrize("operator", ["eq", "gt", "gte", "lt", "lte"])
def test_a_comparison_with_null_is_false_and_its_negation_true(operator):
    assert not matches(parse(f"{operator}(prompt_tokens, 0)"), RUN)
    assert matches(parse(f"not({operator}(prompt_tokens, 0))"), RUN)


@pytest.mark.parametrize("text", ["neq(prompt_tokens, 0)", "notlike(error, 'x')"])
def test_what_is_null_is_not_equal_to_anything(text):
    assert matches(parse(text), RunFacts())


@pytest.mark.parametrize(
    "text",
    [
        "eq(metadata_value, 123456789012345678)",
        "eq(metadata_value, '123456789012345678')",
        "has(metadata, '{\"user\": 123456789012345678}')",
        "in(metadata_value, [123456789012345678, x])",
    ],
)
def test_long_ids_keep_all_their_digits(text):
    assert matches(parse(text), RunFacts(metadata={"user": 123456789012345678}))
    assert not matches(parse(text), RunFacts(metadata={"user": 123456789012345679}))


def test_times_are_moments():
    there = timezone(timedelta(hours=-8))
    run = RunFacts(fields={"start_time": START.astimezone(there)})
    assert matches(parse("eq(start_time, '2026-11-21T18:44:30Z')"), run)


@pytest.mark.parametrize(
    ("structure", "entries"),
    [
        ({"a": 1}, [("a", "1")]),
        ({"a": {"b": {"c": "x"}}, "d": "y"}, [("a.b.c", "x"), ("d", "y")]),
        ({"a": [1, [2, {"b": 3}]]}, [("a", "1"), ("a", "2"), ("a.b", "3")]),
        ({"a": None, "b": [], "c": {}, "d": [None]}, []),
        ({"a": True, "b": 0.5, "c": "é\n"}, [("a", "true"), ("b", "0.5"), ("c", "é\n")]),
        ("text", [("", "text")]),
        ([{"a": ""}], [("a", "")]),
        ({1: "x"}, [("1", "x")]),
        (None, []),
    ],
)
def test_structures_as_entries(structure, entries):
    assert list(entries_of(structure)) == entries


def test_a_structure_may_be_of_any_depth():
    structure = "x"
    for _ in range(5000):
        structure = [structure]
    assert list(entries_of({"a": structure})) == [("a", "x")]


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("-1.5e3", -1500), ("007", 7), ("1.", None), ("", None), ("nan", None),
     ("1e999", None), ("0x1", None), (" 1", None), ("1_000", None), ("٣", None)],
)  # fmt: skip
def test_texts_as_numbers(text, number):
    assert number_of(text) == number


def test_values_as_text():
    assert text_of({"a": [1, None, "é"]}) == '{"a":[1,null,"é"]}'
    assert text_of(ID) == f'"{ID}"'


@pytest.mark.parametrize(
    ("text", "pattern", "fit"),
    [
        ("abc", "abc", True),
        ("ABC", "abc", True),
        ("É", "é", False),
        ("abc", "ab", False),
        ("abc", "ab%", True),
        ("abc", "%", True),
        ("", "%", True),
        ("", "", True),
        ("", "_", False),
        ("a\nb", "a_b", True),
        ("a\nb", "%\n%", True),
        ("abcabc", "%abc", True),
        ("aab", "%ab", True),
        ("ab", "ab%ab", False),
        ("aba", "ab%ba", False),
        ("100%", r"100\%", True),
        ("1000", r"100\%", False),
        ("a_b", r"a\_b", True),
        ("axb", r"a\_b", False),
        ("a\\b", r"a\b", True),
        ("a\\b", r"a\\b", True),
        ("[a]", "[a]", True),
        ("a.c", "a.c", True),
        ("abc", "a.c", False),
        ("xaybzc", "%a%b%c", True),
        ("xcyb", "%b%c", False),
        ("axcxd", "a%b%c%d", False),
        ("axbxc", "a%b%c%", True),
    ],
)
def test_patterns(text, pattern, fit):
    assert fits(text, canonical(pattern)) is fit


def test_a_pattern_that_nearly_fits_everywhere_takes_no_time():
    assert not fits("a" * 5000, "%a" * 400 + "%b")


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Don't: snake_case", ["don", "t", "snake", "case"]),
        ("ÉTÉ-2 “quoted”", ["été", "2", "quoted"]),
        ("Cafe\u0301", ["café"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("你好\uff0c世界", ["你好", "世界"]),
        ("so 🙂 good", ["so", "good"]),
        ("... _ !", []),
    ],
)
def test_terms(text, terms):
    assert terms_of(text) == terms
