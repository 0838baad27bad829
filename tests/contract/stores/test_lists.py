"""Lists of runs: which, in what order, page by page."""

from uuid import UUID

import pytest

from callboard.errors import BadOptionError
from callboard.query import parse
from callboard.query.nodes import one_of
from callboard.store.records import Page, ProjectQuery, RunQuery
from tests.contract.stores.made import (
    START_US,
    at,
    created,
    ended,
    listed,
    numbers,
    pages,
    run,
    said,
)

SECOND = 1_000_000


@pytest.fixture
def filled(store):
    """Three traces: 1 with 2, 3 and 4 in it; 5 alone, failed; 6 alone, pending, elsewhere."""
    store.write(
        [
            created(1, tags=["prod"], extra={"metadata": {"user": "ada", "thread_id": "T"}}),
            created(2, 1, run_type="llm", extra={"metadata": {"user": "ada", "node": "agent"}}),
            created(3, 1, run_type="tool", name="search", inputs={"q": "the blue whale"}),
            created(4, 1, 3, run_type="retriever"),
            created(5, tags=["prod", "slow"], reference_example_id=UUID(int=7)),
            created(6, session_name="elsewhere"),
            ended(1, 9),
            ended(2, outputs={"text": "A whale is blue.", "usage_metadata": usage(10, 5)}),
            ended(3, 2),
            ended(4),
            ended(5, 20, error="TimeoutError: too long"),
            said(90, "good", 1, score=0.5, comment="meh"),
        ]
    )
    return store


def usage(prompt, completion):
    return {
        "input_tokens": prompt,
        "output_tokens": completion,
        "total_tokens": prompt + completion,
    }


def test_the_newest_come_first_unless_asked_otherwise(filled):
    assert listed(filled) == [6, 5, 4, 3, 2, 1]
    assert listed(filled, newest_first=False) == [1, 2, 3, 4, 5, 6]


def test_equal_starts_are_ordered_by_id(store):
    store.write([created(number, start_time=at(0)) for number in (3, 1, 2)])
    assert listed(store) == [3, 2, 1]
    assert listed(store, newest_first=False) == [1, 2, 3]
    assert numbers(pages(store, limit=1)) == [3, 2, 1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"is_root": True}, [6, 5, 1]),
        ({"is_root": False}, [4, 3, 2]),
        ({"run_type": "llm"}, [2]),
        ({"run_type": "chain", "is_root": True}, [6, 5, 1]),
        ({"has_error": True}, [5]),
        ({"has_error": True, "is_root": True}, [5]),
        ({"has_error": False}, [6, 4, 3, 2, 1]),
        ({"trace_id": run(1)}, [4, 3, 2, 1]),
        ({"trace_id": run(1), "newest_first": False}, [1, 2, 3, 4]),
        ({"parent_run_id": run(1)}, [3, 2]),
        ({"since_us": START_US + 5 * SECOND}, [6, 5]),
        ({"until_us": START_US + 3 * SECOND}, [2, 1]),
        ({"since_us": START_US + 3 * SECOND, "until_us": START_US + 5 * SECOND}, [4, 3]),
        ({"reference_example_ids": [UUID(int=7), UUID(int=8)]}, [5]),
        ({"ids": [run(2), run(6), run(60)], "run_type": "tool"}, [6, 2]),
        ({"project_ids": [UUID(int=1)]}, []),
        ({"limit": 2}, [6, 5]),
        ({"limit": 0}, []),
    ],
)
def test_each_condition_holds(filled, query, found):
    assert listed(filled, **query) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("eq(is_root, true)", [6, 5, 1]),
        ('and(eq(is_root, true), has(tags, "prod"))', [5, 1]),
        ('has(tags, "slow")', [5]),
        ('not(has(tags, "prod"))', [6, 4, 3, 2]),
        ('and(eq(metadata_key, "user"), eq(metadata_value, "ada"))', [2, 1]),
        ('and(eq(metadata_key, "node"), eq(metadata_value, "agent"))', [2]),
        ('and(eq(metadata_key, "node"), eq(metadata_value, "ada"))', []),
        ('neq(metadata_key, "user")', [6, 5, 4, 3]),
        ('eq(status, "pending")', [6]),
        ("neq(error, null)", [5]),
        ('like(error, "timeout%")', [5]),
        ('gt(latency, "5s")', [5, 1]),
        ('not(gt(latency, "5s"))', [6, 4, 3, 2]),
        ("gt(total_tokens, 14)", [2, 1]),
        ("gt(total_tokens, 15)", []),
        ('eq(thread_id, "T")', [4, 3, 2, 1]),
        ('and(eq(is_root, true), eq(thread_id, "T"))', [1]),
        ('and(eq(feedback_key, "good"), gte(feedback_score, 0.5))', [1]),
        ('search("WHALE blue")', [3, 2]),
        ('search("timeouterror")', [5]),
        ('search(name, "search")', [3]),
        ('and(eq(input_key, "q"), like(input_value, "%whale"))', [3]),
        ("eq(execution_order, 3)", [3]),
        ('in(name, ["run 1", "search"])', [3, 1]),
        (f'eq(id, "{run(4)}")', [4]),
        (f'eq(parent_run_id, "{run(3)}")', [4]),
        (f'eq(trace_id, "{run(5)}")', [5]),
        (f'gt(start_time, "{at(4.5)}")', [6, 5]),
    ],
)
def test_filters_mean_what_the_law_of_filters_says(filled, text, found):
    assert listed(filled, filter=parse(text)) == found


