"""What follows from what is told of a run."""

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from callboard.prices import NO_PRICES, Price, PriceTable, cost_of, tokens_of
from callboard.store.derived import (
    error_of,
    first_token_us,
    metadata_of,
    place_of_root,
    place_under,
    status_of,
    thread_of,
)
from callboard.store.previews import LENGTH, preview_of
from callboard.store.records import Cost, Tokens
from callboard.tracing.capture import Serialised, capture
from callboard.usage import usage_in_metadata, usage_in_outputs
from callboard.wire import json
from callboard.wire.orders import places
from tests.contract.stores.made import START_US, run


def message(kind, content, **more):
    return {"lc": 1, "type": "constructor", "id": [kind], "kwargs": {"content": content, **more}}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"messages": [[message("System", "Be kind."), message("Human", "Hi there")]]}, "Hi there"),
        (
            {"messages": [{"role": "user", "content": "Hi"}, {"role": "tool", "content": "42"}]},
            "42",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "text", "text": "Look"}, {"type": "image_url"}],
                    }
                ]
            },
            "Look",
        ),
        ({"prompts": ["Once upon"]}, "Once upon"),
        ({"generations": [[{"text": "a time", "message": message("AI", "a time")}]]}, "a time"),
        (
            {"generations": [[{"message": message("AI", "", tool_calls=[{"name": "search"}])}]]},
            "search(...)",
        ),
        (
            {
                "choices": [
                    {"message": {"content": None, "tool_calls": [{"function": {"name": "f"}}]}}
                ]
            },
            "f(...)",
        ),
        ({"question": "How high?"}, "How high?"),
        ({"anything": {"at all": "is found"}}, "is found"),
        ({"input": "", "output": "this"}, "this"),
        ({"a": 1, "b": 2}, '{"a":1,"b":2}'),
        ({"documents": [{"page_content": "first"}, {"page_content": "last"}]}, "last"),
        ("plain text", "plain text"),
        ({"x": "two\n lines"}, "two lines"),
        (7, "7"),
        ({}, None),
        ([], None),
        ({"messages": []}, None),
        ({"input": None}, None),
    ],
)
def test_a_preview_is_what_a_person_would_call_it(value, found):
    assert preview_of(json.encode(value)) == found


def test_a_preview_is_short_however_much_there_is():
    long = {"messages": [{"content": "word " * 50_000}, {"content": "the end " + "z" * 500}]}
    assert preview_of(json.encode(long)) == ("the end " + "z" * 500)[:LENGTH]
    assert len(preview_of(json.encode({"text": "x" * 1000}))) == LENGTH


def test_a_big_part_is_not_read_for_its_preview():
    big = b'{"messages": [{"content": "na\\u00efve \\"end\\""}], "blob": "%s"}' % (b"x" * 500_000)
    assert preview_of(big) == 'naïve "end"'
    assert preview_of(b"[%s 1]" % (b"1, " * 50_000)).startswith("[1, 1, 1")
    assert preview_of(b"no json at all") is None


def test_a_preview_that_is_cut_in_the_middle_of_a_character_is_still_text():
    for length in range(780, 800):
        big = b'{"content": "%s\\ud83d\\ude00 and more", "x": "%s"}' % (
            b"y" * length,
            b" " * 70_000,
        )
        assert preview_of(big).encode()


def deep(levels):
    value = "bottom"
    for _ in range(levels):
        value = [value]
    return value


def test_a_preview_does_not_follow_a_structure_for_ever():
    assert preview_of(json.encode(deep(5))) == "bottom"
    assert preview_of(json.encode(deep(100))) is None


@pytest.mark.parametrize(
    ("end_us", "error", "status"),
    [(None, None, "pending"), (None, "no", "pending"), (1, None, "success"), (1, "no", "error")],
)
def test_a_run_stands_by_its_end_and_its_error(end_us, error, status):
    assert status_of(end_us, error) == status


@pytest.mark.parametrize(
    ("part", "text"),
    [(b'"no"', "no"), (b'""', None), (b'{"message":"bad"}', "bad"), (b"[1,2]", "2"), (b"{}", "{}")],
)
def test_an_error_is_text_whatever_it_was_told_as(part, text):
    assert error_of(part) == text


