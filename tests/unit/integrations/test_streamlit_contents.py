"""What is drawn in a Streamlit app, without one: nothing in it is taken for markup."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.integrations.markdown import fenced, quoted
from callboard.integrations.streamlit.contents import drawing_of, plain, without_images
from callboard.payloads import AIMessage, Document

texts = st.text(alphabet=st.sampled_from("`a !\\\n[]()")).filter(str.strip)


@given(texts)
def test_what_is_quoted_ends_where_its_quotes_do(text):
    shown = quoted(text)
    [ticks] = re.findall(r"^`+", shown)
    inside = shown[len(ticks) : -len(ticks)]
    assert shown.endswith(ticks)
    assert ticks not in re.findall(r"`+", inside)
    assert inside.strip() == " ".join(text.split())


@given(texts)
def test_what_is_fenced_ends_where_its_fence_does(text):
    first, *lines, last = fenced(text).split("\n")
    assert first == f"{last}text"
    assert not any(line.strip().startswith(last) for line in lines)
    assert "\n".join(lines) == text


@given(texts)
def test_markdown_without_images_has_none_that_could_have_an_address(text):
    shown = without_images(f"{text}![x](http://elsewhere.test)")
    assert "![" not in shown


def test_what_looks_like_an_image_and_has_no_address_stays_as_it_is():
    assert without_images("`vec![1, 2]`") == "`vec![1, 2]`"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"question": "tea?"}, "tea?"),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}),
        (AIMessage("Tea."), "Tea."),
        (
            AIMessage("", tool_calls=[{"name": "weigh", "args": {"g": 5}, "id": "1"}]),
            'weigh {"g":5}',
        ),
        (
            {"documents": [Document("Tea"), Document("Milk", {"from": 1})]},
            'Tea\n\nMilk\n{"from":1}',
        ),
        ([1, "two"], [1, "two"]),
        ([], []),
        (None, None),
    ],
)
def test_of_a_value_there_is_to_read(value, read):
    assert plain(value) == read


def test_text_is_drawn_as_code_and_the_rest_as_json_if_it_is_long():
    assert drawing_of("# No heading")[:2] == ("code", "# No heading")
    short = drawing_of({"a": 1})
    assert (short.method, short.body, short.options["language"]) == ("code", '{"a":1}', "json")
    assert drawing_of({"a": "x" * 300}).method == "json"


def test_what_is_very_long_is_cut_and_says_so():
    for value in ("x" * 50_000, {"a": "x" * 50_000}):
        drawing = drawing_of(value)
        assert drawing.method == "code"
        assert len(drawing.body) < 20_100
        assert drawing.body.endswith(" characters more)")
