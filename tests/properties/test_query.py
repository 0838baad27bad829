"""Whatever a filter says, it is read, written and answered by the same laws; garbage is refused."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from callboard.errors import FilterError
from callboard.query import RUN_FIELDS, RunFacts, matches, parse, to_text
from callboard.query.entries import number_of
from callboard.query.nodes import (
    And,
    Compare,
    Entry,
    HasTag,
    IsNull,
    Like,
    Not,
    Search,
    all_of,
    any_of,
    negated,
    one_of,
)
from callboard.query.patterns import canonical, fits
from callboard.query.syntax import OPERATORS
from callboard.query.terms import terms_of
from callboard.query.values import (
    CHOICE,
    FLAG,
    MIXED,
    MOMENT,
    NUMBER,
    SECONDS,
    TEXT,
    TEXT_WORDS,
    UUID_TYPE,
    is_exact,
)

# Few values, so that runs often have what filters ask for; and any text now and then.
WORDS = st.sampled_from(["a", "b", "ab", "A b", "1", "10", "true", ""])
TEXTS = WORDS | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = (
    st.sampled_from([0, 1, 10, 2.5, -1])
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).map(
        lambda number: int(number) if number.is_integer() and abs(number) < 2**53 else number
    )
)
VALUES = {
    TEXT: TEXTS,
    TEXT_WORDS: TEXTS,
    CHOICE: WORDS.map(str.lower),
    NUMBER: NUMBERS,
    SECONDS: st.sampled_from([0.0, 1.5]) | st.floats(0, 1e6),
    MOMENT: st.datetimes(timezones=st.just(UTC)) | st.just(datetime(2026, 11, 21, tzinfo=UTC)),
    UUID_TYPE: st.sampled_from([UUID(int=1), UUID(int=2)]) | st.uuids(),
    FLAG: st.booleans(),
    MIXED: TEXTS | NUMBERS.filter(is_exact),
}
ORDERS = st.sampled_from(["gt", "gte", "lt", "lte"])
PLAIN = [field for field in RUN_FIELDS if field.entry is None and field.type in VALUES]
KINDS = ["metadata", "feedback", "input", "output"]
KEYS = {kind: RUN_FIELDS.key_of(kind) for kind in KINDS}
PARTS = {
    kind: [row for row in RUN_FIELDS if row.entry == kind and row.is_in_entry and not row.is_key]
    for kind in KINDS
}


@st.composite
def conditions(draw, fields, null=True):
    """One condition on one of the fields."""
    field = draw(st.sampled_from(fields))
    forms = {"eq", "gt", "in", "like"} & set(field.type.operators)
    form = draw(st.sampled_from(sorted(forms | {"null"} if null else forms)))
    if form == "null":
        return IsNull(field.name)
    if form == "like":
        return Like(field.name, canonical(draw(st.text(r"ab%_\1", max_size=6))))
    if form == "in":
        return one_of(field.name, draw(st.lists(VALUES[field.type], min_size=1, max_size=3)))
    value = draw(VALUES[field.type])
    if form == "eq":
        return Compare(field.name, "eq", value)
    # Text that reads as a number is one where an order is asked for.
    read = number_of(value) if isinstance(value, str) else None
    return Compare(field.name, draw(ORDERS), value if read is None else read)


def combined(inner):
    return (
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: all_of(*parts))
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: any_of(*parts))
        | inner.map(negated)
    )


@st.composite
def entries(draw):
    """An entry, in the forms that the pair rule gives it."""
    kind = draw(st.sampled_from(KINDS))
    asked = conditions(PARTS[kind])
    if draw(st.booleans()):
        key = draw(conditions([KEYS[kind]], null=False))
        values = all_of(*draw(st.lists(st.recursive(asked, combined, max_leaves=3), max_size=2)))
        return Entry(kind, key, values.parts if isinstance(values, And) else (values,))
    is_set = st.sampled_from(PARTS[kind]).map(lambda field: Not(IsNull(field.name)))
    return Entry(kind, None, tuple(draw(st.lists(asked | is_set, min_size=1, max_size=2))))


SEARCHES = st.builds(
    Search,
    st.lists(st.sampled_from(["a", "b", "10", "été"]), min_size=1, unique=True).map(tuple),
    st.sampled_from([None, "name", "error", "inputs", "outputs"]),
)
FILTERS = st.recursive(
    conditions(PLAIN) | st.builds(HasTag, TEXTS) | SEARCHES | entries(), combined, max_leaves=8
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
RUNS = st.builds(
    RunFacts,
    fields=st.fixed_dictionaries(
        {}, optional={field.name: st.none() | VALUES[field.type] for field in PLAIN}
    ),
    tags=st.lists(WORDS, max_size=2),
    metadata=st.dictionaries(WORDS, JSON, max_size=3),
    feedback=st.lists(
        st.fixed_dictionaries(
            {"key": WORDS},
            optional={
                "score": st.none() | st.booleans() | st.integers(-1, 10),
                "value": JSON,
                "source": WORDS,
                "comment": st.none() | WORDS,
            },
        ),
        max_size=3,
    ),
    inputs=JSON,
    outputs=JSON,
)


@given(FILTERS)
def test_what_is_written_is_read_again_and_written_in_the_same_form(node):
    text = to_text(node)
    assert parse(text) == node
    assert to_text(parse(text)) == text


@given(FILTERS, RUNS)
def test_a_filter_is_true_or_false_of_a_run_never_both(node, run):
    text = to_text(node)
    assert matches(parse(f"not({text})"), run) is not matches(node, run)


@given(FILTERS, FILTERS, RUNS)
def test_and_or_and_not_are_those_of_logic(one, other, run):
    a, b = f"and({to_text(one)})", f"and({to_text(other)})"
    is_a, is_b = matches(one, run), matches(other, run)

    def holds(text):
        return matches(parse(text), run)

    assert holds(f"and({a}, {b})") is holds(f"and({b}, {a})") is (is_a and is_b)
    assert holds(f"or({a}, {b})") is holds(f"or({b}, {a})") is (is_a or is_b)
    assert holds(f"not(and({a}, {b}))") is holds(f"or(not({a}), not({b}))")
    assert holds(f"not(or({a}, {b}))") is holds(f"and(not({a}), not({b}))")


@given(WORDS, WORDS, st.dictionaries(WORDS, WORDS, max_size=3))
def test_the_pair_rule(key, value, metadata):
    run = RunFacts(metadata=metadata)
    is_key, is_value = f"metadata_key, '{key}'", f"metadata_value, '{value}'"

    def holds(text):
        return matches(parse(text), run)

    here = metadata.get(key)
    assert holds(f"and(eq({is_key}), eq({is_value}))") is (here == value)
    assert holds(f"and(eq({is_key}), neq({is_value}))") is (here not in {None, value})
    assert holds(f"neq({is_key})") is (key not in metadata)
    assert holds(f"and(neq({is_key}), neq({is_value}))") is (
        key not in metadata and value not in metadata.values()
    )
    assert holds(f"and(neq({is_key}), eq({is_value}))") is (
        key not in metadata and value in metadata.values()
    )


@given(RUNS, st.sampled_from(PLAIN), st.data())
def test_of_a_value_one_of_less_equal_and_greater_is_true_and_of_null_none(run, field, data):
    value = data.draw(VALUES[field.type])
    operators = ["lt", "eq", "gt"] if "lt" in field.type.operators else ["eq"]
    found = [matches(Compare(field.name, operator, value), run) for operator in operators]
    if run.fields.get(field.name) is None:
        assert not any(found)
    elif len(operators) > 1:
        assert found.count(True) == 1
    else:
        assert found == [run.fields[field.name] == value]


@given(TEXTS, TEXTS, TEXTS)
def test_a_text_fits_the_pattern_of_its_parts(before, middle, after):
    literal = "".join(f"\\{each}" if each in r"\%_" else each for each in middle)
    text = before + middle + after
    assert fits(text, canonical(f"%{literal}%"))
    assert fits(text, canonical("_" * len(text)))
    assert fits(middle, canonical(literal))


LETTERS = st.text("aAbÉé%_\\\n", max_size=8)


@given(LETTERS, LETTERS)
@example("aab", "%ab")
@example("aba", "ab%ba")
def test_a_pattern_fits_what_it_fits_in_sqlite(text, pattern):
    with closing(sqlite3.connect(":memory:")) as database:
        query = r"SELECT ? LIKE ? ESCAPE '\'"
        [(fit,)] = database.execute(query, (text, canonical(pattern)))
    assert fits(text, canonical(pattern)) is bool(fit)


@given(st.text(max_size=30), st.text(max_size=30))
def test_terms_do_not_depend_on_what_is_around_them(one, other):
    assert terms_of(f"{one} {other}") == terms_of(one) + terms_of(other)
    assert terms_of(" ".join(terms_of(one))) == terms_of(one)


PIECES = st.sampled_from(
    [
        *OPERATORS,
        *RUN_FIELDS.names,
        *"()[],\"'\\",
        "(",
        ")",
        ",",
        " ",
        "null",
        "5s",
        "1e999",
        '{"a":1}',
    ]
)


@given(st.text(max_size=60) | st.lists(PIECES, max_size=25).map("".join))
@example("eq(name, \ud800)")
@example("in(id,[")
@example('has(metadata,"{\\"a\\":\\"\\ud800\\"}")')
@example("gt(total_tokens, " + "9" * 5000 + ")")
@example("gt(latency, " + "9" * 400 + "d)")
@example("gt(start_time, 9999-12-31T23:59:59-14:00)")
def test_garbage_is_refused_with_a_place_in_it(text):
    try:
        node = parse(text)
    except FilterError as error:
        refusal = error
    else:
        assert parse(to_text(node)) == node
        return
    assert 1 <= refusal.column <= len(text) + 1
    line, caret = refusal.pointer.split("\n")
    assert len(caret) <= len(line) + 1