@pytest.mark.parametrize(
    ("metadata", "thread"),
    [
        ({"session_id": "a", "thread_id": "b"}, "a"),
        ({"session_id": None, "conversation_id": None, "thread_id": "b"}, "b"),
        ({"thread_id": 7}, "7"),
        ({"thread_id": {"a": 1}}, '{"a":1}'),
        ({}, None),
    ],
)
def test_a_thread_is_named_by_the_first_key_that_is_not_null(metadata, thread):
    assert thread_of(metadata) == thread


@pytest.mark.parametrize(
    "extra", [b"{}", b"[]", b'{"metadata":[1]}', b'{"metadata":null}', b"nonsense"]
)
def test_there_is_no_metadata_where_there_is_none(extra):
    assert metadata_of(extra) == {}


@pytest.mark.parametrize(
    ("events", "found"),
    [
        (
            [
                {"name": "start"},
                {"name": "new_token", "time": START_US / 1000},
                {"name": "new_token", "time": 0},
            ],
            START_US,
        ),
        ([{"name": "new_token", "time": "2026-11-21T10:00:00Z"}], START_US),
        ([{"name": "end", "message": "new_token"}], None),
        ([{"name": "new_token"}], None),
        ({"new_token": 1}, None),
    ],
)
def test_the_first_token_came_when_the_first_such_event_says(events, found):
    assert first_token_us(json.encode(events)) == found


def test_a_place_that_is_made_is_one_that_the_wire_knows():
    made = place_under(place_of_root(run(1), START_US), run(2), -62_135_596_800_000_000)
    assert made.startswith("20261121T100000000000Z")
    assert ".00010101T000000000000Z" in made
    assert places(made) == [run(1), run(2)]


USAGE = {
    "input_tokens": 10,
    "output_tokens": 5,
    "total_tokens": 15,
    "input_token_details": {"cache_read": 4, "of_a_new_kind": 1},
    "output_token_details": {"reasoning": 2},
}
WHOLE = Tokens(10, 5, 15, {"cache_read": 4, "of_a_new_kind": 1}, {"reasoning": 2})


@pytest.mark.parametrize(
    "outputs",
    [
        {"usage_metadata": USAGE},
        {"generations": [[{"message": message("AI", "x", usage_metadata=USAGE)}]]},
    ],
)
def test_usage_is_found_wherever_clients_put_it(outputs):
    assert tokens_of(usage_in_outputs(outputs)) == WHOLE
    assert usage_in_metadata({"usage_metadata": USAGE}) is USAGE


def test_usage_of_several_prompts_is_added_up():
    generation = [
        {
            "message": message(
                "AI", "x", usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
            )
        }
    ]
    assert tokens_of(usage_in_outputs({"generations": [generation, generation]})) == Tokens(2, 4, 6)


def test_usage_of_a_provider_is_read():
    told = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    outputs = {"generations": [[{"text": "x"}]], "llm_output": {"token_usage": told}}
    assert tokens_of(usage_in_outputs(outputs)) == Tokens(10, 5, 15, {"cache_read": 4})


@pytest.mark.parametrize(
    "outputs",
    [
        None,
        [],
        "text",
        {},
        {"usage_metadata": None},
        {"usage_metadata": 5},
        {"generations": "no"},
        {"generations": []},
    ],
)
def test_there_is_no_usage_where_none_is_told(outputs):
    assert usage_in_outputs(outputs) is None


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"input_tokens": 3}, Tokens(3, None, 3)),
        ({"total_tokens": 3}, Tokens(None, None, 3)),
        ({"input_tokens": 2.0, "output_tokens": 1.0}, Tokens(2, 1, 3)),
        ({"input_tokens": True, "output_tokens": "4"}, None),
        ({"input_tokens": -1, "output_tokens": 1e300}, None),
        ({"total_cost": 1}, None),
        ({"total_tokens": 1, "input_token_details": ["no"]}, Tokens(None, None, 1)),
    ],
)
def test_what_is_no_count_is_not_counted(usage, tokens):
    assert tokens_of(usage) == tokens


