"""What is wrong with a filter: one sentence, and where."""

import json
import pickle
import re
from contextlib import suppress

import pytest

from callboard.errors import CallboardError, FilterError
from callboard.query import EXAMPLE_FIELDS, THREAD_FIELDS, parse
from callboard.query.fields import RUN_FIELDS
from callboard.query.syntax import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_PATTERN,
    MAX_TERMS,
    OPERATORS,
)


def refused(text, fields=RUN_FIELDS):
    with pytest.raises(FilterError) as caught:
        parse(text, fields)
    assert caught.value.text == text
    return caught.value


WRONG = {
    "foo(x)": (
        1,
        "'foo'",
        "a condition such as eq(name, ...), with one of the operators: and, or,",
    ),
    'equals(name, "x")': (1, "'equals'", "operators"),
    'nee(name, "x")': (1, "'nee'", "did you mean neq?"),
    'eq(nmae, "x")': (4, "'nmae'", "a field of runs (did you mean name?)"),
    'eq(Name, "x")': (4, "'Name'", "did you mean name?"),
    "eq(xyz, 1)": (4, "'xyz'", "a field of runs: id, run_id, name,"),
    'eq(metadata.env, "x")': (4, "'metadata.env'", 'and(eq(metadata_key, "env"), ...)'),
    'gt(name, "x")': (1, "'gt'", "where name takes the operators eq, neq, in, like, notlike and"),
    "search(latency, x)": (1, "'search'", "where latency takes the operators"),
    'gt(latency, "soon")': (13, '"soon"', "where latency takes seconds as a number, or a duration"),
    "gt(latency, null)": (13, "'null'", "where latency takes seconds"),
    "gt(latency, -5s)": (13, "'-5s'", "seconds"),
    "gt(total_tokens, many)": (18, "'many'", "where total_tokens takes a number"),
    "gt(total_tokens, nan)": (18, "'nan'", "a number"),
    "gt(total_cost, 1e999)": (16, "'1e999'", "a number"),
    'gt(start_time, "yesterday")': (16, '"yesterday"', 'a time such as "2026-'),
    'gt(start_time, "0001-01-01T00:00:00+14:00")': (16, '"0001', "a time such as"),
    'eq(id, "abc")': (8, '"abc"', "where id takes a UUID"),
    "eq(is_root, maybe)": (13, "'maybe'", "true or false"),
    "in(name, x)": (10, "'x'", "'['"),
    "in(error, [null])": (12, "'null'", "text"),
    'in(name, ["a" "b"])': (15, '"b"', "','"),
    "eq(tags, null)": (10, "'null'", "tags takes text, and is never null"),
    "eq(metadata_key, null)": (18, "'null'", "metadata_key takes text, and is never null"),
    "has(metadata, 'env')": (15, '"env"', "a JSON object in quotes"),
    "has(metadata, '[1]')": (15, '"[1]"', "a JSON object"),
    "has(metadata, '{\"a\": NaN}')": (15, '"{"a": NaN}"', "a JSON object"),
    "has(metadata, '{\"a\": 1e999}')": (15, '"{"a": 1e999}"', "a JSON object"),
    r"""has(metadata, '{"a": "\ud800"}')""": (15, "half of a surrogate pair", ""),
    "search('!?')": (8, '"!?"', "text of 1 to 100 words"),
    'eq(name, "x)': (10, 'opens a text with " at column 10, and never closes it', ""),
    r'eq(name, "\udc00")': (10, "half of a surrogate pair", ""),
    'eq(name, "x"': (13, "its end", "')'"),
    "eq(name": (8, "its end", "','"),
    "eq(": (4, "its end", "a field of runs: id"),
    "eq": (3, "its end", "'('"),
    "and(": (5, "its end", "a condition"),
    "eq(name, )": (10, "')'", "text"),
    "eq(name, , 1)": (10, "','", "text"),
    "and(eq(name, a),)": (17, "')'", "a condition"),
    "not()": (5, "')'", "a condition"),
    "not(eq(name, a), eq(name, b))": (16, "','", "')'"),
    'eq(name, "a") and eq(name, "b")': (15, "'and'", "joined as and(..., ...)"),
    'eq(name, "a"), eq(name, "b")': (14, "','", "its end"),
    '"eq"(name, "a")': (1, '"eq"', "a condition"),
    "(eq(name, a))": (1, "'('", "a condition"),
}


@pytest.mark.parametrize("text", WRONG)
def test_an_error_says_where_it_is_what_it_found_and_what_is_taken(text):
    column, found, takes = WRONG[text]
    error = refused(text)
    message = str(error)
    assert error.column == column
    assert f"column {column}" in message
    assert found in message
    assert takes in message
    assert re.fullmatch(r"The filter .*\.", message)


def test_a_pointer_shows_the_column():
    assert refused("eq(nmae, x)").pointer == "eq(nmae, x)\n   ^"


def test_a_pointer_shows_the_part_around_the_column_on_one_line():
    line, caret = refused("and(\n" + "eq(name, x)," * 50 + "eq(nmae, x)" + ")" * 99).pointer.split(
        "\n"
    )
    assert len(line) <= 100
    assert line[caret.index("^") :].startswith("nmae")


def test_what_is_found_is_cut_short():
    assert len(str(refused("eq(id, " + "x" * 5000 + ")"))) < 200


def test_other_things_have_other_fields():
    assert "a field of threads" in str(refused("eq(run_type, llm)", THREAD_FIELDS))
    assert "a field of examples" in str(refused("eq(name, x)", EXAMPLE_FIELDS))


def test_an_unknown_operator_is_told_all_there_are():
    message = str(refused("xyzzy(name)"))
    assert all(name in message for name in OPERATORS)


def test_an_error_survives_pickling():
    error = refused("eq(nmae, x)")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.pointer) == (str(error), error.pointer)
    assert isinstance(copy, CallboardError)
    assert isinstance(copy, ValueError)


# Each limit, at it and one over it.


def conditions(count):
    return f"and({','.join(['eq(name,a)'] * count)})"


def nested(depth):
    return "not(" * depth + "eq(name,a)" + ")" * depth


def object_of(count):
    return f"has(metadata, '{json.dumps(dict.fromkeys(range(count), 1))}')"


@pytest.mark.parametrize(
    ("at", "over"),
    [
        ("eq(name,a)".ljust(MAX_LENGTH), "eq(name,a)".ljust(MAX_LENGTH + 1)),
        (nested(MAX_DEPTH), nested(MAX_DEPTH + 1)),
        (conditions(MAX_CONDITIONS), conditions(MAX_CONDITIONS + 1)),
        (object_of(MAX_CONDITIONS - 1), object_of(MAX_CONDITIONS)),
        (f"search('{'1 ' * 9}')", f"search('{' '.join(map(str, range(MAX_TERMS + 1)))}')"),
        (f"like(name, '{'%' * MAX_PATTERN}')", f"like(name, '{'%' * (MAX_PATTERN + 1)}')"),
    ],
    ids=["length", "depth", "conditions", "object", "terms", "pattern"],
)
def test_limits(at, over):
    parse(at)
    assert "at most" in str(refused(over)) or "1 to 100" in str(refused(over))


def test_an_object_of_any_depth_is_read_or_refused():
    depth = 5000
    with suppress(FilterError):
        parse("has(metadata, '" + '{"a":' * depth + "1" + "}" * depth + "')")
