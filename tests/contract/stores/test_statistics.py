"""What runs come to: each model run once, whatever the order in which they came."""

from itertools import permutations
from uuid import UUID

import pytest

from callboard.errors import BadOptionError
from callboard.query import THREAD_FIELDS, parse
from callboard.store.records import ProjectQuery, RunQuery
from tests.contract.stores.made import START_US, created, ended, run, said, whole


def model(number, *path, prompt=10, cost=0.5, **fields):
    usage = {
        "input_tokens": prompt,
        "output_tokens": 1,
        "total_tokens": prompt + 1,
        "input_cost": cost,
    }
    fields = {"run_type": "llm", "outputs": {"usage_metadata": usage}, **fields}
    return created(number, *path, **fields)


def test_models_inside_models_count_alone(store):
    runs = [created(1), model(2, 1, prompt=100), model(3, 1, 2, prompt=40), model(4, 1, prompt=7)]
    for order in permutations(runs):
        store.write(order)
        assert whole(store, 1).subtree_tokens.prompt == 47
        assert whole(store, 2).subtree_tokens.prompt == 40
        assert whole(store, 2).tokens.prompt == 100
        assert store.run_statistics(RunQuery()).tokens.prompt == 47
        store.delete_traces([run(1)])


def test_a_run_that_turns_out_to_be_a_model_or_none_is_counted_anew(store):
    store.write([created(1), created(2, 1, outputs={"usage_metadata": {"total_tokens": 5}})])
    assert whole(store, 1).subtree_tokens is None
    store.write([ended(2, run_type="llm")])
    assert whole(store, 1).subtree_tokens.total == 5
    store.write([model(3, 1, 2)])
    assert whole(store, 1).subtree_tokens.total == 11
    store.write([ended(3, run_type="tool")])
    assert whole(store, 1).subtree_tokens.total == 5


def test_the_sums_of_a_chain_that_repeats_its_models_usage_have_it_once(store):
    store.write([created(1, outputs={"usage_metadata": {"total_tokens": 11}}), model(2, 1)])
    totals = store.run_statistics(RunQuery(is_root=True))
    assert (totals.run_count, totals.tokens.total, totals.cost.total) == (1, 11, 0.5)


def test_a_page_of_roots_and_its_statistics_agree(store):
    store.write([created(1), model(2, 1), created(3), model(4, 3), model(5, 3)])
    store.write([ended(1, 2), ended(3, 4, error="no")])
    totals = store.run_statistics(RunQuery(is_root=True))
    assert (totals.run_count, totals.error_count, totals.tokens.prompt) == (2, 1, 30)
    assert (totals.latency_p50, totals.last_start_us) == (3.0, START_US + 3_000_000)
    assert store.run_statistics(RunQuery(trace_id=run(1))).tokens.prompt == 10
    assert store.run_statistics(RunQuery(run_type="llm")).tokens.prompt == 30
    none = store.run_statistics(RunQuery(run_type="parser"))
    assert (none.run_count, none.tokens.total, none.latency_p50) == (0, None, None)


def test_a_project_counts_all_runs_and_times_its_roots(store):
    store.write(
        [created(1), model(2, 1, events=[token(2)]), created(3), ended(1, 4), ended(2, error="no")]
    )
    [project] = store.find_projects(ProjectQuery())
    unknown = UUID(int=5)
    found = store.project_statistics([project.id, unknown])
    totals = found[project.id]
    assert (totals.run_count, totals.error_count, totals.tokens.total) == (3, 1, 11)
    assert (totals.latency_p50, totals.first_token_p50) == (4.0, 1.0)
    assert found[unknown].run_count == 0
    assert store.project_statistics([]) == {}


def token(second):
    return {"name": "new_token", "time": (START_US + second * 10**6) / 1000}


@pytest.mark.parametrize(
    ("by", "key", "found"),
    [
        ("name", None, {"run 1": 1, "run 2": 1, "run 3": 1}),
        ("run_type", None, {"chain": 2, "llm": 1}),
        ("status", None, {"pending": 2, "error": 1}),
        ("tag", None, {"a": 2, "b": 1}),
        ("metadata", "user", {"ada": 1, "7": 1}),
        ("hour", None, {START_US: 3}),
    ],
)
def test_runs_are_told_apart_by_anything(store, by, key, found):
    store.write(
        [
            created(1, tags=["a"], extra={"metadata": {"user": "ada"}}),
            model(2, 1, tags=["a", "b"], extra={"metadata": {"user": 7}}),
            created(3),
            ended(3, error="no"),
        ]
    )
    groups = store.group_runs(RunQuery(), by, key)
    assert {value: totals.run_count for value, totals in groups} == found
    assert [totals.run_count for _, totals in groups] == sorted(found.values(), reverse=True)