PRICES = PriceTable.load(
    [
        {
            "name": "mini",
            "model": r"gpt-x-mini.*",
            "provider": "openai",
            "prompt": 1,
            "completion": 2,
        },
        {
            "name": "big",
            "model": r"gpt-x.*",
            "prompt": 10,
            "completion": 20,
            "prompt_details": {"cache_read": 1},
            "completion_details": {"reasoning": 40},
        },
    ]
)


def cost(metadata, usage=USAGE, prices=PRICES):
    return cost_of(usage, tokens_of(usage), metadata, prices)


def test_a_model_costs_what_its_price_says_kinds_with_prices_of_their_own_first():
    found = cost({"ls_model_name": "GPT-X-2026", "ls_provider": "openai"})
    assert found.prompt == pytest.approx((4 * 1 + 6 * 10) / 1e6)
    assert found.completion == pytest.approx((2 * 40 + 3 * 20) / 1e6)
    assert found.total == pytest.approx(found.prompt + found.completion)
    assert found.prompt_details == {"cache_read": pytest.approx(4e-6)}
    assert found.priced_by == "big"


def test_the_first_price_that_fits_the_model_and_its_provider_counts():
    assert cost({"ls_model_name": "gpt-x-mini", "ls_provider": "openai"}).priced_by == "mini"
    assert cost({"ls_model_name": "gpt-x-mini", "ls_provider": "azure"}).priced_by == "big"
    assert cost({"ls_model_name": "gpt-x-mini"}).priced_by == "big"


@pytest.mark.parametrize("metadata", [{}, {"ls_model_name": "unheard-of"}, {"ls_model_name": 5}])
def test_what_an_unknown_model_costs_is_unknown_and_not_nothing(metadata):
    assert cost(metadata) is None
    assert cost({"ls_model_name": "gpt-x"}, prices=NO_PRICES) is None


def test_what_a_client_says_that_a_run_cost_counts_before_any_price():
    told = {
        **USAGE,
        "input_cost": 0.5,
        "output_cost": 0.25,
        "input_cost_details": {"cache_read": 0.1},
    }
    assert cost({"ls_model_name": "gpt-x"}, told) == Cost(0.5, 0.25, 0.75, {"cache_read": 0.1})
    assert cost({}, {"total_cost": 2}) == Cost(None, None, 2.0)
    assert cost({}, {"total_cost": "2"}) is None


def test_a_price_table_that_is_none_is_refused():
    from callboard.errors import BadOptionError

    with pytest.raises(BadOptionError, match="regular expression"):
        PriceTable([Price("bad", "gpt(", 1, 1)])
    with pytest.raises(BadOptionError, match="row of the price table"):
        PriceTable.load([{"name": "x", "colour": "red"}])


CALL = {"name": "search", "args": {"q": "Oslo"}, "id": "1"}
USAGE = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}


@pytest.mark.parametrize("form", [Serialised, lambda value: value], ids=["lc", "plain"])
@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"messages": [HumanMessage("Hi"), AIMessage("Hello")]}, "Hello"),
        ({"messages": [[HumanMessage("Hi")]]}, "Hi"),
        ({"output": AIMessage("", tool_calls=[CALL])}, "search(...)"),
        ({"output": ToolMessage("42", tool_call_id="1")}, "42"),
        ({"documents": [Document("rain"), Document("sun", id="1")]}, "sun"),
    ],
)
def test_a_preview_is_the_same_in_either_form_of_langchains_objects(form, value, found):
    assert preview_of(json.encode(capture(form(value)))) == found


@pytest.mark.parametrize("form", [Serialised, lambda value: value], ids=["lc", "plain"])
def test_usage_is_found_in_either_form_of_langchains_objects(form):
    message = AIMessage("hi", usage_metadata=USAGE)
    told = capture({"generations": [[{"text": "hi", "message": form(message)}]]})
    assert usage_in_outputs(json.decode(json.encode(told))) == USAGE
