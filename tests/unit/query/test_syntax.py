"""Text to nodes: what each form of a value means."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from callboard.query import THREAD_FIELDS, parse
from callboard.query.nodes import (
    NOTHING,
    And,
    Compare,
    Entry,
    HasTag,
    IsNull,
    Like,
    Not,
    OneOf,
    Or,
    Search,
)
from callboard.query.values import DOCUMENT, OBJECT, TAGS

ID = UUID("4070f233-f61e-44eb-bff1-da3c163895a3")


def value(text):
    node = parse(text)
    assert isinstance(node, Compare)
    return node.value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("plain", "plain"),
        ("'single'", "single"),
        ('"double"', "double"),
        ('"it\'s"', "it's"),
        (r"'it\'s'", "it's"),
        (r'"say \"hi\""', 'say "hi"'),
        (r'"a\\b\/c\n\t\r\b\f"', "a\\b/c\n\t\r\b\f"),
        (r'"\u00e9\ud83d\ude00"', "é😀"),
        (r'"C:\dir"', r"C:\dir"),
        (r'"\d+"', r"\d+"),
        ('"two\nlines"', "two\nlines"),
        ('""', ""),
        ('"null"', "null"),
        ("007", "007"),
        ("true", "true"),
        ("a.b-c/d:e=f", "a.b-c/d:e=f"),
        ("naïve", "naïve"),
    ],
)
def test_text(written, meant):
    assert value(f"eq(name, {written})") == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("5", 5),
        ("-5", -5),
        ("0.25", 0.25),
        ("1e3", 1000),
        ("'7'", 7),
        ("5000.0", 5000),
        ("9007199254740993", 9007199254740993),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("9223372036854775808", 9223372036854775808.0),
        ("99999999999999999999999", 1e23),
    ],
)
def test_numbers(written, meant):
    found = value(f"gt(total_tokens, {written})")
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("5", 5.0),
        ('"5"', 5.0),
        ("5s", 5.0),
        ('"200ms"', 0.2),
        ('"1.5m"', 90.0),
        ('"2 h"', 7200.0),
        ('"1m30s"', 90.0),
        ('"1h 2m 3s"', 3723.0),
        ('"1d"', 86_400.0),
        ('"5S"', 5.0),
        ('"7us"', 7e-6),
    ],
)
def test_durations(written, seconds):
    found = value(f"gt(latency, {written})")
    assert found == pytest.approx(seconds)
    assert type(found) is float


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ('"2026-11-21T18:44:30Z"', datetime(2026, 11, 21, 18, 44, 30, tzinfo=UTC)),
        ('"2026-11-21T18:44:30"', datetime(2026, 11, 21, 18, 44, 30, tzinfo=UTC)),
        ('"2026-11-21 18:44:30.5"', datetime(2026, 11, 21, 18, 44, 30, 500_000, tzinfo=UTC)),
        ('"2026-11-21T18:44:30+02:00"', datetime(2026, 11, 21, 16, 44, 30, tzinfo=UTC)),
        ('"2026-11-21T18:44:30.123456789Z"', datetime(2026, 11, 21, 18, 44, 30, 123456, UTC)),
        ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
    ],
)
def test_times(written, moment):
    found = value(f"gte(start_time, {written})")
    assert (found, found.tzinfo) == (moment, UTC)


@pytest.mark.parametrize("written", ["true", "True", '"true"', "1"])
def test_true(written):
    assert value(f"eq(is_root, {written})") is True


@pytest.mark.parametrize("written", ["false", "FALSE", "'false'", "0"])
def test_false(written):
    assert value(f"eq(is_root, {written})") is False


def test_ids():
    assert value(f"eq(id, {ID})") == ID
    assert value(f'eq(parent_run_id, "{str(ID).upper()}")') == ID


def test_true_is_a_score_of_one():
    assert value_in_entry("eq(feedback_score, true)") == 1
    assert value_in_entry('eq(feedback_score, "0.5")') == 0.5


def value_in_entry(text):
    [asked] = parse(text).values
    return asked.value


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('eq(metadata_value, "5")', "5"),
        ("eq(metadata_value, 5)", 5),
        ("eq(metadata_value, true)", "true"),
        ("eq(metadata_value, prod)", "prod"),
        ("gt(metadata_value, 5)", 5),
        ('gt(metadata_value, "5")', 5),
        ('gt(metadata_value, "2026-01-01")', "2026-01-01"),
    ],
)
def test_values_of_entries_are_text_or_numbers(text, meant):
    found = value_in_entry(text)
    assert (found, isinstance(found, str)) == (meant, isinstance(meant, str))


def test_names_of_operators_may_be_in_capitals_and_spaces_anywhere():
    assert parse(' AND (\n eq( name ,"a" ) ,\tNot(eq(name,"b")))') == And(
        (Compare("name", "eq", "a"), Not(Compare("name", "eq", "b")))
    )


def test_null():
    assert parse("eq(error, null)") == IsNull("error")
    assert parse("neq(error, NULL)") == Not(IsNull("error"))
    assert parse("eq(parent_run_id, none)") == IsNull("parent_run_id")


def test_lists():
    assert parse('in(name, ["a", b, "a"])') == OneOf("name", ("a", "b"))
    assert parse('in(name, ["a"])') == Compare("name", "eq", "a")
    assert parse("in(name, [])") == NOTHING
    assert parse(f"in(id, [{ID}])") == Compare("id", "eq", ID)
    assert parse("in(tags, [a, b])") == Or((HasTag("a"), HasTag("b")))


def test_tags():
    assert parse("has(tags, x)") == parse("eq(tags, x)") == HasTag("x")
    assert parse("neq(tags, x)") == Not(HasTag("x"))


def test_patterns():
    assert parse(r'like(name, "%a_\%\\\d")') == Like("name", r"%a_\%\\d")
    assert parse('notlike(error, "x%")') == Not(Like("error", "x%"))


def test_searches():
    assert parse('search("Refund, please: refund #42")') == Search(("refund", "please", "42"))
    assert parse("search(error, timeout)") == Search(("timeout",), "error")
    assert parse('search("snake_case Ünï")') == Search(("snake", "case", "ünï"))
    assert parse('like(outputs, "%big%")') == Search(("big",), "outputs")


def test_an_alias_is_the_field_it_stands_for():
    assert parse(f"eq(run_id, {ID})") == Compare("id", "eq", ID)
    assert parse("gt(count, 3)", THREAD_FIELDS) == Compare("turn_count", "gt", 3)
    assert parse("search(input, x)") == Search(("x",), "inputs")


def test_nothing_is_asked_by_an_empty_filter():
    assert parse("") == parse("  \n") == parse("and()") == And(())
    assert parse("or()") == NOTHING


def test_what_is_nested_is_flattened():
    a, b, c = (Compare("name", "eq", each) for each in "abc")
    assert parse("and(and(eq(name,a), and(eq(name,b))), eq(name,c))") == And((a, b, c))
    assert parse("or(eq(name,a), or(eq(name,b), eq(name,c)))") == Or((a, b, c))
    assert parse("not(not(eq(name,a)))") == a
    assert parse("not(neq(name,a))") == a
    assert parse("and(or(and(eq(name,a))))") == a


def entry(key, *values):
    asked = (Compare("metadata_value", "eq", value) for value in values)
    return Entry("metadata", Compare("metadata_key", "eq", key), tuple(asked))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('{"a": "x"}', entry("a", "x")),
        ('{"a": "x", "b": "y"}', And((entry("a", "x"), entry("b", "y")))),
        ('{"a": {"b": ["x", "y"]}}', And((entry("a.b", "x"), entry("a.b", "y")))),
        ('{"n": 1.0, "t": true}', And((entry("n", 1), entry("t", "true")))),
        ('{"n": "1"}', entry("n", "1")),
        ('{"a": null}', Not(entry("a"))),
        ("{}", And(())),
        (r'{"path": "C:\\temp"}', entry("path", r"C:\temp")),
        (r'{"say": "\"hi\"\n"}', entry("say", '"hi"\n')),
    ],
)
def test_objects_are_entries(written, meant):
    assert parse(f"has(metadata, '{written}')") == meant


def test_the_quotes_in_an_object_may_be_escaped():
    assert parse(r'has(metadata, "{\"a\": \"x\"}")') == entry("a", "x")


def test_objects_in_inputs_and_outputs():
    assert parse("has(outputs, '{\"answer\": 42}')") == Entry(
        "output", Compare("output_key", "eq", "answer"), (Compare("output_value", "eq", 42),)
    )
    assert parse("exists(inputs, question)") == Entry(
        "input", Compare("input_key", "eq", "question")
    )


def test_types_that_are_more_than_one_value_have_no_order():
    for each in (TAGS, OBJECT, DOCUMENT):
        assert not {"gt", "lt"} & set(each.operators)