def test_groups_of_projects_are_named_by_id_and_count_their_models(store):
    store.write([created(1), model(2, 1), created(3, session_name="other")])
    groups = dict(store.group_runs(RunQuery(), "project"))
    by_name = {each.name: groups[each.id] for each in store.find_projects(ProjectQuery())}
    assert by_name["tests"].tokens.total == 11
    assert by_name["other"].tokens.total is None


@pytest.mark.parametrize(("by", "key"), [("colour", None), ("metadata", None), ("name", "x")])
def test_runs_are_not_told_apart_by_nothing(store, by, key):
    with pytest.raises(BadOptionError, match="told apart"):
        store.group_runs(RunQuery(), by, key)


def test_feedback_is_summed_up_by_key(store):
    store.write(
        [
            created(1),
            created(2, 1),
            said(11, "good", 1, score=1.0, comment="yes", feedback_source={"type": "api"}),
            said(12, "good", 1, score=False, feedback_source={"type": "model"}),
            said(13, "kind", 1, value="a"),
            said(14, "good", 2, score=0.25),
        ]
    )
    good = whole(store, 1).feedback["good"]
    assert (good.count, good.average, good.deviation, good.least, good.most) == (2, 0.5, 0.5, 0, 1)
    assert (good.comments, sorted(good.sources)) == (["yes"], ["api", "model"])
    assert whole(store, 1).feedback["kind"].values == {"a": 1}
    assert store.run_statistics(RunQuery()).feedback["good"].count == 3
    assert store.run_statistics(RunQuery(is_root=True)).feedback["good"].count == 2
    [project] = store.find_projects(ProjectQuery())
    assert store.project_statistics([project.id])[project.id].feedback["good"].count == 3


@pytest.fixture
def talked(store):
    """Threads A of the traces 1 and 4, B of 2; 3 is in none, and 5 is a child that names C."""
    store.write(
        [
            threaded(1, "A", inputs={"input": "hello"}),
            threaded(2, "B"),
            created(3),
            threaded(4, "A", outputs={"output": "bye"}),
            created(5, 3, extra={"metadata": {"thread_id": "C"}}),
            model(6, 4),
            ended(1, 1),
            ended(2, 1),
            ended(4, 3, error="oh"),
        ]
    )
    return store


def threaded(number, thread_id, **fields):
    return created(
        number, extra={"metadata": {"session_id": None, "thread_id": thread_id}}, **fields
    )


def test_threads_are_the_traces_that_share_an_id(talked):
    first, second = talked.find_threads(RunQuery()).items
    assert (first.thread_id, first.turn_count, second.thread_id) == ("A", 2, "B")
    assert (first.first_trace_id, first.last_trace_id) == (run(1), run(4))
    assert (first.first_start_us, first.last_start_us) == (START_US + 10**6, START_US + 4 * 10**6)
    assert (first.first_inputs_preview, first.last_outputs_preview) == ("hello", "bye")
    assert first.last_error_preview == "oh"
    assert (first.statistics.error_count, first.statistics.tokens.total) == (1, 11)
    assert first.statistics.latency_p50 == 2.0


def test_threads_come_in_pages_and_by_what_is_true_of_them(talked):
    page = talked.find_threads(RunQuery(limit=1))
    rest = talked.find_threads(RunQuery(limit=5, cursor=page.next))
    assert [each.thread_id for each in (*page.items, *rest.items)] == ["A", "B"]
    assert rest.next is None
    for text, found in [
        ("gt(turn_count, 1)", ["A"]),
        ("eq(num_errored_turns, 0)", ["B"]),
        ("gt(total_tokens, 99)", []),
    ]:
        having = parse(text, THREAD_FIELDS)
        assert [each.thread_id for each in talked.find_threads(RunQuery(), having).items] == found


def test_runs_inside_a_trace_are_in_its_thread(talked):
    assert [whole(talked, number).thread_id for number in (1, 3, 5, 6)] == ["A", None, "C", "A"]