def test_a_trace_filter_is_about_the_root_and_a_tree_filter_about_any_run_of_the_trace(filled):
    assert listed(filled, trace_filter=parse('has(tags, "prod")')) == [5, 4, 3, 2, 1]
    assert listed(filled, tree_filter=parse('eq(run_type, "retriever")')) == [4, 3, 2, 1]
    both = {"trace_filter": parse("gt(latency, 5)"), "tree_filter": parse('eq(name, "search")')}
    assert listed(filled, is_root=True, **both) == [1]
    assert listed(filled, filter=parse('eq(run_type, "llm")'), **both) == [2]


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize(
    "more", [{}, {"trace_id": run(1)}, {"is_root": True}, {"ids": list(map(run, range(9)))}]
)
def test_pages_neither_repeat_nor_miss_a_run(filled, more, newest_first):
    query = {"newest_first": newest_first, **more}
    whole_list = listed(filled, **query)
    for limit in (1, 2, 3, 7):
        assert numbers(pages(filled, limit=limit, **query)) == whole_list


def test_a_run_that_comes_meanwhile_does_not_disturb_the_pages(filled):
    first = filled.find_runs(RunQuery(limit=2))
    filled.write([created(9), created(8, 1)])
    rest = filled.find_runs(RunQuery(limit=10, cursor=first.next))
    assert numbers([*first.items, *rest.items]) == [6, 5, 4, 3, 2, 1]


def test_a_page_of_big_payloads_is_shorter_and_leads_on(store):
    big = "x" * 20_000_000
    store.write([created(number, inputs={"text": big}) for number in range(1, 6)])
    assert len(store.find_runs(RunQuery(limit=5)).items) == 5
    query = {"limit": 5, "fields": frozenset({"inputs"})}
    first = store.find_runs(RunQuery(**query))
    assert 1 <= len(first.items) < 5
    assert first.next is not None
    assert numbers(pages(store, **query)) == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("where", ["filter", "trace_filter", "tree_filter"])
@pytest.mark.parametrize("condition", ['has(tags, "{}")', 'eq(name, "{}")', 'search("zebra{}")'])
@pytest.mark.parametrize("word", ["and", "or", "not"])
def test_as_many_conditions_as_may_be_are_answered(filled, where, condition, word):
    each = [condition.format(number) for number in range(498)]
    text = f"{'and' if word == 'and' else 'or'}({', '.join(each)})"
    found = listed(filled, **{where: parse(f"not({text})" if word == "not" else text)})
    assert found == ([6, 5, 4, 3, 2, 1] if word == "not" else [])


def test_as_many_ids_as_may_be_are_answered(filled):
    ids = [run(number) for number in range(4, 1004)]
    found = listed(filled, tree_filter=one_of("id", [*ids]))
    assert found == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("cursor", ["", "nonsense", "bm8", "WyJydW5zIl0", "é"])
def test_what_is_no_cursor_is_refused(filled, cursor):
    with pytest.raises(BadOptionError, match="cursor"):
        filled.find_runs(RunQuery(cursor=cursor))


def test_a_cursor_of_another_list_is_refused(filled):
    cursor = filled.find_runs(RunQuery(limit=1)).next
    with pytest.raises(BadOptionError, match="cursor"):
        filled.find_runs(RunQuery(trace_id=run(1), newest_first=False, cursor=cursor))


def test_an_outline_is_the_tree_in_order_and_any_window_of_it(filled):
    whole_tree = filled.read_outline(run(1))
    assert numbers(whole_tree) == [1, 2, 3, 4]
    assert whole_tree[1].tokens.total == 15
    assert numbers(filled.read_outline(run(1), offset=1, limit=2)) == [2, 3]
    assert filled.read_outline(run(1), offset=4) == []
    assert filled.read_outline(run(99)) == []


def test_runs_of_an_outline_without_a_place_come_last_by_start(store):
    lost = [
        created(number, dotted_order=None, trace_id=run(1), parent_run_id=run(50))
        for number in (4, 3)
    ]
    store.write([*lost, created(1), created(2, 1)])
    assert numbers(store.read_outline(run(1))) == [1, 2, 3, 4]
    assert numbers(store.read_outline(run(1), offset=1, limit=2)) == [2, 3]
    assert numbers(store.read_outline(run(1), offset=3)) == [4]
    assert listed(store, trace_id=run(1), newest_first=False) == [1, 2, 3, 4]


def test_many_projects_make_one_list(store):
    store.write([created(number, session_name=f"project {number % 3}") for number in range(1, 10)])
    ids = [each.id for each in store.find_projects(ProjectQuery())]
    assert numbers(pages(store, limit=2)) == list(range(9, 0, -1))
    assert sorted(listed(store, project_ids=ids[:2])) != list(range(1, 10))
    assert listed(store, project_ids=ids) == list(range(9, 0, -1))


def test_no_more_is_read_than_is_asked_for(filled):
    for limit in (0, -1):
        assert filled.find_runs(RunQuery(limit=limit)) == Page([])
        assert filled.find_threads(RunQuery(limit=limit)) == Page([])
