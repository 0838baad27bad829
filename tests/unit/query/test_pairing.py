"""The pair rule: which conditions are asked of the same entry."""

import pytest

from callboard.query import RunFacts, matches, parse

PHONE = RunFacts(metadata={"phone": "123"})
OTHER_PHONE = RunFacts(metadata={"phone": "456"})
NUMBER_ELSEWHERE = RunFacts(metadata={"fax": "123"})
BOTH = RunFacts(metadata={"phone": "456", "fax": "123"})
NEITHER = RunFacts(metadata={"name": "Ada"})
NONE = RunFacts()

RUNS = {
    "phone": PHONE,
    "other": OTHER_PHONE,
    "elsewhere": NUMBER_ELSEWHERE,
    "both": BOTH,
    "neither": NEITHER,
    "none": NONE,
}

KEY, VALUE = 'eq(metadata_key, "phone")', 'eq(metadata_value, "123")'
NO_KEY, NO_VALUE = 'neq(metadata_key, "phone")', 'neq(metadata_value, "123")'


@pytest.mark.parametrize(
    ("text", "true_of"),
    [
        (KEY, "phone other both"),
        (VALUE, "phone elsewhere both"),
        (NO_KEY, "elsewhere neither none"),
        (NO_VALUE, "other neither none"),
        (f"and({KEY}, {VALUE})", "phone"),
        (f"and({VALUE}, {KEY})", "phone"),
        (f"and({KEY}, {NO_VALUE})", "other both"),
        (f"and({KEY}, not({VALUE}))", "other both"),
        (f"and({NO_KEY}, {VALUE})", "elsewhere"),
        (f"and({NO_KEY}, {NO_VALUE})", "neither none"),
        (f"and({KEY}, and({VALUE}))", "phone"),
        (f"and(and({KEY}), and({VALUE}))", "phone both"),
        (f"and({KEY}, or({VALUE}, eq(metadata_value, '456')))", "phone other both"),
        (f"and({KEY}, or(eq(metadata_value, '0'), not({VALUE})))", "other both"),
        (f"or({KEY}, {VALUE})", "phone other elsewhere both"),
        (f"not(and({KEY}, {VALUE}))", "other elsewhere both neither none"),
        (f"and(in(metadata_key, [phone, fax]), {VALUE})", "phone elsewhere both"),
        (f"and(like(metadata_key, 'PH%'), {VALUE})", "phone"),
        (f"and({KEY}, gt(metadata_value, 100), lt(metadata_value, 200))", "phone"),
        ("and(gt(metadata_value, 200), lt(metadata_value, 500))", "other both"),
        ("and(gt(metadata_value, 100), lt(metadata_value, 130))", "phone elsewhere both"),
        (f"and({KEY}, eq(metadata_value, 456), eq(metadata_key, fax), {VALUE})", "both"),
        (f"and({KEY}, eq(metadata_key, fax))", "both"),
        (f"and({KEY}, eq(metadata_value, null))", ""),
        (f"and({KEY}, neq(metadata_value, null))", "phone other both"),
    ],
)
def test_metadata(text, true_of):
    assert [name for name, run in RUNS.items() if matches(parse(text), run)] == true_of.split()


LIKED = {"key": "liked", "score": 1, "source": "app", "comment": "Nice"}
RIGHT = {"key": "right", "score": 0.2, "source": "model", "value": "partly"}
UNRATED = {"key": "noted", "score": None, "comment": "to read"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("and(eq(feedback_key, liked), eq(feedback_score, 1))", True),
        ("and(eq(feedback_key, right), eq(feedback_score, 1))", False),
        ("and(eq(feedback_key, right), lt(feedback_score, 0.5), eq(feedback_source, model))", True),
        ("and(eq(feedback_key, right), lt(feedback_score, 0.5), eq(feedback_source, app))", False),
        ("and(eq(feedback_score, 1), eq(feedback_source, model))", False),
        ("and(eq(feedback_key, noted), eq(feedback_score, null))", True),
        ("and(eq(feedback_key, liked), eq(feedback_score, null))", False),
        ("and(eq(feedback_key, liked), neq(feedback_score, null))", True),
        ("neq(feedback_score, null)", True),
        ("not(eq(feedback_score, null))", False),
        ("not(neq(feedback_score, null))", False),
        ("and(eq(feedback_key, noted), not(eq(feedback_score, null)))", False),
        ("and(eq(feedback_key, right), eq(feedback_value, PARTLY))", False),
        ("and(eq(feedback_key, right), like(feedback_value, PART%))", True),
        ('like(feedback_comment, "%read")', True),
    ],
)
def test_feedback(text, expected):
    assert matches(parse(text), RunFacts(feedback=[LIKED, RIGHT, UNRATED])) is expected


def test_conditions_on_values_are_of_the_entry_whose_key_is_before_them():
    text = (
        "and(eq(feedback_key, liked), eq(feedback_score, 1), "
        "eq(feedback_key, right), lt(feedback_score, 0.5))"
    )
    assert matches(parse(text), RunFacts(feedback=[LIKED, RIGHT]))
    assert not matches(parse(text.replace("0.5", "0.1")), RunFacts(feedback=[LIKED, RIGHT]))


def test_a_kind_of_entry_is_not_joined_with_another():
    text = "and(eq(input_key, q), eq(output_key, a), eq(input_value, 1), eq(output_value, 2))"
    assert matches(parse(text), RunFacts(inputs={"q": 1}, outputs={"a": 2}))
    assert not matches(parse(text), RunFacts(inputs={"q": 2}, outputs={"a": 1}))
